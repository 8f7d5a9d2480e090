package pgstore_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
)

// relay is a way to the server that can be cut.
type relay struct {
	t      *testing.T
	to     string
	lis    net.Listener
	mu     sync.Mutex
	refuse bool
	open   map[net.Conn]bool
	all    sync.WaitGroup
}

// newRelay returns a relay and the URL through it.
func newRelay(t *testing.T) (*relay, string) {
	t.Helper()
	u, err := url.Parse(serverURL(t))
	require.NoError(t, err)
	r := &relay{t: t, to: u.Host, open: map[net.Conn]bool{}}
	if u.Port() == "" {
		r.to = net.JoinHostPort(u.Hostname(), "5432")
	}
	r.lis, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	u.Host = r.lis.Addr().String()
	r.all.Go(r.run)
	t.Cleanup(func() { r.cut(true); _ = r.lis.Close(); r.all.Wait() })
	return r, u.String()
}

func (r *relay) run() {
	for {
		in, err := r.lis.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", r.to)
		r.mu.Lock()
		if err != nil || r.refuse {
			r.mu.Unlock()
			_ = in.Close()
			if out != nil {
				_ = out.Close()
			}
			continue
		}
		for from, to := range map[net.Conn]net.Conn{in: out, out: in} {
			r.open[from] = true
			r.all.Go(func() {
				_, _ = io.Copy(to, from)
				_, _ = to.Close(), from.Close()
			})
		}
		r.mu.Unlock()
	}
}

// cut breaks all connections, and lets none be made when refuse is set.
func (r *relay) cut(refuse bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = refuse
	for c := range r.open {
		_ = c.Close()
		delete(r.open, c)
	}
}

// TestS13_ServerGoes: while it is away every call fails, and nothing is taken for
// absent; when it is back, so are the records, the pool and the notices.
func TestS13_ServerGoes(t *testing.T) {
	ctx := context.Background()
	a, schema := newStore(t)
	r, u := newRelay(t)
	b := open(t, u, schema)
	id, _ := completed(t, b, "answer", long)
	flying, owner := held(t, a)
	notice := watched(t, b, flying)
	drain(notice)

	r.cut(true)
	_, err := b.Get(ctx, id)
	require.Error(t, err)
	_, err = b.Claim(ctx, id, store.Claim{Owner: store.NewOwner(), Lease: long})
	require.Error(t, err)
	_, err = store.Wait(ctx, b, flying)
	require.Error(t, err)

	r.cut(false)
	eventually(t, "the pool recovers", func() bool { rec, err := b.Get(ctx, id); return err == nil && string(rec.Body) == "answer" })
	receive(t, notice) // it listens again
	require.Equal(t, store.InFlight, get(t, b, flying).State)
	require.NoError(t, a.Settle(ctx, flying, owner, store.Outcome{State: store.Absent}))
	receive(t, notice)
}

// TestS13_QuietListener: a connection on which nothing is heard is asked now and
// then whether it is still there, and does not break by that.
func TestS13_QuietListener(t *testing.T) {
	name := "llmidem_" + random()
	other, schema := newStore(t)
	s := open(t, with(t, serverURL(t), "application_name", name), schema)
	pgstore.SetQuiet(s, 10*time.Millisecond)
	id, owner := held(t, s)
	notice := watched(t, s, id)
	drain(notice)
	type look struct {
		pid  int
		when time.Time
	}
	pool, seen := admin(t), map[look]bool{}
	eventually(t, "it asks", func() bool {
		var l look
		err := pool.QueryRow(context.Background(), "SELECT pid, query_start FROM pg_stat_activity WHERE application_name = $1 AND query LIKE '%ping%'", name).Scan(&l.pid, &l.when)
		if err == nil {
			seen[l] = true
		}
		return len(seen) > 3
	})
	pids := map[int]bool{}
	for l := range seen {
		pids[l.pid] = true
	}
	require.Len(t, pids, 1, "it is the same connection all the time")
	require.NoError(t, other.Settle(context.Background(), id, owner, store.Outcome{State: store.Absent}))
	receive(t, notice)
}

// TestS13_BackendsAreTerminated is what a restart of the server looks like.
func TestS13_BackendsAreTerminated(t *testing.T) {
	ctx, pool := context.Background(), admin(t)
	name := "llmidem_" + random()
	s := open(t, with(t, serverURL(t), "application_name", name), newSchema(t))
	id, _ := completed(t, s, "answer", long)
	for range 3 {
		do(t, pool, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", name)
		eventually(t, "the pool recovers", func() bool { rec, err := s.Get(ctx, id); return err == nil && string(rec.Body) == "answer" })
	}
}
