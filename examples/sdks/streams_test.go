package sdks

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
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

// Who leaves in the middle is told so, and who asks then gets a whole answer.
func TestLeft(t *testing.T) {
	for _, p := range programs() {
		if !p.stream || strings.HasPrefix(p.name, "langchaingo") { // which may call that the end
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			slow := p.fault.Pace(time.Second)
			whole := direct(t, p, slow)
			leave := func(t *testing.T, hc *http.Client) told {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				leaving := p
				leaving.run = func(ctx context.Context, t *testing.T, hc *http.Client, note func(any)) error {
					return p.run(ctx, t, hc, func(v any) { note(v); cancel() })
				}
				return leaving.of(ctx, t, hc)
			}
			over(t, p, func(t *testing.T, srv *llmtest.Server, hc *http.Client) {
				srv.Next(slow, slow)
				got := leave(t, hc)
				require.ErrorIs(t, got.err, context.Canceled)
				require.Equal(t, whole.lines[0], got.lines[0])
				require.Less(t, len(got.lines), len(whole.lines))
				again := p.of(t.Context(), t, hc)
				require.NoError(t, again.err)
				require.Len(t, again.lines, len(whole.lines))
			})
		})
	}
}
