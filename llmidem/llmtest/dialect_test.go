package llmtest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// find returns the operation of that name.
func find(t *testing.T, name string) operation {
	for _, o := range operations() {
		if o.name == name {
			return o
		}
	}
	t.Fatal("no operation " + name)
	return operation{}
}

func TestErrorsAreInTheWordsOfTheService(t *testing.T) {
	type want struct{ operation, body string }
	for _, c := range []struct {
		fault llmtest.Fault
		want  []want
	}{
		{llmtest.Status(429), []want{
			{"chat", `{"error":{"message":"Too Many Requests","type":"requests","param":null,"code":"rate_limit_exceeded"}}`},
			{"message", `{"type":"error","error":{"type":"rate_limit_error","message":"Too Many Requests"},"request_id":"req-llmtest-1"}`},
			{"content", `{"error":{"code":429,"message":"Too Many Requests","status":"RESOURCE_EXHAUSTED"}}`},
			{"ollama chat", `{"error":"Too Many Requests"}`},
		}},
		{llmtest.Status(529), []want{
			{"message", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req-llmtest-1"}`},
		}},
		{llmtest.Status(400).Code("billing_error").Message("No credit."), []want{
			{"message stream", `{"type":"error","error":{"type":"billing_error","message":"No credit."},"request_id":"req-llmtest-1"}`},
			{"content stream", `{"error":{"code":400,"message":"No credit.","status":"billing_error"}}`},
			{"ollama generate", `{"error":"No credit.","code":"billing_error"}`},
		}},
		{llmtest.Status(429).Code("GenerateRequestsPerDayPerProject").RetryAfter(34 * time.Second), []want{
			{"content", `{"error":{"code":429,"message":"Too Many Requests","status":"RESOURCE_EXHAUSTED","details":[` +
				`{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]},` +
				`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}}`},
		}},
		{llmtest.Status(418), []want{
			{"message", `{"type":"error","error":{"type":"invalid_request_error","message":"I'm a teapot"},"request_id":"req-llmtest-1"}`},
			{"content", `{"error":{"code":418,"message":"I'm a teapot","status":"FAILED_PRECONDITION"}}`},
		}},
		{llmtest.ErrorOK(), []want{
			{"message", `{"type":"error","error":{"type":"api_error","message":"Internal server error"},"request_id":"req-llmtest-1"}`},
			{"content", `{"error":{"code":500,"message":"Internal server error","status":"INTERNAL"}}`},
			{"ollama embed", `{"error":"Internal server error"}`},
		}},
		{llmtest.ErrorOK().Code("UNAVAILABLE"), []want{
			{"content", `{"error":{"code":503,"message":"Internal server error","status":"UNAVAILABLE"}}`},
		}},
		{llmtest.StreamError(0).Code("overloaded_error").Message("Overloaded"), []want{
			{"message stream", "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"},
			{"content stream", "data: {\"error\":{\"code\":500,\"message\":\"Overloaded\",\"status\":\"overloaded_error\"}}\r\n\r\n"},
			{"content array", "[{\"error\":{\"code\":500,\"message\":\"Overloaded\",\"status\":\"overloaded_error\"}}\n]\n"},
			{"ollama chat stream", "{\"error\":\"Overloaded\",\"code\":\"overloaded_error\"}\n"},
		}},
	} {
		for _, w := range c.want {
			srv := llmtest.New(t, llmtest.InMemory())
			srv.Next(c.fault)
			r := find(t, w.operation).ask(t, srv)
			require.NoError(t, r.Err)
			assert.Equal(t, w.body, r.Body, "%s %s", c.fault, w.operation)
		}
	}
}

// What an Anthropic status stands for in the type.
func TestAnthropicErrorTypes(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	for status, typ := range map[int]string{400: "invalid_request_error", 401: "authentication_error", 402: "billing_error",
		403: "permission_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error",
		504: "timeout_error", 529: "overloaded_error"} {
		srv.Next(llmtest.Status(status))
		require.Equal(t, typ, complete.ErrorBody([]byte(find(t, "message").ask(t, srv).Body)).Type)
	}
}

func TestRetryAfterIsToldWhereTheServiceTellsIt(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	for name, header := range map[string]string{"chat": "1.5", "message": "1.5", "content": "", "ollama chat": "1.5"} {
		srv.Next(llmtest.Status(429).RetryAfter(1500*time.Millisecond), llmtest.Status(503).Body("text/html", "<p>").RetryAfter(time.Second))
		o := find(t, name)
		r := o.ask(t, srv)
		assert.Equal(t, header, r.Header.Get("Retry-After"), name)
		assert.Equal(t, name == "content", complete.ErrorBody([]byte(r.Body)).RetryDelay == 1500*time.Millisecond, name)
		assert.Equal(t, "1", o.ask(t, srv).Header.Get("Retry-After"), "a proxy has headers alone")
	}
	srv.Next(llmtest.StreamError(0).RetryAfter(time.Second), llmtest.OK().RetryAfter(time.Second))
	assert.Contains(t, find(t, "content stream").ask(t, srv).Body, `"retryDelay":"1s"`)
	assert.Equal(t, "1", find(t, "content").ask(t, srv).Header.Get("Retry-After"), "an answer has no place for it")
	twice := llmtest.Status(429).RetryAfter(time.Second)
	srv.Next(twice.RetryAfter(2*time.Second), twice.RetryAfter(3*time.Second))
	assert.Equal(t, []string{"1", "2"}, chat(srv, "hi").Header.Values("Retry-After"))
	assert.Equal(t, []string{"1", "3"}, chat(srv, "hi").Header.Values("Retry-After"))
}

func TestRequestIdsAreSentUnderTheirName(t *testing.T) {
	for name, header := range map[string]string{"chat": "X-Request-Id", "message": "Request-Id", "content": "", "ollama chat": ""} {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(llmtest.OK(), llmtest.OK().Header("Request-Id", "own"))
		h := find(t, name).ask(t, srv).Header
		for _, id := range []string{"X-Request-Id", "Request-Id"} {
			want := ""
			if id == header {
				want = "req-llmtest-1"
			}
			assert.Equal(t, want, h.Get(id), name)
		}
		assert.Equal(t, []string{"own"}, find(t, name).ask(t, srv).Header.Values("Request-Id"), name)
	}
}

func TestUnknownPathsAreRefusedInTheWordsOfTheirService(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	for _, c := range []struct{ path, header, want string }{
		{"/v1/nothing", "", `{"error":{"message":"Unknown request URL: POST /v1/nothing.","type":"invalid_request_error","param":null,"code":"unknown_url"}}`},
		{"/v1/messages/count_tokens", "Anthropic-Version", `{"type":"error","error":{"type":"not_found_error","message":"Unknown request URL: POST /v1/messages/count_tokens."},"request_id":"req-llmtest-2"}`},
		{"/v1beta/models/m:countTokens", "", `{"error":{"code":404,"message":"Unknown request URL: POST /v1beta/models/m:countTokens.","status":"NOT_FOUND"}}`},
		{"/v1/models/m:embedContent", "X-Goog-Api-Key", `{"error":{"code":404,"message":"Unknown request URL: POST /v1/models/m:embedContent.","status":"NOT_FOUND"}}`},
		{"/api/pull", "", `{"error":"Unknown request URL: POST /api/pull."}`},
	} {
		header := []string{}
		if c.header != "" {
			header = []string{c.header, "x"}
		}
		r := send(t.Context(), srv, http.MethodPost, srv.BaseURL()+c.path, "{}", header...)
		assert.Equal(t, 404, r.Status)
		assert.Equal(t, c.want, r.Body)
	}
}

func TestToolsInEachDialect(t *testing.T) {
	for name, want := range map[string]string{
		"message":               `"content":[{"type":"tool_use","id":"toolu_llmtest_1_0","name":"weather","input":{"city":"Zürich"}}],"stop_reason":"tool_use"`,
		"message stream":        `"delta":{"type":"input_json_delta","partial_json":"{\"city\":\""}}`,
		"content":               `{"parts":[{"functionCall":{"name":"weather","args":{"city":"Zürich"}}}],"role":"model"},"finishReason":"STOP"`,
		"content stream":        `{"parts":[{"functionCall":{"name":"weather","args":{"city":"Zürich"}}}],"role":"model"},"finishReason":"STOP"`,
		"content array":         `"functionCall":{"name":"weather"`,
		"ollama chat":           `"tool_calls":[{"function":{"name":"weather","arguments":{"city":"Zürich"}}}]},"done":true,"done_reason":"stop"`,
		"ollama chat stream":    `"tool_calls":[{"function":{"name":"weather","arguments":{"city":"Zürich"}}}]},"done":false`,
		"ollama generate":       `"response":"Answer to:`,
		"images":                `"url":"`,
		"completion":            `"text":"Answer to:`,
		"responses":             `"text":"Answer to:`,
		"transcription":         `"text":"Answer to: file `,
		"transcription in full": `"task":"transcribe"`,
	} {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(llmtest.CallTool("weather", `{"city":"Zürich"}`), llmtest.CallTool("weather", "no JSON"))
		o := find(t, name)
		r := o.ask(t, srv)
		require.NoError(t, r.Err)
		assert.Contains(t, r.Body, want, name)
		got, _ := o.judge(t, r)
		assert.True(t, got.Keep, name)
		got, _ = o.judge(t, o.ask(t, srv))
		assert.True(t, got.Keep, "%s: arguments that are no JSON", name)
	}
}

func TestBlockedPrompts(t *testing.T) {
	for name, want := range map[string]string{
		"content":                `{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3}`,
		"content stream":         `data: {"promptFeedback":{"blockReason":"SAFETY"}`,
		"content array":          `[{"promptFeedback":{"blockReason":"SAFETY"}`,
		"message":                `"content":[],"stop_reason":"refusal"`,
		"message stream":         `"delta":{"stop_reason":"refusal"`,
		"chat":                   `"finish_reason":"content_filter"`,
		"completion stream":      `"finish_reason":"content_filter"`,
		"responses":              `"status":"incomplete","incomplete_details":{"reason":"content_filter"}`,
		"responses stream":       "event: response.incomplete\n",
		"ollama chat":            `"content":"Answer to:`,
		"ollama generate stream": `"response":" three"`,
		"translation":            `"text":"Answer to:`,
	} {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(llmtest.Block("SAFETY"))
		o := find(t, name)
		r := o.ask(t, srv)
		require.NoError(t, r.Err)
		assert.Contains(t, r.Body, want, name)
		got, _ := o.judge(t, r)
		assert.True(t, got.Keep, name)
		assert.Equal(t, 1, srv.Ledger().Executions())
	}
}

// Limits and empty answers end a text in each dialect's words.
func TestTextsThatEndOtherwise(t *testing.T) {
	for _, c := range []struct{ path, body, empty, limited string }{
		{"/v1/messages", `{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":2}`,
			`"content":[],"stop_reason":"end_turn"`, `"text":"Answer to:"}],"stop_reason":"max_tokens"`},
		{"/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"x"}]}],"generation_config":{"maxOutputTokens":2}}`,
			`"parts":[{"text":""}],"role":"model"},"finishReason":"STOP"`, `"text":"Answer to:"}],"role":"model"},"finishReason":"MAX_TOKENS"`},
		{"/v1beta/models/m:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":2}}`,
			`"parts":[{"text":""}],"role":"model"},"finishReason":"STOP"`, `"text":" to:"}],"role":"model"},"finishReason":"MAX_TOKENS"`},
		{"/api/generate", `{"model":"m","prompt":"x","stream":false,"options":{"num_predict":2}}`,
			`"response":"","done":true,"done_reason":"stop"`, `"response":"Answer to:","done":true,"done_reason":"length"`},
		{"/api/chat", `{"model":"m","messages":[{"role":"user","content":"x"}],"options":{"num_predict":2}}`,
			`"done":true,"done_reason":"stop"`, `"done":true,"done_reason":"length"`},
	} {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(llmtest.Text(""))
		for _, want := range []string{c.empty, c.limited} {
			r := send(t.Context(), srv, http.MethodPost, srv.BaseURL()+c.path, c.body)
			require.NoError(t, r.Err)
			assert.Contains(t, r.Body, want)
		}
		assert.Equal(t, llmtest.Usage{Input: 2, Output: 2}, srv.Ledger().Billed())
	}
}

// What is said in instructions, results of functions and parts counts.
func TestPromptsOfEachDialect(t *testing.T) {
	for _, c := range []struct {
		path, body, prompt string
		input              int
	}{
		{"/v1/messages", `{"model":"m","max_tokens":9,"system":[{"type":"text","text":"be brief"}],"messages":[{"role":"user","content":"hi"},` +
			`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"it rains"},{"type":"tool_result","content":[{"type":"text","text":"a lot"}]},{"type":"text","text":"so?"}]}]}`,
			"it rains\na lot\nso?", 8},
		{"/v1beta/tunedModels/m%2F1:generateContent", `{"system_instruction":{"parts":[{"text":"be brief"}]},"contents":[{"parts":[{"text":"hi"}]},{"parts":[{"functionResponse":{"name":"w"}}]}]}`,
			`{"name":"w"}`, 4},
		{"/api/generate", `{"model":"m","system":"be brief","prompt":"hi there"}`, "hi there", 4},
		{"/api/embed", `{"model":"m","input":["a","b c"],"dimensions":3}`, "a\nb c", 3},
	} {
		srv := llmtest.New(t, llmtest.InMemory())
		r := send(t.Context(), srv, http.MethodPost, srv.BaseURL()+c.path, c.body)
		require.Equal(t, 200, r.Status, r.Body)
		assert.Equal(t, c.prompt, srv.Ledger().Work[0].Prompt)
		assert.Equal(t, c.input, srv.Ledger().Billed().Input)
		if strings.Contains(c.path, "tuned") {
			assert.Equal(t, "m/1", srv.Ledger().Work[0].Model)
		}
	}
}

func TestSoundsAndPictures(t *testing.T) {
	for _, name := range []string{"speech", "images in base64", "edit"} {
		o := find(t, name)
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled())
		assert.NotEqual(t, o.ask(t, srv).Body, o.ask(t, srv).Body, "%s: sampled", name)
	}
	o := find(t, "speech")
	speaks := llmtest.New(t, llmtest.InMemory())
	assert.Equal(t, o.ask(t, speaks).Body, o.ask(t, speaks).Body)
	srv := llmtest.New(t, llmtest.InMemory())
	for format, typ := range map[string]string{"opus": "audio/opus", "wav": "audio/wav", "pcm": "audio/pcm"} {
		r := post(srv, "/audio/speech", `{"model":"m","input":"x","response_format":"`+format+`"}`)
		assert.Equal(t, typ, r.Header.Get("Content-Type"))
	}
	assert.Equal(t, 400, post(srv, "/audio/speech", `{"model":"m","input":"x","response_format":"midi"}`).Status)

	vtt, form := upload("file", "model", "m", "response_format", "vtt")
	r := post(srv, "/audio/transcriptions", vtt, "Content-Type", form)
	assert.Regexp(t, `^WEBVTT\n\n00:00:00\.000 --> 00:00:04\.000\nAnswer to: file [0-9a-f]{8}\n\n$`, r.Body)
	for _, fields := range [][]string{{"x"}, {"file", "model", "m", "response_format", "midi"}, {"file"}} {
		body, form := upload(fields[0], fields[1:]...)
		assert.Equal(t, 400, post(srv, "/audio/translations", body, "Content-Type", form).Status, fields)
	}
	for _, fields := range [][]string{{"x", "prompt", "p"}, {"image"}, {"image", "prompt", "p", "n", "two"}, {"image", "prompt", "p", "n", "0"}} {
		body, form := upload(fields[0], fields[1:]...)
		assert.Equal(t, 400, post(srv, "/images/edits", body, "Content-Type", form).Status, fields)
	}
}

// Keys mean what they mean on the OpenAI routes, in each dialect's words.
func TestKeysOnEveryRoute(t *testing.T) {
	for _, o := range operations() {
		t.Run(o.name, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay, MaxLen: 9}))
			key := func(k string) []string {
				return []string{"Idempotency-Key", k, "X-Api-Key", "a", "X-Goog-Api-Key", "b"}
			}
			first, second := o.ask(t, srv, key("k")...), o.ask(t, srv, key("k")...)
			require.Equal(t, first.Body, second.Body)
			require.Equal(t, "true", second.Header.Get("Idempotent-Replayed"))
			other := o.ask(t, srv, "Idempotency-Key", "k", "X-Api-Key", "other")
			require.Empty(t, other.Header.Get("Idempotent-Replayed"))
			require.Equal(t, 2, srv.Ledger().Executions())
			long := o.ask(t, srv, key("0123456789")...)
			require.Equal(t, 400, long.Status)
			require.True(t, json.Valid([]byte(long.Body)))
			reject := llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Reject}))
			o.ask(t, reject, key("k")...)
			require.Equal(t, 422, o.ask(t, reject, key("k")...).Status)
			require.Equal(t, 1, reject.Ledger().Executions())
		})
	}
}

// A key in use is told so that a client of any dialect can tell it from a conflict.
func TestKeysInUseOnEveryRoute(t *testing.T) {
	for _, o := range operations() {
		t.Run(o.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay}))
				srv.Next(llmtest.Delay(2 * time.Second))
				var wg sync.WaitGroup
				wg.Go(func() { assert.NoError(t, o.ask(t, srv, "Idempotency-Key", "k").Err) })
				synctest.Wait()
				r := o.ask(t, srv, "Idempotency-Key", "k")
				info := complete.ErrorBody([]byte(r.Body))
				assert.Equal(t, 409, r.Status)
				assert.Equal(t, "2", r.Header.Get("Retry-After"))
				assert.Contains(t, []string{info.Code, info.Type}, "idempotency_key_in_use", r.Body)
				wg.Wait()
			})
		})
	}
}

func TestScriptedPagesOfEachDialect(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	srv.Next(
		llmtest.Reply("application/x-ndjson", "{\"done\":false}\n{\"done\":true}\n").Split(3).Before(" "),
		llmtest.Reply("text/event-stream; charset=utf-8", "data: a\r\n\r\ndata: b\r\n\r\n").Before(": c\r\n\r\n").Newline("\r"),
		llmtest.Reply("application/json", `{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4}}`),
		llmtest.Reply("application/json", `{"prompt_eval_count":30,"eval_count":40}`),
	)
	assert.Equal(t, " {\"done\":false}\n {\"done\":true}\n", find(t, "ollama chat").ask(t, srv).Body)
	assert.Equal(t, ": c\r\rdata: a\r\r: c\r\rdata: b\r\r", find(t, "content stream").ask(t, srv).Body)
	find(t, "content").ask(t, srv)
	find(t, "ollama chat").ask(t, srv)
	assert.Equal(t, llmtest.Usage{Input: 33, Output: 44}, srv.Ledger().Billed())
}
