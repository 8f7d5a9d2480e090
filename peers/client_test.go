package peers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// client is a llmidem client over rt, closed with the test.
func client(t *testing.T, provider llmidem.Provider, rt http.RoundTripper, opts ...llmidem.Option) *llmidem.Client {
	t.Helper()
	c, err := llmidem.New(provider, append(opts, llmidem.WithTransport(rt), llmidem.WithLogger(slog.New(slog.DiscardHandler)))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close(context.Background())) })
	return c
}

// over is go-openai over llmidem, and bare is it alone.
func over(t *testing.T, url string, opts ...llmidem.Option) *goopenai.Client {
	t.Helper()
	return goopenai.New(at(url), client(t, providers.OpenAI(), wire(t), opts...))
}

func bare(t *testing.T, url string) *openai.Client {
	cfg := at(url)
	cfg.HTTPClient = &http.Client{Transport: wire(t)}
	return openai.NewClientWithConfig(cfg)
}

func at(url string) openai.ClientConfig {
	cfg := openai.DefaultConfig("token")
	cfg.BaseURL = url + "/v1"
	return cfg
}

// question asks for tokens of an answer, drawn at a temperature of 1.
func question(prompt string, tokens int) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{Model: "stories", Temperature: 1, MaxCompletionTokens: tokens,
		Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: prompt}}}
}

// usage is what an answer says, as a receipt has it.
func usage(u openai.Usage) llmidem.Usage {
	return llmidem.Usage{InputTokens: int64(u.PromptTokens), OutputTokens: int64(u.CompletionTokens)}
}

// A told is a stream as go-openai gives it out.
type told struct {
	text   strings.Builder
	chunks int
	finish openai.FinishReason
	usage  llmidem.Usage
	err    error
}

// tell reads a stream to its end, calling each for every chunk.
func tell(t *testing.T, stream *openai.ChatCompletionStream, each func(chunk int)) *told {
	t.Helper()
	defer stream.Close()
	var out told
	for {
		res, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return &out
		}
		if err != nil {
			out.err = err
			return &out
		}
		out.chunks++
		if res.Usage != nil {
			out.usage = usage(*res.Usage)
		}
		for _, c := range res.Choices {
			out.text.WriteString(c.Delta.Content)
			out.finish = c.FinishReason
		}
		each(out.chunks)
	}
}

func nothing(int) {}

// A tap keeps the bytes of the answers that pass it.
type tap struct {
	http.RoundTripper
	mu   sync.Mutex
	seen []*bytes.Buffer
}

func (p *tap) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := p.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b := new(bytes.Buffer)
	p.seen = append(p.seen, b)
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.TeeReader(res.Body, b), res.Body}
	return res, nil
}

// post sends a body and returns the answer's, and the receipt where the transport is
// a llmidem client.
func post(t *testing.T, rt http.RoundTripper, url, body string, headers ...string) (string, llmidem.Receipt, error) {
	t.Helper()
	ctx, receipt := llmidem.WithReceipt(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer token")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := rt.RoundTrip(req)
	if err != nil {
		return "", receipt(), err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return string(answer), receipt(), err
}
