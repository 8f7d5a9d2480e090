package llmtest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestChatIsAnsweredFromItsPrompt(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		r := chat(srv, "What is 2 + 2?", "Idempotency-Key", "idem_1")
		require.Equal(t, "Answer to: What is 2 + 2?", text(t, r))
		assert.Equal(t, 200, r.Status)
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		assert.Equal(t, "req-llmtest-1", r.Header.Get("X-Request-Id"))
		assert.Contains(t, r.Body, `"id":"chatcmpl-llmtest-1"`)
		assert.Contains(t, r.Body, `"finish_reason":"stop"`)
		assert.Contains(t, r.Body, `"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}`)

		l := srv.Ledger()
		require.Len(t, l.Requests, 1)
		q := l.Requests[0]
		assert.Equal(t, "idem_1", q.Key)
		assert.Equal(t, "chat", q.Operation)
		assert.Equal(t, "gpt-4o-mini", q.Model)
		assert.Equal(t, "What is 2 + 2?", q.Prompt)
		assert.Equal(t, "/v1/chat/completions", q.Path)
		assert.Equal(t, 200, q.Status)
		assert.EqualValues(t, 1, q.Conn)
		assert.Equal(t, chatBody("What is 2 + 2?", ""), string(q.Body))
		assert.Equal(t, 1, l.ExecutionsOf("idem_1"))
		assert.Equal(t, 1, l.ExecutionsOfPrompt("What is 2 + 2?"))
		assert.Equal(t, llmtest.Usage{Input: 5, Output: 7}, l.Billed())
		assert.Equal(t, l.Billed(), l.BilledTo("idem_1"))
	})
}

func TestSampledAnswersDiffer(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled())
	assert.Equal(t, "Answer 1 to: hi", text(t, chat(srv, "hi")))
	assert.Equal(t, "Answer 2 to: hi", text(t, chat(srv, "hi")))
	assert.Equal(t, 2, srv.Ledger().ExecutionsOfPrompt("hi"))
}

func TestLongPromptsAreToldApart(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	long := strings.Repeat("word ", 100)
	a, b := text(t, chat(srv, long+"a")), text(t, chat(srv, long+"b"))
	assert.NotEqual(t, a, b)
	assert.Less(t, len(a), 400)
}

func TestChoicesAndLimits(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	r := post(srv, "/chat/completions", chatBody("hi", `,"n":3,"max_completion_tokens":4`))
	require.NoError(t, r.Err)
	assert.Equal(t, 3, strings.Count(r.Body, `"finish_reason":`))
	assert.Contains(t, r.Body, `Answer to: hi (choice`)
	assert.Contains(t, r.Body, `"finish_reason":"length"`)
	assert.Equal(t, llmtest.Usage{Input: 1, Output: 3 + 4 + 4}, srv.Ledger().Billed())
}

func TestRoutes(t *testing.T) {
	cases := []struct{ name, path, body, want string }{
		{"completion", "/completions", `{"model":"m","prompt":["a b","c"],"n":2}`, `"text":"Answer to: c (choice 2)"`},
		{"completion of tokens", "/completions", `{"model":"m","prompt":[1,2,3]}`, `"prompt_tokens":3`},
		{"embedding", "/embeddings", `{"model":"m","input":["a b","c"],"dimensions":3}`, `"usage":{"prompt_tokens":3,"total_tokens":3}`},
		{"embedding in base64", "/embeddings", `{"model":"m","input":"a","encoding_format":"base64"}`, `"embedding":"`},
		{"moderation", "/moderations", `{"input":"a b"}`, `"flagged":false`},
		{"moderation of parts", "/moderations", `{"input":[{"type":"text","text":"a b"}]}`, `"model":"omni-moderation-latest"`},
		{"response", "/responses", `{"model":"m","input":"hi","instructions":"be brief"}`, `"status":"completed"`},
		{"response of items", "/responses", `{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]}]}`, `"text":"Answer to: hi"`},
		{"response cut short", "/responses", `{"model":"m","input":"hi","max_output_tokens":2}`, `"incomplete_details":{"reason":"max_output_tokens"}`},
		{"chat of parts", "/chat/completions", `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:,"}}]}]}`, `Answer to: see`},
		{"another prefix", "/gateway/openai/chat/completions", chatBody("hi", ""), "Answer to: hi"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.InMemory())
			r := post(srv, c.path, c.body)
			require.NoError(t, r.Err)
			require.Equal(t, 200, r.Status, r.Body)
			assert.True(t, json.Valid([]byte(r.Body)))
			assert.Contains(t, r.Body, c.want)
			assert.Equal(t, 1, srv.Ledger().Executions())
			assert.NotZero(t, srv.Ledger().Billed().Input)
		})
	}
}

func TestAzureDeployments(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	url := srv.BaseURL() + "/openai/deployments/my%20gpt/chat/completions"
	body := `{"messages":[{"role":"user","content":"hi"}]}`
	r := send(context.Background(), srv, http.MethodPost, url+"?api-version=2024-10-21", body)
	assert.Equal(t, "Answer to: hi", text(t, r))
	assert.Contains(t, r.Body, `"model":"my gpt"`)
	assert.Equal(t, 404, send(context.Background(), srv, http.MethodPost, url, body).Status)
	assert.Equal(t, 1, srv.Ledger().Executions())
}

func TestWhatIsNoCallIsRefusedAsOpenAIDoes(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	get := send(context.Background(), srv, http.MethodGet, srv.URL()+"/models", "")
	assert.Contains(t, get.Body, `"id":"gpt-4o-mini"`)
	assert.Equal(t, "unknown_url", code(t, post(srv, "/nothing", "{}")))
	for _, body := range []string{
		"", "{", "[]", `"x"`, "\xff\x00", `{"model":"m"}`, `{"messages":[{"content":"x"}]}`,
		chatBody("x", `,"n":0`), chatBody("x", `,"n":1e9`), chatBody("x", `,"max_tokens":-1`),
	} {
		for _, path := range []string{"/chat/completions", "/completions", "/embeddings", "/responses", "/moderations"} {
			if path == "/completions" && body == `{"model":"m"}` {
				continue // a prompt may be left out
			}
			if path == "/embeddings" && strings.Contains(body, "messages") {
				continue
			}
			r := post(srv, path, body)
			assert.Equal(t, 400, r.Status, "%s %q: %s", path, body, r.Body)
			assert.Contains(t, r.Body, `"type":"invalid_request_error"`)
		}
	}
	assert.Zero(t, srv.Ledger().Executions())
}

func TestStreamsOfEachRoute(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		r := post(srv, "/chat/completions", chatBody("hi", `,"n":2,"stream":true,"stream_options":{"include_usage":true}`))
		require.NoError(t, r.Err)
		assert.Equal(t, "text/event-stream", r.Header.Get("Content-Type"))
		assert.Equal(t, 2, strings.Count(r.Body, `"role":"assistant"`))
		assert.Equal(t, 2, strings.Count(r.Body, `"finish_reason":"stop"`))
		assert.Contains(t, r.Body, `"choices":[],"usage":{"prompt_tokens":1,`)
		assert.True(t, strings.HasSuffix(r.Body, "data: [DONE]\n\n"))

		r = post(srv, "/completions", `{"model":"m","prompt":"hi","stream":true}`)
		assert.Contains(t, r.Body, `"text":" hi","finish_reason":null`)
		r = post(srv, "/responses", `{"model":"m","input":"hi","stream":true}`)
		assert.True(t, strings.HasPrefix(r.Body, "event: response.created\ndata: {"))
		assert.Contains(t, r.Body, `"delta":" hi"`)
		assert.Contains(t, r.Body, "event: response.completed\n")
		assert.Equal(t, 3, srv.Ledger().Executions())
	})
}
