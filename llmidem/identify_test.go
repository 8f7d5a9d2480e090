package llmidem_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// Same user and content in another order of parameters is the same call.
func TestIdentity_WhatIsOneCall(t *testing.T) {
	b := newBench(t)
	texts := []string{
		`{"model":"m","temperature":1.0,"messages":[{"role":"user","content":"x"}],"user":"u"}`,
		`{ "user":"u", "messages":[{"content":"\u0078","role":"user"}],"temperature":1,"model":"m"}`,
		`{"model":"m","temperature":1e0,"messages":[{"role":"user","content":"x"}],"user":"u","timestamp":17,"trace_id":"t"}`,
	}
	for _, text := range texts {
		b.read(b.client.RoundTrip(b.request("/chat/completions", text)))
	}
	require.Equal(t, 1, b.srv.Ledger().Executions())
}

// Two credentials, hosts, users, deployments and api versions: an execution each.
func TestK15_WhatKeepsCallsApart(t *testing.T) {
	b := newBench(t)
	text := chatBody("x")
	send := func(change func(*http.Request)) exchanged {
		req := b.request("/chat/completions", text)
		change(req)
		return b.read(b.client.RoundTrip(req))
	}
	changes := map[string]func(*http.Request){
		"scheme":        func(r *http.Request) { r.URL.Scheme = "https" },
		"credential":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer other") },
		"host":          func(r *http.Request) { r.URL.Host = "other.invalid" },
		"port":          func(r *http.Request) { r.URL.Host += ":8080" },
		"path":          func(r *http.Request) { r.URL.Path = "/proxy" + r.URL.Path },
		"api version":   func(r *http.Request) { r.URL.RawQuery = "api-version=2" },
		"organization":  func(r *http.Request) { r.Header.Set("OpenAI-Organization", "org-1") },
		"user":          func(r *http.Request) { *r = *r.WithContext(llmidem.WithCall(r.Context(), llmidem.User("u"))) },
		"scope":         func(r *http.Request) { *r = *r.WithContext(llmidem.WithCall(r.Context(), llmidem.Scope("s"))) },
		"scope is user": func(r *http.Request) { *r = *r.WithContext(llmidem.WithCall(r.Context(), llmidem.Scope("u"))) },
		"occurrence":    func(r *http.Request) { *r = *r.WithContext(llmidem.WithCall(r.Context(), llmidem.Occurrence(1))) },
		"fresh":         func(r *http.Request) { *r = *r.WithContext(llmidem.WithCall(r.Context(), llmidem.Fresh())) },
	}
	none := func(*http.Request) {}
	require.Equal(t, "provider", send(none).source)
	for name, change := range changes {
		require.Equal(t, "provider", send(change).source, name)
		require.Equal(t, "cache", send(none).source, "in between") // a client remembers the last endpoint
	}
	for name, change := range changes {
		if name != "fresh" {
			require.Equal(t, "cache", send(change).source, name)
		}
	}
	require.Equal(t, "cache", send(func(r *http.Request) { r.URL.RawQuery = "sig=secret&X-Amz-Signature=s" }).source,
		"a signature in the query makes no other record")
	require.Equal(t, "provider", send(func(r *http.Request) { r.URL.RawQuery = "key=another-tenant" }).source)
}

func TestK15b_AzureDeployments(t *testing.T) {
	srv := llmtest.New(t)
	client, err := llmidem.New(providers.AzureOpenAI(), quiet)
	require.NoError(t, err)
	defer client.Close(context.Background())
	api := func(deployment string) *goopenai.Client {
		cfg := openai.DefaultAzureConfig("azure-key", srv.BaseURL())
		cfg.AzureModelMapperFunc = func(string) string { return deployment }
		api := goopenai.New(cfg, client)
		require.NoError(t, api.Err())
		return api
	}
	for i, deployment := range []string{"a", "b", "a", "b"} {
		res, err := llmidem.Call(context.Background(), api(deployment).CreateChatCompletion, chat("x"))
		require.NoError(t, err)
		require.Equal(t, i < 2, res.Receipt.Paid())
	}
	require.Equal(t, 2, srv.Ledger().Executions())
}

func TestK10_CallersOwnHeader(t *testing.T) {
	b := newBench(t)
	req := b.request("/chat/completions", chatBody("x"))
	req.Header["idempotency-KEY"] = []string{`"mine-1"`}
	got := b.read(b.client.RoundTrip(req))
	require.Equal(t, "mine-1", got.header.Get("Idempotency-Key"))
	sent := b.srv.Ledger().Requests[0].Header
	require.Equal(t, []string{"mine-1"}, sent.Values("Idempotency-Key"))
	//lint:ignore SA1008 a name that net/http would not write so is what is tested
	require.Equal(t, []string{`"mine-1"`}, req.Header["idempotency-KEY"], "the caller's request is not changed")

	req = b.request("/chat/completions", chatBody("another"))
	req.Header.Set("Idempotency-Key", "mine-1")
	_, err := b.client.RoundTrip(req)
	require.Equal(t, llmidem.CodeConflict, llmidem.CodeOf(err))

	req = b.request("/chat/completions", chatBody("x")).WithContext(llmidem.WithCall(context.Background(), llmidem.Key("other")))
	req.Header.Set("Idempotency-Key", "mine-1")
	_, err = b.client.RoundTrip(req)
	require.Equal(t, llmidem.CodeConflict, llmidem.CodeOf(err))
}

func TestK9_CallersOwnKey(t *testing.T) {
	b := newBench(t)
	for name, key := range map[string]string{"empty": "", "blank": " ", "too long": strings.Repeat("k", 256), "non-ASCII": "schlüssel",
		"line feed": "a\nb", "quote": `a"b`, "comma": "a,b"} {
		_, err := b.ask(context.Background(), "x", llmidem.Key(key))
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err), name)
	}
	require.Empty(t, b.srv.Ledger().Bodies())
	require.Equal(t, "order-1", b.mustAsk("x", llmidem.Key("order-1")).Receipt.Key.String())
}

// K12: the request is the caller's to change as soon as the call has begun.
func TestK12_RequestChangedAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Status(503).RetryAfter(time.Second), llmtest.OK())
		text := []byte(chatBody("unchanged"))
		req := b.request("/chat/completions", "")
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		done := make(chan exchanged)
		go func() { done <- b.read(b.client.RoundTrip(req)) }()
		synctest.Wait() // it waits for its second attempt
		copy(text, bytes.Repeat([]byte("#"), len(text)))
		req.Header.Set("Authorization", "Bearer changed")
		req.Header.Set("Idempotency-Key", "changed")
		req.URL.Path = "/changed"
		<-done
		seen := b.srv.Ledger()
		require.Len(t, seen.Requests, 2)
		require.Equal(t, seen.Bodies()[0], seen.Bodies()[1])
		require.Equal(t, chatBody("unchanged"), string(seen.Bodies()[1]))
		require.Equal(t, seen.Requests[0].Path, seen.Requests[1].Path)
		require.Equal(t, "Bearer sk-test", seen.Requests[1].Header.Get("Authorization"))
		require.Equal(t, seen.Requests[0].Key, seen.Requests[1].Key)
	})
}

// A request without a canonical form is an error before anything is sent.
func TestRefused_NoCanonicalForm(t *testing.T) {
	b := newBench(t)
	for code, text := range map[string]string{
		"invalid_json": `{"model":"m",}`, "duplicate_member": `{"model":"m","a":1,"a":2}`, "lone_surrogate": `{"model":"m","a":"\ud800"}`,
		"not_an_object": `[]`, "number_overflow": `{"model":"m","a":1e999}`, "invalid_utf8": "{\"model\":\"m\",\"a\":\"\xff\"}",
		"too_deep": `{"model":"m","a":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`,
	} {
		_, err := b.client.RoundTrip(b.request("/chat/completions", text))
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err), code)
		var refusal *identity.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, code, string(refusal.Code))
	}
	require.Empty(t, b.srv.Ledger().Requests)
}

// What is no inference call, or names no model, passes untouched.
func TestK20_PassesUntouched(t *testing.T) {
	for name, make := range map[string]func(b *bench) *http.Request{
		"another route": func(b *bench) *http.Request { return b.request("/files", `{"a":1}`) },
		"another method": func(b *bench) *http.Request {
			req := b.request("/chat/completions", "")
			req.Method, req.Body, req.ContentLength = http.MethodGet, nil, 0
			return req
		},
		"no model": func(b *bench) *http.Request { return b.request("/chat/completions", `{"messages":[]}`) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			req := make(b)
			want := ""
			if req.Body != nil {
				text, err := req.GetBody()
				require.NoError(t, err)
				raw, err := io.ReadAll(text)
				require.NoError(t, err)
				want = string(raw)
			}
			for range 2 {
				if req.GetBody != nil {
					req.Body, _ = req.GetBody()
				}
				got := b.read(b.client.RoundTrip(req))
				require.Empty(t, got.header.Get("Idempotency-Key"))
				require.Empty(t, got.source)
			}
			seen := b.srv.Ledger()
			require.Len(t, seen.Requests, 2)
			require.Equal(t, want, string(seen.Requests[0].Body))
			require.Empty(t, seen.Requests[0].Header.Get("Idempotency-Key"))
			require.Len(t, b.spans.Spans(), 2)
			_, said := b.spans.Spans()[0].Attr("llmidem.passed_through")
			require.True(t, said, "the span says so")

			strict := b.newClient(llmidem.Config{Strict: true})
			_, err := strict.RoundTrip(make(b))
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
			require.Len(t, b.srv.Ledger().Requests, 2)
		})
	}
}

// The transport's errors of what passes are not wrapped.
func TestK20_ErrorsOfWhatPasses(t *testing.T) {
	broken := errors.New("broken")
	b := newBench(t)
	client := b.client.Over(roundTrip(func(*http.Request) (*http.Response, error) { return nil, broken }))
	_, err := client.RoundTrip(b.request("/files", "{}"))
	require.Equal(t, broken, err)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestBody_LimitsAndFailures(t *testing.T) {
	b := newBench(t, llmidem.Config{MaxBody: 100})
	_, err := b.client.RoundTrip(b.request("/chat/completions", chatBody(strings.Repeat("x", 100))))
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
	require.ErrorContains(t, err, "MaxBody")

	req := b.request("/chat/completions", "")
	closed := false
	req.Body = &flakyBody{close: func() { closed = true }}
	req.ContentLength = -1
	_, err = b.client.RoundTrip(req)
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.True(t, closed, "a RoundTripper closes the body, also on errors")

	short := b.request("/chat/completions", chatBody("x"))
	short.ContentLength += 5
	_, err = b.client.RoundTrip(short)
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
	require.Empty(t, b.srv.Ledger().Requests)
}

type flakyBody struct{ close func() }

func (f *flakyBody) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (f *flakyBody) Close() error             { f.close(); return nil }

// R8: a body that can be read once is sent again from our copy.
func TestR8_BodyThatCanBeReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Status(503), llmtest.OK())
		req := b.request("/chat/completions", "")
		req.Body, req.GetBody, req.ContentLength = io.NopCloser(io.MultiReader(body(chatBody("once")))), nil, -1
		require.Equal(t, 200, b.read(b.client.RoundTrip(req)).status)
		seen := b.srv.Ledger()
		require.Equal(t, []string{chatBody("once"), chatBody("once")}, []string{string(seen.Bodies()[0]), string(seen.Bodies()[1])})
		_, err := b.client.RoundTrip(b.request("/chat/completions", ""))
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err), "no body")
	})
}

// GetBody is nil towards the transport: net/http must not send by itself.
func TestR7_NoGetBodyTowardsTheTransport(t *testing.T) {
	b := newBench(t)
	var saw *http.Request
	client := b.client.Over(roundTrip(func(req *http.Request) (*http.Response, error) {
		saw = req
		return b.srv.Transport().RoundTrip(req)
	}))
	b.read(client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
	require.Nil(t, saw.GetBody)
	require.NotNil(t, saw.Body)
	require.EqualValues(t, len(chatBody("x")), saw.ContentLength)
}

func TestExclude(t *testing.T) {
	b := newBench(t, llmidem.Config{ExcludedFields: []string{"metadata.attempt"}})
	send := func(text string, opts ...llmidem.CallOption) string {
		req := b.request("/chat/completions", text)
		return b.read(b.client.RoundTrip(req.WithContext(llmidem.WithCall(req.Context(), opts...)))).source
	}
	require.Equal(t, "provider", send(`{"model":"m","messages":[{"role":"user","content":"x"}],"metadata":{"attempt":"1","team":"x"}}`))
	require.Equal(t, "cache", send(`{"model":"m","messages":[{"role":"user","content":"x"}],"metadata":{"attempt":"2","team":"x"}}`))
	require.Equal(t, "provider", send(`{"model":"m","messages":[{"role":"user","content":"x"}],"metadata":{"attempt":"2","team":"x"},"trace_id":"t"}`), "the list replaces the default")
	require.Equal(t, "cache", send(`{"model":"m","messages":[{"role":"user","content":"x"}],"metadata":{"attempt":"3","team":"x"},"trace_id":"t2"}`, llmidem.Exclude("trace_id")), "the option adds to the list")
	_, err := b.ask(context.Background(), "x", llmidem.Exclude("model"))
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
}

func TestProviderHeaders(t *testing.T) {
	b := newBench(t)
	p := b.srv.Provider()
	p.Headers = http.Header{"x-forward": {"idempotency-key"}, "X-Set": {"default"}}
	client, err := llmidem.New(p, llmidem.WithTransport(b.srv.Transport()), quiet)
	require.NoError(t, err)
	defer client.Close(context.Background())
	p.Headers.Set("X-Set", "changed after New")
	req := b.request("/chat/completions", chatBody("x"))
	b.read(client.RoundTrip(req))
	sent := b.srv.Ledger().Requests[0].Header
	require.Equal(t, "idempotency-key", sent.Get("X-Forward"))
	require.Equal(t, "default", sent.Get("X-Set"))
	require.Empty(t, req.Header.Get("X-Set"), "the caller's request is not changed")
}

func TestK11_KeyForms(t *testing.T) {
	ns := [16]byte{1}
	for name, tt := range map[string]struct {
		keys llmidem.Keys
		opts []llmidem.Option
		want string
	}{
		"bare":    {llmidem.Keys{}, nil, `^idem_[0-9a-f]{64}$`},
		"quoted":  {llmidem.Keys{Quoted: true}, nil, `^"idem_[0-9a-f]{64}"$`},
		"uuid":    {llmidem.Keys{MaxLen: 36}, []llmidem.Option{llmidem.WithScheme(identity.UUID5(ns))}, `^[0-9a-f-]{36}$`},
		"prefix":  {llmidem.Keys{}, []llmidem.Option{llmidem.Config{KeyPrefix: "acme_"}}, `^acme_[0-9a-f]{64}$`},
		"hmac":    {llmidem.Keys{}, []llmidem.Option{llmidem.WithScheme(identity.HMAC("idem_", bytes.Repeat([]byte("s"), 32)))}, `^idem_[0-9a-f]{64}$`},
		"header":  {llmidem.Keys{Header: "X-Request-Key"}, nil, `^idem_`},
		"renamed": {llmidem.Keys{Header: "X-Request-Key"}, []llmidem.Option{llmidem.Config{HeaderName: "x-other-key"}}, `^idem_`},
	} {
		t.Run(name, func(t *testing.T) {
			b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(tt.keys)), tt.opts...)
			b.mustAsk("x")
			header := map[string]string{"header": "X-Request-Key", "renamed": "X-Other-Key"}[name]
			if header == "" {
				header = "Idempotency-Key"
			}
			require.Regexp(t, tt.want, b.srv.Ledger().Requests[0].Header.Get(header))
			require.Equal(t, llmidem.SourceCache, b.mustAsk("x").Receipt.Source)
		})
	}
}

func TestForLegacy_SendsNoKey(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	client, err := llmidem.New(srv.Provider(), llmidem.ForLegacy(), llmidem.WithTransport(srv.Transport()), quiet)
	require.NoError(t, err)
	defer client.Close(context.Background())
	b := &bench{t: t, srv: srv, client: client}
	first := b.read(client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
	require.NotEmpty(t, first.header.Get("Idempotency-Key"), "the answer says which key it is found by")
	require.Empty(t, srv.Ledger().Requests[0].Header.Get("Idempotency-Key"))
	require.Equal(t, "cache", b.read(client.RoundTrip(b.request("/chat/completions", chatBody("x")))).source)
}
