package pgstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
)

// rowVersion says whether a row was written, or as much as locked.
func rowVersion(t *testing.T, schema, id string) string {
	t.Helper()
	return ask[string](t, admin(t), "SELECT ctid::text || ' ' || xmin || ' ' || xmax FROM "+table(schema)+" WHERE id = $1", []byte(id))
}

// TestClaim_RefusedIsARead: a hit leaves no trace that a disk, or VACUUM, would
// have to deal with.
func TestClaim_RefusedIsARead(t *testing.T) {
	s, schema := newStore(t)
	flying, _ := held(t, s)
	done, _ := completed(t, s, "answer", long)
	for _, id := range []string{flying, done} {
		before := rowVersion(t, schema, id)
		for range 20 {
			claim(t, s, id, store.TakeDoubt, long)
		}
		require.Equal(t, before, rowVersion(t, schema, id))
	}
}

// TestClaim_Repeated: a claim whose reply was lost is repeated with its owner, and
// then known for the one that had been won.
func TestClaim_Repeated(t *testing.T) {
	ctx := context.Background()
	s, _ := newStore(t)
	id, _ := completed(t, s, "old", long)
	c := store.Claim{Owner: store.NewOwner(), Lease: long, Takeover: store.TakeSettled}
	for range 2 {
		r, err := s.Claim(ctx, id, c)
		require.NoError(t, err)
		require.Equal(t, c.Owner, r.Owner)
		require.Equal(t, store.InFlight, r.State)
		require.Equal(t, store.Completed, r.Prior)
	}
	require.Equal(t, store.Absent, get(t, s, id).Prior)
	require.NoError(t, s.Settle(ctx, id, c.Owner, store.Outcome{State: store.Unknown}))
	r, err := s.Claim(ctx, id, store.Claim{Owner: c.Owner, Lease: long})
	require.NoError(t, err)
	require.Equal(t, store.Unknown, r.State)
	require.Equal(t, store.Absent, r.Prior)
}

// TestS11_ClaimBehindALock: a claimant that waits for another's row judges what is
// there when the wait is over, whatever it was when it came.
func TestS11_ClaimBehindALock(t *testing.T) {
	ctx := context.Background()
	s, schema := newStore(t)
	pool := admin(t)
	for name, c := range map[string]struct {
		change string
		take   store.Takeover
		state  store.State // of the record that refuses, Absent when the claim is won
		prior  store.State
	}{
		"taken over meanwhile":   {"state = 1, leased_until = now() + interval '1 hour'", store.TakeDoubt, store.InFlight, 0},
		"answered meanwhile":     {"state = 2, body = 'answer'", store.TakeDoubt, store.Completed, 0},
		"answered and taken":     {"state = 2, body = 'answer'", store.TakeSettled, store.Absent, store.Completed},
		"expired meanwhile":      {"expires_at = now() - interval '1 hour'", store.TakeDoubt, store.Absent, store.Absent},
		"left as it was":         {"prior = 1", store.TakeDoubt, store.Absent, store.Unknown},
		"lease that has run out": {"state = 1, leased_until = now()", store.TakeDoubt, store.Absent, store.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			id, owner := held(t, s)
			require.NoError(t, s.Settle(ctx, id, owner, store.Outcome{State: store.Unknown}))
			tx, err := pool.Begin(ctx)
			require.NoError(t, err)
			defer func() { _ = tx.Rollback(ctx) }()
			_, err = tx.Exec(ctx, "UPDATE "+table(schema)+" SET "+c.change+" WHERE id = $1", []byte(id))
			require.NoError(t, err)

			mine := store.NewOwner()
			type result struct {
				rec store.Record
				err error
			}
			ended := make(chan result, 1)
			go func() {
				r, err := s.Claim(ctx, id, store.Claim{Owner: mine, Lease: long, Takeover: c.take})
				ended <- result{r, err}
			}()
			blocked(t, schema)
			require.NoError(t, tx.Commit(ctx))
			r := <-ended
			require.NoError(t, r.err)
			if c.state != store.Absent {
				require.Equal(t, c.state, r.rec.State)
				require.NotEqual(t, mine, r.rec.Owner)
				return
			}
			require.Equal(t, mine, r.rec.Owner)
			require.Equal(t, c.prior, r.rec.Prior)
			require.Greater(t, get(t, s, id).Left, long-patience)
		})
	}
}

// blocked waits until a statement on the table of a schema waits for a lock.
func blocked(t *testing.T, schema string) {
	t.Helper()
	pool := admin(t)
	eventually(t, "a statement waits for a lock", func() bool {
		return ask[int](t, pool, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0", schema) > 0
	})
}

// TestS4_LeaseEndsBehindALock: of an owner whose renewal, or answer, waits for its
// row until the lease is over, the lease is over.
func TestS4_LeaseEndsBehindALock(t *testing.T) {
	ctx := context.Background()
	s, schema := newStore(t)
	for name, act := range map[string]func(id string, owner store.Owner) error{
		"renew": func(id string, owner store.Owner) error { return s.Renew(ctx, id, owner, long) },
		"settle": func(id string, owner store.Owner) error {
			return s.Settle(ctx, id, owner, store.Outcome{State: store.Completed})
		},
		"release": func(id string, owner store.Owner) error {
			return s.Settle(ctx, id, owner, store.Outcome{State: store.Absent})
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := newID()
			_, owner := claim(t, s, id, store.TakeAbsent, long)
			tx, err := admin(t).Begin(ctx)
			require.NoError(t, err)
			defer func() { _ = tx.Rollback(ctx) }()
			_, err = tx.Exec(ctx, "UPDATE "+table(schema)+" SET leased_until = clock_timestamp() WHERE id = $1", []byte(id))
			require.NoError(t, err)
			ended := make(chan error, 1)
			go func() { ended <- act(id, owner) }()
			blocked(t, schema)
			require.NoError(t, tx.Commit(ctx))
			require.ErrorIs(t, <-ended, store.ErrLost)
			require.Equal(t, store.Unknown, get(t, s, id).State)
		})
	}
}

// TestS4_AgeOfALostLease counts since the lease ended, not since the claim.
func TestS4_AgeOfALostLease(t *testing.T) {
	s, schema := newStore(t)
	id, _ := held(t, s)
	do(t, admin(t), "UPDATE "+table(schema)+" SET since = now() - interval '3 hours', leased_until = now() - interval '1 hour'")
	r, _ := claim(t, s, id, store.TakeAbsent, long)
	for _, r := range []store.Record{r, get(t, s, id)} {
		require.Equal(t, store.Unknown, r.State)
		require.Zero(t, r.Left)
		require.InDelta(t, time.Hour, r.Age, float64(patience))
	}
}

// TestS10_PriorUnderRaces: of many who take over and release again, each is told
// what it replaced: nobody what another did.
func TestS10_PriorUnderRaces(t *testing.T) {
	ctx := context.Background()
	s, schema := newStore(t)
	stores := []*pgstore.Store{s, open(t, serverURL(t), schema)}
	id := newID()
	var mu sync.Mutex
	left := store.Absent // how the last owner left it
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 60 {
				c := store.Claim{Owner: store.NewOwner(), Lease: long, Takeover: store.TakeSettled}
				r, err := stores[w%2].Claim(ctx, id, c)
				if err != nil || r.Owner != c.Owner {
					if err != nil {
						t.Error(err)
					}
					continue
				}
				mu.Lock()
				if r.Prior != left {
					t.Errorf("prior is %v, and it was left %v", r.Prior, left)
				}
				left = []store.State{store.Absent, store.Completed, store.Unknown}[i%3]
				next := left
				mu.Unlock()
				if err := stores[w%2].Settle(ctx, id, c.Owner, store.Outcome{State: next, Body: []byte("x")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func TestIDs_Length(t *testing.T) {
	ctx := context.Background()
	s, _ := newStore(t)
	for _, id := range []string{"", strings.Repeat("\x00\xff", 512)} {
		r, owner := claim(t, s, id, store.TakeAbsent, long)
		require.Equal(t, owner, r.Owner)
		notice, stop, err := s.Watch(ctx, id)
		require.NoError(t, err)
		require.NoError(t, s.Settle(ctx, id, owner, store.Outcome{State: store.Completed}))
		receive(t, notice)
		stop()
		require.Equal(t, store.Completed, get(t, s, id).State)
	}
	_, err := s.Get(ctx, strings.Repeat("x", 1025))
	require.ErrorContains(t, err, "an id of 1025 bytes; at most 1024")
}

// TestErrors_QuoteNoRow: PostgreSQL says what row it refuses, in the detail of an
// error.
func TestErrors_QuoteNoRow(t *testing.T) {
	ctx := context.Background()
	s, schema := newStore(t)
	id, owner := held(t, s)
	do(t, admin(t), "ALTER TABLE "+table(schema)+" ADD CONSTRAINT no_answers CHECK (body IS NULL)")
	err := s.Settle(ctx, id, owner, store.Outcome{State: store.Completed, Body: []byte("confidential")})
	require.ErrorContains(t, err, "no_answers")
	for e := err; e != nil; {
		require.NotContains(t, fmt.Sprintf("%+v %#v", e, e), "636f6e6669") // in hexadecimal
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = u.Unwrap()
	}
	require.Equal(t, store.InFlight, get(t, s, id).State)
}

// TestClaim_SwallowedRow: a claim that never has a result ends in an error, and
// not in a loop without end.
func TestClaim_SwallowedRow(t *testing.T) {
	s, schema := newStore(t)
	pool, function := admin(t), pgx.Identifier{schema, "swallow"}.Sanitize()
	do(t, pool, "CREATE FUNCTION "+function+"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
	do(t, pool, "CREATE TRIGGER swallow BEFORE INSERT ON "+table(schema)+" FOR EACH ROW EXECUTE FUNCTION "+function+"()")
	_, err := s.Claim(context.Background(), newID(), store.Claim{Owner: store.NewOwner(), Lease: long})
	require.ErrorContains(t, err, "pgstore: claim: the record changed each time it was looked at, or a policy or a trigger")
}
