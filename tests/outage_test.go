package tests

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// outage is a client whose way to its store can be cut.
type outage struct {
	t     *testing.T
	redis *redis
	proxy *toxiproxy.Proxy
	api   *goopenai.Client
}

func newOutage(t *testing.T) (*outage, func() int) {
	t.Helper()
	o := &outage{t: t, redis: startRedis(t)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	at := l.Addr().String()
	require.NoError(t, l.Close())
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	o.proxy = toxiproxy.NewProxy(server, "redis", at, o.redis.addr)
	require.NoError(t, o.proxy.Start())
	t.Cleanup(o.proxy.Stop)
	s, closeStore, err := open(t.Context(), "redis://"+at)
	require.NoError(t, err)
	t.Cleanup(closeStore)
	client, err := llmidem.New(providers.OpenAI(), llmidem.WithStore(s), llmidem.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
	srv := service(t, 100*time.Millisecond)
	o.api = apiOf(client, srv.URL())
	return o, func() int { return srv.Ledger().Executions() }
}

// load asks every prompt, several at a time, until the function has returned, and
// says what it was told.
func (o *outage) load(patience time.Duration, meanwhile func()) []told {
	var mu sync.Mutex
	var all []told
	over := make(chan struct{})
	var callers sync.WaitGroup
	for g := range goroutines {
		callers.Go(func() {
			for i := g; ; i += goroutines {
				t := ask(o.t.Context(), o.api, prompt(i), patience)
				mu.Lock()
				all = append(all, t)
				mu.Unlock()
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	meanwhile()
	close(over)
	callers.Wait()
	return all
}

var outages = map[string]func(*outage){
	"restarted": func(o *outage) { o.redis.restart(time.Second) },
	"paused":    func(o *outage) { o.redis.freeze(3 * time.Second) },
	"cut": func(o *outage) {
		o.proxy.Stop()
		pause(o.t.Context(), 2*time.Second)
		require.NoError(o.t, o.proxy.Start())
	},
}

// The store goes away in the middle: no answer that was paid for is lost to its
// caller, and what is asked afterwards is recorded again.
func TestS13_RedisGoesAway(t *testing.T) {
	for name, happen := range outages {
		t.Run(name, func(t *testing.T) {
			o, executions := newOutage(t)
			all := o.load(patience, func() {
				pause(t.Context(), 500*time.Millisecond)
				happen(o)
				pause(t.Context(), 500*time.Millisecond)
			})
			a, unkept := answers{}, 0
			for _, told := range all {
				a.note(t, told)
				if !told.Kept {
					unkept++
				}
			}
			t.Logf("%d calls, %d executions, %d without a record", len(all), executions(), unkept)
			require.Equal(t, len(all), executions(), "each is another prompt, and is paid for once")
			before := executions()
			last := ask(t.Context(), o.api, "afterwards", patience)
			again := ask(t.Context(), o.api, "afterwards", patience)
			require.True(t, last.Kept, "the store is back")
			require.Equal(t, last.Answer, again.Answer)
			require.Equal(t, before+1, executions())
		})
	}
}

// No caller hangs past its context.
func TestS13_CallersLeaveWhileRedisIsAway(t *testing.T) {
	for name, happen := range outages {
		t.Run(name, func(t *testing.T) {
			o, _ := newOutage(t)
			const short = 300 * time.Millisecond
			began := time.Now()
			all := o.load(short, func() { happen(o) })
			took := time.Since(began)
			answered := 0
			for _, told := range all {
				if told.Err == "" {
					answered++
				}
			}
			t.Logf("%d calls in %v, %d answered", len(all), took, answered)
			// Whoever hung would have kept its goroutine from coming round again.
			require.Greater(t, len(all), goroutines*2)
		})
	}
}
