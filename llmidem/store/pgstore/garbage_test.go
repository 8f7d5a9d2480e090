package pgstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// TestS13_GarbageIsDoubt: a row that this package did not write is neither given
// out as an answer, nor taken for none, nor held by anybody, nor swept away.
func TestS13_GarbageIsDoubt(t *testing.T) {
	ctx := context.Background()
	s, schema := newStore(t)
	pool := admin(t)
	do(t, pool, "ALTER TABLE "+table(schema)+" DROP CONSTRAINT makes_sense")
	for _, c := range []string{"since", "state", "prior", "format", "owner", "fingerprint", "origin"} {
		do(t, pool, "ALTER TABLE "+table(schema)+" ALTER COLUMN "+c+" DROP NOT NULL")
	}
	inFlight := func() (string, store.Owner) { return held(t, s) }
	done := func() (string, store.Owner) { return completed(t, s, "answer", long) }
	for change, from := range map[string]func() (string, store.Owner){
		"state = 0":                                done,
		"state = 4":                                done,
		"state = -1":                               done,
		"state = 32767":                            done,
		"state = NULL":                             done,
		"state = 1":                                done,
		"state = 3":                                done,
		"state = 2":                                inFlight,
		"format = 2":                               done,
		"format = NULL":                            done,
		"owner = '\\x00'":                          done,
		"owner = ''":                               done,
		"owner = NULL":                             done,
		"owner = owner || '\\x00'":                 done,
		"fingerprint = ''":                         done,
		"fingerprint = NULL":                       done,
		"origin = 'x'":                             done,
		"origin = NULL":                            done,
		"body = NULL":                              done,
		"body = 'answer'":                          inFlight,
		"since = NULL":                             done,
		"since = 'infinity'":                       done,
		"since = '-infinity'":                      inFlight,
		"leased_until = NULL":                      inFlight,
		"leased_until = 'infinity'":                inFlight,
		"leased_until = '-infinity'":               inFlight,
		"leased_until = now()":                     done,
		"expires_at = 'infinity'":                  done,
		"expires_at = '-infinity'":                 done,
		"expires_at = now()":                       inFlight,
		"state = 9, expires_at = '2000-01-01'":     done,
		"owner = 'x', expires_at = '2000-01-01'":   done,
		"format = 7, leased_until = '2000-01-01'":  inFlight,
		"state = 9, since = NULL, body = NULL":     done,
		"format = 2, body = 'the wrong one'":       done,
		"fingerprint = 'x', body = 'of whom else'": done,
	} {
		t.Run(change, func(t *testing.T) {
			id, owner := from()
			require.EqualValues(t, 1, do(t, pool, "UPDATE "+table(schema)+" SET "+change+" WHERE id = $1", []byte(id)))
			doubtful := func(r store.Record) {
				t.Helper()
				require.Equal(t, store.Unknown, r.State)
				require.Empty(t, r.Body)
				require.Zero(t, r.Left)
				require.GreaterOrEqual(t, r.Age, time.Duration(0))
			}
			doubtful(get(t, s, id))
			r, mine := claim(t, s, id, store.TakeAbsent, long)
			doubtful(r)
			require.NotEqual(t, mine, r.Owner)
			require.ErrorIs(t, s.Renew(ctx, id, owner, long), store.ErrLost)
			for _, state := range []store.State{store.Absent, store.Completed, store.Unknown} {
				require.ErrorIs(t, s.Settle(ctx, id, owner, store.Outcome{State: state}), store.ErrLost)
			}
			_, err := s.Sweep(ctx)
			require.NoError(t, err)
			doubtful(get(t, s, id))

			r, mine = claim(t, s, id, store.TakeDoubt, long)
			require.Equal(t, mine, r.Owner)
			require.Equal(t, store.Unknown, r.Prior)
			require.NoError(t, s.Settle(ctx, id, mine, store.Outcome{State: store.Completed, Body: []byte("new")}))
			require.Equal(t, "new", string(get(t, s, id).Body), "whoever takes it over repairs it")
		})
	}
}

// TestS13_ConstraintsRefuseGarbage: of those who write by hand.
func TestS13_ConstraintsRefuseGarbage(t *testing.T) {
	s, schema := newStore(t)
	pool := admin(t)
	id, _ := completed(t, s, "answer", long)
	for _, change := range []string{
		"state = 4", "state = 1", "format = 2", "owner = ''", "fingerprint = ''", "origin = ''", "body = NULL",
		"since = 'infinity'", "expires_at = 'infinity'", "leased_until = now()", "since = NULL",
	} {
		_, err := pool.Exec(context.Background(), "UPDATE "+table(schema)+" SET "+change)
		require.Error(t, err, change)
	}
	require.Equal(t, "answer", string(get(t, s, id).Body))
}

// TestS13_FarTimes: what makes sense but does not fit a time.Duration is as long
// as that can be.
func TestS13_FarTimes(t *testing.T) {
	s, schema := newStore(t)
	id, _ := completed(t, s, "answer", long)
	do(t, admin(t), "UPDATE "+table(schema)+" SET since = '4000-01-01 BC', expires_at = '290000-01-01'")
	r := get(t, s, id)
	require.Equal(t, store.Completed, r.State)
	require.Greater(t, r.Age, 290*365*24*time.Hour)
	require.Greater(t, r.Left, 290*365*24*time.Hour)

	do(t, admin(t), "UPDATE "+table(schema)+" SET since = now() + interval '1 hour'")
	require.Zero(t, get(t, s, id).Age, "the server's clock was set back")
}

// TestS4_LongestAndShortest: times at the ends of what a time.Duration holds.
func TestS4_LongestAndShortest(t *testing.T) {
	ctx := context.Background()
	s, _ := newStore(t)
	const longest = time.Duration(1<<63 - 1)
	id := newID()
	r, owner := claim(t, s, id, store.TakeAbsent, longest)
	require.Equal(t, owner, r.Owner)
	require.NoError(t, s.Renew(ctx, id, owner, longest))
	require.Greater(t, get(t, s, id).Left, longest-long)
	require.NoError(t, s.Settle(ctx, id, owner, store.Outcome{State: store.Completed, TTL: longest}))
	require.Greater(t, get(t, s, id).Left, longest-long)

	id, owner = held(t, s)
	require.NoError(t, s.Settle(ctx, id, owner, store.Outcome{State: store.Completed, TTL: 1}))
	require.Equal(t, store.Absent, get(t, s, id).State, "a nanosecond is no time without end")
	id = newID()
	claim(t, s, id, store.TakeAbsent, 1)
	require.Equal(t, store.Unknown, get(t, s, id).State)
}
