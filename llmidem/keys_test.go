package llmidem_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// countedStore counts what is asked of a store.
type countedStore struct {
	sharedMemory
	ops atomic.Int64
}

func (c *countedStore) Claim(ctx context.Context, id string, claim store.Claim) (store.Record, error) {
	c.ops.Add(1)
	return c.sharedMemory.Claim(ctx, id, claim)
}

func (c *countedStore) Renew(ctx context.Context, id string, owner store.Owner, lease time.Duration) error {
	c.ops.Add(1)
	return c.sharedMemory.Renew(ctx, id, owner, lease)
}

func (c *countedStore) Settle(ctx context.Context, id string, owner store.Owner, o store.Outcome) error {
	c.ops.Add(1)
	return c.sharedMemory.Settle(ctx, id, owner, o)
}

func (c *countedStore) Get(ctx context.Context, id string) (store.Record, error) {
	c.ops.Add(1)
	return c.sharedMemory.Get(ctx, id)
}

// A request that is no call of ours asks nothing of the store; strictly, it is
// refused.
func TestK8_NoIdentityNoStore(t *testing.T) {
	for name, tt := range map[string]struct {
		route, body string
		cfg         llmidem.Config
	}{
		"another route": {"/files", `{"a":1}`, llmidem.Config{}}, "no model": {"/chat/completions", `{"messages":[]}`, llmidem.Config{}},
		"too large": {"/chat/completions", chatBody(strings.Repeat("x", 1000)), llmidem.Config{MaxBody: 1000, PassOverMaxBody: true}},
	} {
		t.Run(name, func(t *testing.T) {
			memory, err := store.NewMemory(store.MemoryConfig{})
			require.NoError(t, err)
			s := &countedStore{sharedMemory: sharedMemory{memory}}
			b := newBench(t, tt.cfg, llmidem.WithStore(s), llmidem.WithTenant("t"))
			b.read(b.client.RoundTrip(b.request(tt.route, tt.body)))
			require.Zero(t, s.ops.Load())
			require.Len(t, b.srv.Ledger().Requests, 1)

			tt.cfg.PassOverMaxBody, tt.cfg.Strict = false, true
			strict := b.newClient(tt.cfg, llmidem.WithStore(s), llmidem.WithTenant("t"))
			_, err = strict.RoundTrip(b.request(tt.route, tt.body))
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
			require.Zero(t, s.ops.Load())
			require.Len(t, b.srv.Ledger().Requests, 1)

			b.mustAsk("x") // it does count
			require.Positive(t, s.ops.Load())
		})
	}
}

// A key that the provider does not take is refused before anything is sent: that of
// a scheme by New, the caller's own by its call.
func TestK11_KeyTheProviderDoesNotTake(t *testing.T) {
	for name, tt := range map[string]struct {
		keys llmidem.Keys
		own  string
	}{
		"too long": {llmidem.Keys{MaxLen: 40}, strings.Repeat("k", 41)},
		"pattern":  {llmidem.Keys{Pattern: "[a-f0-9-]+"}, "order_1"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(tt.keys))
			_, err := llmidem.New(srv.Provider(), quiet)
			require.ErrorContains(t, err, "UUID5")
			b := benchOver(t, srv, llmidem.WithScheme(identity.UUID5([16]byte{1})))
			_, err = b.ask(context.Background(), "x", llmidem.Key(tt.own))
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
			req := b.request("/chat/completions", chatBody("x"))
			req.Header.Set("Idempotency-Key", tt.own)
			_, err = b.client.RoundTrip(req)
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
			require.Empty(t, srv.Ledger().Requests)
			b.mustAsk("x", llmidem.Key("abc-1"))
		})
	}
}

// apart sends requests that differ as the changes say: each is a call of its own.
func apart(t *testing.T, changes ...func(*http.Request)) {
	t.Helper()
	b := newBench(t, llmidem.WithTenant("t"))
	for _, again := range []bool{false, true} {
		for i, change := range changes {
			req := b.request("/chat/completions", chatBody("x"))
			change(req)
			got := b.read(b.client.RoundTrip(req))
			require.Equal(t, again, got.source == "cache", "%d", i)
		}
	}
	seen := b.srv.Ledger()
	require.Len(t, seen.Requests, len(changes))
	require.Len(t, seen.Keys(), 1, "the logical call keeps its key when it moves")
}

func TestK15a_Host(t *testing.T) {
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.URL.Host = h } }
	apart(t, host("one.invalid"), host("two.invalid"), host("one.invalid:8080"))
	b := newBench(t)
	for i, h := range []string{"one.invalid", "ONE.invalid", "one.invalid:80"} {
		req := b.request("/chat/completions", chatBody("x"))
		req.URL.Host = h
		require.Equal(t, i > 0, b.read(b.client.RoundTrip(req)).source == "cache", h)
	}
}

func TestK15c_APIVersion(t *testing.T) {
	query := func(q string) func(*http.Request) { return func(r *http.Request) { r.URL.RawQuery = q } }
	apart(t, query(""), query("api-version=2024-10-21"), query("api-version=2025-03-01-preview"), query("api-version=2024-10-21&x=1"))
	b := newBench(t)
	for i, q := range []string{"a=1&b=2", "b=2&a=1"} {
		req := b.request("/chat/completions", chatBody("x"))
		req.URL.RawQuery = q
		require.Equal(t, i > 0, b.read(b.client.RoundTrip(req)).source == "cache", "its order does not count")
	}
}

// Gemini answers a stream in two forms by its query; a credential in the query is
// none of the call.
func TestK15d_GeminiAltSSE(t *testing.T) {
	events := `data: {"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}]}` + "\n\n"
	sends := 0
	rt := roundTrip(func(req *http.Request) (*http.Response, error) {
		sends++
		kind, text := "application/json", `[{"candidates":[{"finishReason":"STOP"}]}]`
		if req.URL.Query().Get("alt") == "sse" {
			kind, text = "text/event-stream", events
		}
		return &http.Response{StatusCode: 200, ProtoMajor: 2, Header: http.Header{"Content-Type": {kind}}, ContentLength: -1, Body: io.NopCloser(strings.NewReader(text))}, nil
	})
	client, err := llmidem.New(llmidem.Provider{Name: "p", Rules: identity.Gemini()}, quiet, llmidem.WithTransport(rt), llmidem.WithTenant("t"))
	require.NoError(t, err)
	defer client.Close(context.Background())
	b := &bench{t: t}
	for i, tt := range []struct {
		query, source string
	}{{"alt=sse&key=one", "provider"}, {"", "provider"}, {"key=two&alt=sse", "cache"}, {"alt=json", "provider"}} {
		req, err := http.NewRequest(http.MethodPost, "https://api.invalid/v1beta/models/g:streamGenerateContent?"+tt.query, body(`{"contents":[]}`))
		require.NoError(t, err)
		got := b.read(client.RoundTrip(req))
		require.Equal(t, tt.source, got.source, "%d", i)
		require.Equal(t, strings.Contains(tt.query, "sse"), got.body == events)
	}
	require.Equal(t, 3, sends)
}

// An intended repeat is another call, with a key of its own, and it is found again.
func TestK16_IntendedRepeat(t *testing.T) {
	b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()))
	texts, keys := map[string]bool{}, map[string]bool{}
	for round := range 2 {
		for n := range uint64(3) {
			res := b.mustAsk("draw", llmidem.Occurrence(n))
			require.Equal(t, round == 0, res.Receipt.Paid())
			texts[res.Value.Choices[0].Message.Content], keys[res.Receipt.Key.String()] = true, true
		}
	}
	require.Len(t, texts, 3)
	require.Len(t, keys, 3)
	require.Equal(t, b.mustAsk("draw").Receipt.Key, b.mustAsk("draw", llmidem.Occurrence(0)).Receipt.Key, "the first is the one without a number")
}
