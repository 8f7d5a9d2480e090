package pgstore_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
)

// watched watches an id.
func watched(t *testing.T, s *pgstore.Store, id string) <-chan struct{} {
	t.Helper()
	notice, stop, err := s.Watch(context.Background(), id)
	require.NoError(t, err)
	t.Cleanup(stop)
	return notice
}

// silent requires that no notice of an id comes, by waiting for one of another
// that is sent after it would have been.
func silent(t *testing.T, teller, s *pgstore.Store, notice <-chan struct{}) {
	t.Helper()
	id, owner := held(t, teller)
	marker := watched(t, s, id)
	drain(marker)
	require.NoError(t, teller.Settle(context.Background(), id, owner, store.Outcome{State: store.Absent}))
	receive(t, marker)
	select {
	case <-notice:
		t.Error("a notice without cause")
	default:
	}
}

// TestS3_NoticeOfEveryEnd has nobody ask: nothing but the notice can wake.
func TestS3_NoticeOfEveryEnd(t *testing.T) {
	ctx := context.Background()
	a, schema := newStore(t, pgstore.WithMaxEntry(limit))
	b := open(t, serverURL(t), schema)
	elsewhere, _ := newStore(t)
	for _, o := range []store.Outcome{
		{State: store.Completed, Body: []byte("x")}, {State: store.Unknown}, {State: store.Absent}, {State: store.Completed, Body: make([]byte, limit+1)},
	} {
		id, owner := held(t, a)
		here, there, apart := watched(t, a, id), watched(t, b, id), watched(t, elsewhere, id)
		drain(apart)
		drain(here)
		drain(there)
		require.NoError(t, a.Renew(ctx, id, owner, long))
		silent(t, a, b, there)
		if err := a.Settle(ctx, id, owner, o); len(o.Body) <= limit {
			require.NoError(t, err)
		}
		receive(t, here)
		receive(t, there)
		silent(t, elsewhere, elsewhere, apart)
		require.ErrorIs(t, a.Settle(ctx, id, owner, o), store.ErrLost)
	}
}

// TestS3_NoticeOfAClaimYetToCome: who watches need not see the claim first.
func TestS3_NoticeOfAClaimYetToCome(t *testing.T) {
	a, schema := newStore(t)
	b := open(t, serverURL(t), schema)
	id := newID()
	notice := watched(t, b, id)
	drain(notice)
	for range 3 {
		_, owner := claim(t, a, id, store.TakeAbsent, long)
		require.NoError(t, a.Settle(context.Background(), id, owner, store.Outcome{State: store.Absent}))
		receive(t, notice)
	}
}

// TestClose_SendsWhatIsLeft: what was settled just before the end is told.
func TestClose_SendsWhatIsLeft(t *testing.T) {
	ctx := context.Background()
	b, schema := newStore(t)
	for range 10 {
		a, err := pgstore.Open(ctx, serverURL(t), pgstore.WithSchema(schema))
		require.NoError(t, err)
		var notices []<-chan struct{}
		for range 20 {
			id, owner := held(t, a)
			notices = append(notices, watched(t, b, id))
			drain(notices[len(notices)-1])
			require.NoError(t, a.Settle(ctx, id, owner, store.Outcome{State: store.Absent}))
		}
		require.NoError(t, a.Close(ctx))
		for _, n := range notices {
			receive(t, n)
		}
	}
}

func TestWithoutNotify(t *testing.T) {
	a, schema := newStore(t)
	b := open(t, serverURL(t), schema, pgstore.WithoutNotify())
	_, _, err := b.Watch(context.Background(), "x")
	require.Error(t, err)

	id, owner := held(t, b)
	notice := watched(t, a, id)
	drain(notice)
	ended := waiting(b, id)
	require.NoError(t, b.Settle(context.Background(), id, owner, store.Outcome{State: store.Completed, Body: []byte("answer")}))
	require.Equal(t, "answer", string((<-ended).Body), "who waits asks")
	silent(t, a, a, notice)
}

func waiting(s store.Store, id string) <-chan store.Record {
	ended := make(chan store.Record, 1)
	go func() {
		r, _ := store.Wait(context.Background(), s, id)
		ended <- r
	}()
	return ended
}

// TestS13_ListenerIsKilled: the store listens again, and wakes all who may have
// missed something.
func TestS13_ListenerIsKilled(t *testing.T) {
	ctx, pool := context.Background(), admin(t)
	a, schema := newStore(t)
	name := "llmidem_" + random()
	b := open(t, with(t, serverURL(t), "application_name", name), schema)
	id, owner := held(t, a)
	notice := watched(t, b, id)
	drain(notice)
	for range 3 {
		require.EqualValues(t, 1, ask[int](t, pool,
			"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%'", name))
		receive(t, notice)
	}
	require.NoError(t, a.Settle(ctx, id, owner, store.Outcome{State: store.Absent}))
	receive(t, notice)
}

// TestS13_ForeignNotices: anybody may send what he likes.
func TestS13_ForeignNotices(t *testing.T) {
	a, schema := newStore(t)
	id, _ := held(t, a)
	notice := watched(t, a, id)
	drain(notice)
	pool := admin(t)
	channel := ask[string](t, pool, "SELECT substring(query FROM 'LISTEN \"(.*)\"') FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND query LIKE '%'||left(encode(sha256($1), 'hex'), 16)||'%'", []byte(schema))
	for _, payload := range []string{"", "x", "probe-", "0", "zz", id} {
		do(t, pool, "SELECT pg_notify($1, $2)", channel, payload)
	}
	silent(t, a, a, notice)
}

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

// TestR5_CloseEndsAll: with everything begun that a store begins.
func TestR5_CloseEndsAll(t *testing.T) {
	schema := newSchema(t)
	u := serverURL(t)
	before := goleak.IgnoreCurrent()
	ctx := context.Background()
	s, err := pgstore.Open(ctx, u, pgstore.WithSchema(schema))
	require.NoError(t, err)
	id, owner := held(t, s)
	_, stop, err := s.Watch(ctx, id)
	require.NoError(t, err)
	require.NoError(t, s.Close(ctx))
	require.NoError(t, s.Close(ctx), "again")
	goleak.VerifyNone(t, before)
	stop()
	stop()

	_, err = s.Get(ctx, id)
	require.ErrorIs(t, err, pgstore.ErrClosed)
	_, err = s.Claim(ctx, id, store.Claim{Owner: owner, Lease: long})
	require.ErrorIs(t, err, pgstore.ErrClosed)
	require.ErrorIs(t, s.Renew(ctx, id, owner, long), pgstore.ErrClosed)
	require.ErrorIs(t, s.Settle(ctx, id, owner, store.Outcome{State: store.Absent}), pgstore.ErrClosed)
	_, err = s.Sweep(ctx)
	require.ErrorIs(t, err, pgstore.ErrClosed)
	_, _, err = s.Watch(ctx, id)
	require.Error(t, err)
}

// TestR5_CloseCutsOff: a call that hangs does not keep Close for longer than its
// context.
func TestR5_CloseCutsOff(t *testing.T) {
	ctx := context.Background()
	schema := newSchema(t)
	s, err := pgstore.Open(ctx, serverURL(t), pgstore.WithSchema(schema))
	require.NoError(t, err)
	id, owner := held(t, s)
	tx, err := admin(t).Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, "SELECT FROM "+table(schema)+" FOR UPDATE")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Renew(ctx, id, owner, long) }()
	blocked(t, schema)

	closing, cancel := context.WithCancelCause(ctx)
	closed := make(chan error, 1)
	go func() { closed <- s.Close(closing) }()
	eventually(t, "it closes", func() bool { _, err := s.Get(ctx, id); return errors.Is(err, pgstore.ErrClosed) })
	select {
	case err := <-closed:
		t.Fatalf("it does not wait for the call under way: %v", err)
	default:
	}
	cancel(nil)
	require.ErrorIs(t, <-closed, context.Canceled)
	require.ErrorIs(t, <-ended, context.Canceled)
}

// TestR5_CallsEndWithTheirContext: also one that waits for a lock of the server's.
func TestR5_CallsEndWithTheirContext(t *testing.T) {
	s, schema := newStore(t, pgstore.WithLogger(slog.New(slog.DiscardHandler)))
	id, owner := held(t, s)
	tx, err := admin(t).Begin(context.Background())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(context.Background(), "LOCK TABLE "+table(schema))
	require.NoError(t, err)
	for _, act := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := s.Get(ctx, id); return err },
		func(ctx context.Context) error { return s.Renew(ctx, id, owner, long) },
		func(ctx context.Context) error {
			return s.Settle(ctx, id, owner, store.Outcome{State: store.Completed})
		},
		func(ctx context.Context) error { _, err := s.Sweep(ctx); return err },
		func(ctx context.Context) error { _, err := store.Wait(ctx, s, id); return err },
	} {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- act(ctx) }()
		blocked(t, schema)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		eventually(t, "the server lets go", func() bool {
			return ask[int](t, admin(t), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0", schema) == 0
		})
	}
}
