package llmidem_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is what most tests need: a server, a client over its in-memory transport
// (so that time can be synctest's) and go-openai over that.
type bench struct {
	t      *testing.T
	srv    *llmtest.Server
	spans  *llmtest.SpanRecorder
	meters *llmtest.MetricRecorder
	logs   *logLines
	client *llmidem.Client
	api    *goopenai.Client
}

// newBench starts a bench. A preset goes first among the options, so the bench's
// own come after it.
func newBench(t *testing.T, opts ...llmidem.Option) *bench {
	t.Helper()
	return benchOver(t, llmtest.New(t, llmtest.InMemory()), opts...)
}

func benchOver(t *testing.T, srv *llmtest.Server, opts ...llmidem.Option) *bench {
	t.Helper()
	b := &bench{t: t, srv: srv, spans: llmtest.Spans(), meters: llmtest.Metrics(), logs: &logLines{}}
	b.client = b.newClient(opts...)
	b.api = b.apiOver(b.client, "sk-test")
	return b
}

// newClient makes another client of the bench's server.
func (b *bench) newClient(opts ...llmidem.Option) *llmidem.Client {
	b.t.Helper()
	opts = append(opts, llmidem.WithTransport(b.srv.Transport()), llmidem.WithTracerProvider(b.spans),
		llmidem.WithMeterProvider(b.meters), llmidem.WithLogger(slog.New(b.logs)))
	client, err := llmidem.New(b.srv.Provider(), opts...)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { require.NoError(b.t, client.Close(context.Background())) })
	return client
}

func (b *bench) apiOver(client *llmidem.Client, token string) *goopenai.Client {
	b.t.Helper()
	cfg := openai.DefaultConfig(token)
	cfg.BaseURL = b.srv.URL()
	cfg.HTTPClient = nil // the client's own transport, which is the server's
	api := goopenai.New(cfg, client)
	require.NoError(b.t, api.Err())
	return api
}

// ask calls the model with one user message.
func (b *bench) ask(ctx context.Context, prompt string, opts ...llmidem.CallOption) (llmidem.Result[openai.ChatCompletionResponse], error) {
	return llmidem.Call(ctx, b.api.CreateChatCompletion, chat(prompt), opts...)
}

// mustAsk is ask for calls that have to be answered.
func (b *bench) mustAsk(prompt string, opts ...llmidem.CallOption) llmidem.Result[openai.ChatCompletionResponse] {
	b.t.Helper()
	res, err := b.ask(context.Background(), prompt, opts...)
	require.NoError(b.t, err)
	return res
}

func chat(prompt string) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{Model: "gpt-4o-mini", Messages: []openai.ChatCompletionMessage{
		{Role: openai.ChatMessageRoleUser, Content: prompt}}}
}

// request is a request to the bench's server without an SDK.
func (b *bench) request(route, text string) *http.Request {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.srv.URL()+route, body(text))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer sk-test")
	return req
}

// post sends a chat request without an SDK and reads its answer.
func (b *bench) post(t *testing.T, prompt string) *http.Response {
	t.Helper()
	resp, err := b.client.RoundTrip(b.request("/chat/completions", chatBody(prompt)))
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp
}

func body(text string) io.Reader { return strings.NewReader(text) }

func chatBody(prompt string) string {
	return `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + prompt + `"}]}`
}

// exchanged is a response read to its end.
type exchanged struct {
	status       int
	header       http.Header
	body, source string
}

func (b *bench) read(resp *http.Response, err error) exchanged {
	b.t.Helper()
	require.NoError(b.t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	require.NoError(b.t, resp.Body.Close())
	return exchanged{resp.StatusCode, resp.Header, string(text), resp.Header.Get("Llmidem-Source")}
}
