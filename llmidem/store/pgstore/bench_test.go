package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
)

// contestant is one way to do an operation.
type contestant struct {
	name string
	op   func(ctx context.Context, id string) error
	took time.Duration
}

// race lets contestants do b.N operations each, in turns, so that what else the
// machine does falls on all of them, and reports for each how many a second it
// does and, after the first, how many times as long as the first it takes.
func race(b *testing.B, goroutines int, ids func() string, all ...*contestant) {
	ctx := context.Background()
	const turns = 5
	for _, c := range all { // connections are made, and plans found, once
		run(b, ctx, 10*goroutines, goroutines, ids, c.op)
	}
	b.ResetTimer()
	for done, turn := 0, 1; turn <= turns; turn++ {
		n := b.N * turn / turns
		for _, c := range all {
			c.took += run(b, ctx, n-done, goroutines, ids, c.op)
		}
		done = n
	}
	for _, c := range all {
		b.ReportMetric(float64(b.N)/c.took.Seconds(), c.name+"/s")
	}
	for _, c := range all[1:] {
		b.ReportMetric(float64(all[0].took)/float64(c.took), "x-"+c.name)
	}
	b.ReportMetric(0, "ns/op") // of all contestants together: says nothing
}

func run(b *testing.B, ctx context.Context, n, goroutines int, ids func() string, op func(context.Context, string) error) time.Duration {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	begin := time.Now()
	for range goroutines {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := op(ctx, ids()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(begin)
}

// benchPool has a connection for each goroutine, for all contestants in turn.
func benchPool(b *testing.B) *pgxpool.Pool {
	b.Helper()
	pool, err := pgxpool.New(context.Background(), with(b, serverURL(b), "pool_max_conns", "64"))
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	return pool
}

func benchStore(b *testing.B, pool *pgxpool.Pool) (*pgstore.Store, string) {
	b.Helper()
	schema := newSchema(b)
	s, err := pgstore.New(context.Background(), pool, pgstore.WithSchema(schema))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close(context.Background())) })
	// What a program would write for itself.
	for _, name := range []string{"raw", "notifying"} {
		_, err = pool.Exec(context.Background(), "CREATE TABLE "+schema+"."+name+` (id text PRIMARY KEY, owner bytea NOT NULL, state smallint NOT NULL,
			fingerprint bytea NOT NULL, body bytea, since timestamptz NOT NULL, until timestamptz)`)
		require.NoError(b, err)
	}
	return s, schema
}

// answer is as long as a short one of a model.
var answer = make([]byte, 1000)

var errLost = errors.New("the claim was not won")

// BenchmarkClaimSettle is a claim that is won and its answer, against the same as
// plain statements by pgx on a table without constraints, without and with a
// NOTIFY in the transaction that settles.
func BenchmarkClaimSettle(b *testing.B) {
	for _, goroutines := range []int{1, 64} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			pool := benchPool(b)
			s, schema := benchStore(b, pool)
			race(b, goroutines, newID,
				&contestant{name: "pgstore", op: func(ctx context.Context, id string) error {
					c := store.Claim{Owner: store.NewOwner(), Lease: long}
					if r, err := s.Claim(ctx, id, c); err != nil || r.Owner != c.Owner {
						return errors.Join(errLost, err)
					}
					return s.Settle(ctx, id, c.Owner, store.Outcome{State: store.Completed, Body: answer, TTL: long})
				}},
				&contestant{name: "raw", op: plain(pool, schema+".raw", "")},
				&contestant{name: "notifying", op: plain(pool, schema+".notifying", ", pg_notify('llmidem_bench', id)")},
			)
		})
	}
}

// plain is a claim and its answer in plain statements.
func plain(pool *pgxpool.Pool, table, returning string) func(context.Context, string) error {
	return func(ctx context.Context, id string) error {
		owner, fingerprint := store.NewOwner(), store.Fingerprint{}
		done, err := pool.Exec(ctx, "INSERT INTO "+table+` (id, owner, state, fingerprint, since, until)
			VALUES ($1, $2, 1, $3, clock_timestamp(), clock_timestamp() + $4::interval) ON CONFLICT (id) DO NOTHING`, id, owner[:], fingerprint[:], long)
		if err != nil || done.RowsAffected() != 1 {
			return errors.Join(errLost, err)
		}
		done, err = pool.Exec(ctx, "UPDATE "+table+` SET state = 2, body = $3, since = clock_timestamp(), until = clock_timestamp() + $4::interval
			WHERE id = $1 AND owner = $2 AND state = 1 AND until > clock_timestamp() RETURNING id`+returning, id, owner[:], answer, long)
		if err != nil || done.RowsAffected() != 1 {
			return errors.Join(errLost, err)
		}
		return nil
	}
}

// BenchmarkHit is a claim that finds an answer, against reading it by its id.
func BenchmarkHit(b *testing.B) {
	for _, goroutines := range []int{1, 64} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			ctx, pool := context.Background(), benchPool(b)
			s, schema := benchStore(b, pool)
			raw := plain(pool, schema+".raw", "")
			var ids []string
			for range 100 {
				id, owner := held(b, s)
				require.NoError(b, s.Settle(ctx, id, owner, store.Outcome{State: store.Completed, Body: answer}))
				require.NoError(b, raw(ctx, id))
				ids = append(ids, id)
			}
			var next atomic.Int64
			race(b, goroutines, func() string { return ids[next.Add(1)%int64(len(ids))] },
				&contestant{name: "pgstore", op: func(ctx context.Context, id string) error {
					r, err := s.Claim(ctx, id, store.Claim{Owner: store.NewOwner(), Lease: long})
					if len(r.Body) != len(answer) {
						return errors.Join(errLost, err)
					}
					return err
				}},
				&contestant{name: "get", op: func(ctx context.Context, id string) error { _, err := s.Get(ctx, id); return err }},
				&contestant{name: "raw", op: func(ctx context.Context, id string) error {
					var owner, fingerprint, body []byte
					var since, until time.Time
					var state int16
					return pool.QueryRow(ctx, "SELECT owner, state, fingerprint, body, since, until FROM "+schema+".raw WHERE id = $1", id).
						Scan(&owner, &state, &fingerprint, &body, &since, &until)
				}},
			)
		})
	}
}
