package sdks

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

var quiet = llmidem.WithLogger(slog.New(slog.DiscardHandler))

// direct runs a program without llmidem.
func direct(t *testing.T, p program, f llmtest.Fault) (out told) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(f)
		out = p.of(t.Context(), t, srv.Client())
	})
	return out
}

// over gives a program's http.Client over llmidem to fn.
func over(t *testing.T, p program, fn func(t *testing.T, srv *llmtest.Server, hc *http.Client), opts ...llmidem.Option) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory())
		client, err := llmidem.New(srv.ProviderOf(p.rules), append(opts, llmidem.WithTransport(srv.Transport()), quiet)...)
		require.NoError(t, err)
		fn(t, srv, &http.Client{Transport: client})
		require.NoError(t, client.Close(context.Background()))
	})
}

// What is recorded, and what is given again, reads as if it came from the service.
func TestReplayed(t *testing.T) {
	for _, p := range programs() {
		t.Run(p.name, func(t *testing.T) {
			want := direct(t, p, p.fault)
			require.NoError(t, want.err)
			require.NotEmpty(t, want.lines)
			over(t, p, func(t *testing.T, srv *llmtest.Server, hc *http.Client) {
				srv.Next(p.fault)
				for i, source := range []llmidem.Source{llmidem.SourceProvider, llmidem.SourceCache, llmidem.SourceCache} {
					ctx, receipt := llmidem.WithReceipt(t.Context())
					got := p.of(ctx, t, hc)
					require.NoError(t, got.err)
					require.Equal(t, want.lines, got.lines)
					r := receipt()
					require.Equal(t, source, r.Source)
					require.True(t, r.Complete && r.Kept, "%+v", r)
					require.Equal(t, i == 0, r.Attempts == 1)
					require.Equal(t, srv.Ledger().Keys(), []string{r.Key.String()})
				}
				require.Equal(t, 1, srv.Ledger().Executions())
			})
		})
	}
}

// What is joined while it is on its way does, too.
func TestJoined(t *testing.T) {
	for _, p := range programs() {
		t.Run(p.name, func(t *testing.T) {
			slow := p.fault.Delay(time.Second).Pace(time.Second)
			want := direct(t, p, slow)
			require.NoError(t, want.err)
			over(t, p, func(t *testing.T, srv *llmtest.Server, hc *http.Client) {
				srv.Next(slow)
				var wg sync.WaitGroup
				for i, source := range []llmidem.Source{llmidem.SourceProvider, llmidem.SourceCoalesced, llmidem.SourceCoalesced} {
					wg.Go(func() {
						time.Sleep(time.Duration(i) * 600 * time.Millisecond) // before and after the first event
						ctx, receipt := llmidem.WithReceipt(t.Context())
						got := p.of(ctx, t, hc)
						assert.NoError(t, got.err)
						assert.Equal(t, want.lines, got.lines)
						if i == 2 && !p.stream {
							source = llmidem.SourceCache // it is over by then
						}
						assert.Equal(t, source, receipt().Source)
					})
				}
				wg.Wait()
				require.Equal(t, 1, srv.Ledger().Executions())
				require.Len(t, srv.Ledger().Requests, 1)
			})
		})
	}
}
