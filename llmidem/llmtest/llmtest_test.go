package llmtest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A wire is one way to reach a server.
type wire struct {
	name string
	opts []llmtest.Option
}

func wires() []wire {
	return []wire{
		{"memory", []llmtest.Option{llmtest.InMemory()}},
		{"http1", nil},
		{"tls", []llmtest.Option{llmtest.WithTLS()}},
		{"http2", []llmtest.Option{llmtest.HTTP2()}},
	}
}

// overAll runs a test over each wire.
func overAll(t *testing.T, fn func(t *testing.T, srv *llmtest.Server), opts ...llmtest.Option) {
	t.Helper()
	for _, w := range wires() {
		t.Run(w.name, func(t *testing.T) {
			fn(t, llmtest.New(t, append(w.opts, opts...)...))
		})
	}
}

func chatBody(prompt, more string) string {
	text, _ := json.Marshal(prompt)
	return `{"model":"gpt-4o-mini","messages":[{"role":"user","content":` + string(text) + `}]` + more + `}`
}

// A reply is what a client has of an answer; Err is of the exchange or the body.
type reply struct {
	Status int
	Header http.Header
	Body   string
	Err    error
}

// post sends a body with header pairs to a path below the server's URL.
func post(srv *llmtest.Server, path, body string, header ...string) reply {
	return send(context.Background(), srv, http.MethodPost, srv.URL()+path, body, header...)
}

func send(ctx context.Context, srv *llmtest.Server, method, url, body string, header ...string) reply {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return reply{Err: err}
	}
	req.GetBody = nil // net/http must not send again by itself
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := srv.Client().Transport.RoundTrip(req)
	if err != nil {
		return reply{Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(data), err}
}

// through sends a body by a transport of its own.
func through(ctx context.Context, rt http.RoundTripper, url, body, contentType string) reply {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return reply{Err: err}
	}
	if contentType == "" {
		contentType = "application/json"
	}
	req.Header.Set("Content-Type", contentType)
	res, err := rt.RoundTrip(req)
	if err != nil {
		return reply{Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(data), err}
}

func chat(srv *llmtest.Server, prompt string, header ...string) reply {
	return post(srv, "/chat/completions", chatBody(prompt, ""), header...)
}

// text is the content of the first choice of a chat.
func text(t *testing.T, r reply) string {
	t.Helper()
	require.NoError(t, r.Err)
	var out struct {
		Choices []struct {
			Message struct{ Content string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.Body), &out), r.Body)
	require.NotEmpty(t, out.Choices, r.Body)
	return out.Choices[0].Message.Content
}

// code is the code of an error body.
func code(t *testing.T, r reply) string {
	t.Helper()
	require.NoError(t, r.Err)
	var out struct{ Error struct{ Code string } }
	require.NoError(t, json.Unmarshal([]byte(r.Body), &out), r.Body)
	return out.Error.Code
}
