package goopenai_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, p llmidem.Provider) *llmidem.Client {
	t.Helper()
	client, err := llmidem.New(p, llmidem.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
	return client
}

var question = openai.ChatCompletionRequest{Model: "gpt-4o-mini", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "hi"}}}

// A config that cannot be honoured is told at start-up and by every call.
func TestErr(t *testing.T) {
	client := newClient(t, providers.OpenAI())
	azure := newClient(t, providers.AzureOpenAI())
	plain := openai.DefaultConfig("t")
	with := func(doer openai.HTTPDoer) openai.ClientConfig {
		cfg := plain
		cfg.HTTPClient = doer
		return cfg
	}
	unknown := plain
	unknown.APIType = "MARS"
	for name, tt := range map[string]struct {
		cfg    openai.ClientConfig
		client *llmidem.Client
		says   string
	}{
		"no client":              {plain, nil, "llmidem.New"},
		"azure config":           {openai.DefaultAzureConfig("k", "https://x.openai.azure.com"), client, "providers.AzureOpenAI"},
		"azure client":           {plain, azure, "DefaultAzureConfig"},
		"unknown API":            {unknown, client, "MARS"},
		"wrapped already":        {with(client), client, "already"},
		"wrapped in http.Client": {with(&http.Client{Transport: client}), client, "already"},
	} {
		t.Run(name, func(t *testing.T) {
			api := goopenai.New(tt.cfg, tt.client)
			require.ErrorContains(t, api.Err(), tt.says)
			_, err := api.CreateChatCompletion(context.Background(), question)
			require.ErrorIs(t, err, api.Err())
			_, err = api.CreateChatCompletionStream(context.Background(), question)
			require.ErrorIs(t, err, api.Err())
		})
	}
	require.NoError(t, goopenai.New(plain, client).Err())
	require.NoError(t, goopenai.New(openai.DefaultAzureConfig("k", "https://x.openai.azure.com"), azure).Err())
}

type counting struct {
	next openai.HTTPDoer
	n    int
}

func (c *counting) Do(req *http.Request) (*http.Response, error) { c.n++; return c.next.Do(req) }

// The user's HTTPClient is what sends, whatever it is.
func TestNew_PutsTheHTTPClientUnderneath(t *testing.T) {
	srv := llmtest.New(t)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	base, err := url.Parse(srv.URL())
	require.NoError(t, err)
	jar.SetCookies(base, []*http.Cookie{{Name: "session", Value: "1"}})
	doer := &counting{next: srv.Client()}
	transport := &counting{next: srv.Client()}
	for name, hc := range map[string]openai.HTTPDoer{
		"doer":        doer,
		"transport":   &http.Client{Transport: roundTripper{transport}},
		"with a jar":  &http.Client{Transport: srv.Client().Transport, Jar: jar},
		"nil":         nil,
		"zero":        &http.Client{},
		"nil pointer": (*http.Client)(nil),
	} {
		t.Run(name, func(t *testing.T) {
			srv.Reset()
			cfg := openai.DefaultConfig("t")
			cfg.BaseURL, cfg.HTTPClient = srv.URL(), hc
			api := goopenai.New(cfg, newClient(t, srv.Provider()))
			require.NoError(t, api.Err())
			res, err := llmidem.Call(context.Background(), api.CreateChatCompletion, question)
			require.NoError(t, err)
			require.True(t, res.Receipt.Paid())
			require.Equal(t, name == "with a jar", srv.Ledger().Requests[0].Header.Get("Cookie") != "")
		})
	}
	require.Equal(t, 1, doer.n)
	require.Equal(t, 1, transport.n)
}

type roundTripper struct{ openai.HTTPDoer }

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return r.Do(req) }

// A timeout of the user's client bounds each attempt.
func TestNew_TimeoutOfTheHTTPClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(llmtest.Hang(), llmtest.OK())
		cfg := openai.DefaultConfig("t")
		cfg.BaseURL, cfg.HTTPClient = srv.URL(), &http.Client{Timeout: time.Second, Transport: srv.Transport()}
		api := goopenai.New(cfg, newClient(t, srv.Provider()))
		res, err := llmidem.Call(context.Background(), api.CreateChatCompletion, question)
		require.NoError(t, err)
		require.Equal(t, 2, res.Receipt.Attempts)
	})
}

// Redirects are not followed beneath, where nothing would check their origin.
func TestNew_RedirectsAreNotFollowedBeneath(t *testing.T) {
	elsewhere, srv := llmtest.New(t), llmtest.New(t)
	for i, hc := range []*http.Client{{Timeout: time.Minute}, {}, {Timeout: time.Minute}, {}} {
		status := []int{302, 302, 307, 307}[i] // 302 needs no body, so that net/http would follow it
		srv.Next(llmtest.Redirect(status, elsewhere.URL()+"/chat/completions"))
		cfg := openai.DefaultConfig("t")
		cfg.BaseURL, cfg.HTTPClient = srv.URL(), hc
		api := goopenai.New(cfg, newClient(t, srv.Provider()))
		_, err := llmidem.Call(context.Background(), api.CreateChatCompletion, question)
		require.Equal(t, llmidem.CodeRedirect, llmidem.CodeOf(err))
		require.Empty(t, elsewhere.Ledger().Requests)
	}
	http.DefaultClient.CloseIdleConnections()
}

// A stream with more keep-alive lines than go-openai's limit of 300 is read.
func TestNew_RaisesEmptyMessagesLimit(t *testing.T) {
	srv := llmtest.New(t)
	comments := ""
	for range 1000 {
		comments += ": keep-alive\n\n"
	}
	srv.Next(llmtest.Reply("text/event-stream", comments+`data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n"))
	cfg := openai.DefaultConfig("t")
	cfg.BaseURL = srv.URL()
	api := goopenai.New(cfg, newClient(t, srv.Provider()))
	stream, err := api.CreateChatCompletionStream(context.Background(), question)
	require.NoError(t, err)
	defer stream.Close()
	chunk, err := stream.Recv()
	require.NoError(t, err)
	require.Equal(t, "hi", chunk.Choices[0].Delta.Content)
	_, err = stream.Recv()
	require.ErrorIs(t, err, io.EOF)
}

func Example() {
	srv := llmtest.Start()
	defer srv.Close()
	client, err := llmidem.New(srv.Provider(), llmidem.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		panic(err)
	}
	defer client.Close(context.Background())
	cfg := openai.DefaultConfig("sk-…")
	cfg.BaseURL = srv.URL()
	api := goopenai.New(cfg, client)
	if err := api.Err(); err != nil {
		panic(err)
	}
	for range 2 {
		res, err := llmidem.Call(context.Background(), api.CreateChatCompletion, question)
		if err != nil {
			panic(err)
		}
		fmt.Println(res.Receipt.Source, res.Receipt.Attempts, res.Value.Choices[0].Message.Content)
	}
	fmt.Println("executions:", srv.Ledger().Executions())
	// Output:
	// provider 1 Answer to: hi
	// cache 0 Answer to: hi
	// executions: 1
}
