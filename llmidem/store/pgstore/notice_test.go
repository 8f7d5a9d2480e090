package pgstore_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

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
