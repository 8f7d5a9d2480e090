//go:build !race

package llmidem_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// What a call of 1 KB allocates beside the wire. The bounds are what was measured
// (40 and 78) and a little room.
func TestCallAllocatesLittle(t *testing.T) {
	b := newBench(t)
	answer := `{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`
	client, err := llmidem.New(providers.OpenAI(), quiet, llmidem.WithTransport(roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"Content-Type": {"application/json"}},
			ContentLength: int64(len(answer)), Body: io.NopCloser(strings.NewReader(answer))}, nil
	})))
	require.NoError(t, err)
	defer client.Close(context.Background())
	n := 0
	call := func(prompt string) {
		resp, err := client.Do(b.request("/chat/completions", chatBody(prompt)))
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, resp.Body)
		require.NoError(t, resp.Body.Close())
	}
	recalled := testing.AllocsPerRun(50, func() { call("the same") })
	sent := testing.AllocsPerRun(50, func() { n++; call(strings.Repeat("x", n)) })
	require.LessOrEqual(t, recalled, 45.0)
	require.LessOrEqual(t, sent, 85.0)
}
