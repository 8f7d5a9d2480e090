package providers_test

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// constructors are all providers of the package that need no argument, by the name
// that they give.
var constructors = map[string]func() llmidem.Provider{
	"openai":          providers.OpenAI,
	"azure.ai.openai": providers.AzureOpenAI,
	"anthropic":       providers.Anthropic,
	"gcp.gemini":      providers.Gemini,
	"ollama":          providers.Ollama,
	"openrouter":      providers.OpenRouter,
	"vllm":            providers.VLLM,
	"litellm":         providers.LiteLLM,
	"portkey":         providers.Portkey,
	"cloudflare":      providers.CloudflareAIGateway,
	"aws.bedrock":     providers.Bedrock,
}

func names() []string { return slices.Sorted(maps.Keys(constructors)) }

// call is a request of a dialect and what it is answered with.
type call struct{ path, body, whole, cut, stream, cutStream string }

// calls has one for each dialect. The cut answers lack what says that they end.
var calls = map[string]call{
	"openai": {
		path:  "/v1/chat/completions",
		body:  `{"model":"m","messages":[{"role":"user","content":"x"}]}`,
		whole: `{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}`,
		cut:   `{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"content":"a"},"finish_reason":null}]}`,
		stream: "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n" +
			"data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
		cutStream: "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\ndata: [DONE]\n\n",
	},
	"anthropic": {
		path:  "/v1/messages",
		body:  `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}`,
		whole: `{"id":"msg_1","type":"message","model":"m","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}`,
		cut:   `{"id":"msg_1","type":"message","model":"m","content":[{"type":"text","text":"a"}],"stop_reason":null}`,
		stream: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"m\"}}\n\n" +
			"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n" +
			"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
		cutStream: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"m\"}}\n\n" +
			"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n",
	},
	"gemini": {
		path:      "/v1beta/models/m:generateContent",
		body:      `{"contents":[{"parts":[{"text":"x"}]}]}`,
		whole:     `{"responseId":"r1","candidates":[{"index":0,"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}`,
		cut:       `{"responseId":"r1","candidates":[{"index":0,"content":{"parts":[{"text":"a"}]}}]}`,
		stream:    "data: {\"candidates\":[{\"index\":0,\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\n\n",
		cutStream: "data: {\"candidates\":[{\"index\":0,\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n\n",
	},
	"ollama": {
		path:      "/api/chat",
		body:      `{"model":"m","stream":false,"messages":[{"role":"user","content":"x"}]}`,
		whole:     `{"model":"m","message":{"content":"a"},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2}`,
		cut:       `{"model":"m","message":{"content":"a"},"done":false}`,
		stream:    "{\"model\":\"m\",\"message\":{\"content\":\"a\"},\"done\":false}\n{\"model\":\"m\",\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n",
		cutStream: "{\"model\":\"m\",\"message\":{\"content\":\"a\"},\"done\":false}\n",
	},
}

// streaming is the call asked for as a stream.
func (c call) streaming() call {
	switch {
	case strings.HasSuffix(c.path, ":generateContent"):
		c.path = strings.Replace(c.path, ":generateContent", ":streamGenerateContent", 1) + "?alt=sse"
	case strings.Contains(c.body, `"stream":false`):
		c.body = strings.Replace(c.body, `"stream":false,`, "", 1)
	default:
		c.body = strings.Replace(c.body, "{", `{"stream":true,`, 1)
	}
	c.whole, c.cut = c.stream, c.cutStream
	return c
}

// service answers every request as its function says, and keeps them.
type service struct {
	mu     sync.Mutex
	answer func(n int) reply // n counts from 0
	seen   []*http.Request
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (s *service) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	s.mu.Lock()
	n := len(s.seen)
	s.seen = append(s.seen, req)
	s.mu.Unlock()
	r := s.answer(n)
	if r.status == 0 {
		r.status = http.StatusOK
	}
	header := http.Header{"Content-Type": {"application/json"}}
	switch {
	case strings.HasPrefix(r.body, "data:"), strings.HasPrefix(r.body, "event:"):
		header.Set("Content-Type", "text/event-stream")
	case strings.Contains(r.body, "}\n"):
		header.Set("Content-Type", "application/x-ndjson")
	}
	maps.Copy(header, r.header)
	return &http.Response{StatusCode: r.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: req,
		Body: io.NopCloser(strings.NewReader(r.body)), ContentLength: int64(len(r.body))}, nil
}

// always answers with the same.
func always(r reply) *service { return &service{answer: func(int) reply { return r }} }

// namespace is one of the tests' own.
var namespace = uuid.MustParse("6f1f6c7e-6d0c-4b6b-9d5e-0b6a3f0c8f11")

// newClient makes a client of a provider over a service. Keys that the provider
// does not take by default are UUIDs.
func newClient(t *testing.T, p llmidem.Provider, s *service, opts ...llmidem.Option) *llmidem.Client {
	t.Helper()
	if p.Keys.Pattern != "" {
		opts = append(opts, llmidem.WithScheme(identity.UUID5(namespace)))
	}
	client, err := llmidem.New(p, append(opts, llmidem.WithTransport(s), llmidem.WithLogger(slog.New(slog.DiscardHandler)))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
	return client
}

// got is an answer as a caller has it.
type got struct {
	status int
	source string
	header http.Header
	body   string
	err    error // of reading
}

// send makes a call. Headers are pairs of name and value.
func send(t *testing.T, client *llmidem.Client, c call, headers ...string) got {
	t.Helper()
	return sendIn(t, context.Background(), client, c, headers...)
}

func sendIn(t *testing.T, ctx context.Context, client *llmidem.Client, c call, headers ...string) got {
	t.Helper()
	resp, err := client.RoundTrip(request(t, ctx, c, headers...))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	return got{resp.StatusCode, resp.Header.Get("Llmidem-Source"), resp.Header, string(body), err}
}

func request(t *testing.T, ctx context.Context, c call, headers ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.invalid"+c.path, strings.NewReader(c.body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return req
}
