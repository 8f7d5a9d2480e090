package llmidem_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// TestAddress: it is where the record of the call lies, and makes none.
func TestAddress(t *testing.T) {
	b := newBench(t)
	address := func(ctxOpts ...llmidem.CallOption) string {
		req := b.request("/chat/completions", chatBody("q"))
		a, err := b.client.Address(req.WithContext(llmidem.WithCall(req.Context(), ctxOpts...)))
		require.NoError(t, err)
		return a
	}
	first := address()
	require.Equal(t, first, address())
	require.NotEqual(t, first, address(llmidem.Occurrence(1)))
	require.NotEqual(t, first, address(llmidem.Scope("s")))
	require.Empty(t, b.srv.Ledger().Requests)
	req := b.request("/chat/completions", chatBody("q"))
	ctx, receipt := llmidem.WithReceipt(req.Context())
	require.Equal(t, 200, b.read(b.client.RoundTrip(req.WithContext(ctx))).status)
	require.Equal(t, first, receipt().Address)

	for says, req := range map[string]*http.Request{
		"no inference call (no_such_route)": b.request("/models", "{}"),
		"names no model":                    b.request("/chat/completions", "{}"),
		"no canonical form":                 b.request("/chat/completions", `{"model":"m","model":"n"}`),
		"the call has no record":            b.request("/responses", `{"model":"m","background":true}`),
		"no URL with a host":                {Method: "POST", Body: http.NoBody},
		"a call of a run":                   b.request("/chat/completions", chatBody("q")).WithContext(llmidem.WithRun(t.Context(), "r")),
	} {
		_, err := b.client.Address(req)
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
		require.ErrorContains(t, err, says)
	}
	require.Nil(t, b.client.BatchStore())
}

// TestForBatchKeepsWithoutEnd: neither an answer nor a doubt expires.
func TestForBatchKeepsWithoutEnd(t *testing.T) {
	m := lastingStore(t)
	b := newBench(t, llmidem.ForBatch(m))
	res := b.mustAsk("q")
	rec, err := m.Get(t.Context(), res.Receipt.Address)
	require.NoError(t, err)
	require.Equal(t, store.Completed, rec.State)
	require.Zero(t, rec.Left)
	ctx, end := b.client.StartBatch(t.Context(), 7)
	_, err = b.ask(llmidem.WithRun(ctx, "r"), "q")
	require.ErrorContains(t, err, "outside of WithRun")
	end(err)
	spans := b.spans.With("llmidem.batch.size", "7")
	require.Len(t, spans, 1)
	require.True(t, strings.HasPrefix(spans[0].Description, "invalid"))
}
