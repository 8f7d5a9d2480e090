package pgstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
)

const never = -1

// rows are how many there are in the table.
func rows(t *testing.T, schema string) int {
	t.Helper()
	return ask[int](t, admin(t), "SELECT count(*) FROM "+table(schema))
}

// expire lets the TTL of records run out.
func expire(t *testing.T, schema string) {
	t.Helper()
	do(t, admin(t), "UPDATE "+table(schema)+" SET expires_at = now() - interval '1 minute' WHERE expires_at IS NOT NULL")
}

func TestP4_SweepDeletesWhatExpired(t *testing.T) {
	ctx := context.Background()
	s, schema := newStore(t, pgstore.WithSweep(never, 10))
	flying, _ := held(t, s)
	lost, _ := held(t, s)
	do(t, admin(t), "UPDATE "+table(schema)+" SET leased_until = now() WHERE id = $1", []byte(lost))
	endless, _ := completed(t, s, "endless", 0)
	for range 35 {
		completed(t, s, "answer", long)
	}
	doubt, owner := held(t, s)
	require.NoError(t, s.Settle(ctx, doubt, owner, store.Outcome{State: store.Unknown, TTL: long}))
	expire(t, schema)
	kept, _ := completed(t, s, "kept", long)
	require.Equal(t, store.Absent, get(t, s, doubt).State, "gone before its row is")
	require.Equal(t, 40, rows(t, schema))

	n, err := s.Sweep(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 36, n)
	require.Equal(t, 4, rows(t, schema))
	require.Equal(t, store.InFlight, get(t, s, flying).State)
	require.Equal(t, store.Unknown, get(t, s, lost).State)
	require.Equal(t, "endless", string(get(t, s, endless).Body))
	require.Equal(t, "kept", string(get(t, s, kept).Body))
	n, err = s.Sweep(ctx)
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestP4_SweepWaitsForNobody: neither for a row that a claimant has in hand, nor
// does it delete that when the claimant was faster.
func TestP4_SweepWaitsForNobody(t *testing.T) {
	ctx := context.Background()
	s, schema := newStore(t, pgstore.WithSweep(never, 0))
	inHand, _ := completed(t, s, "answer", long)
	for range 5 {
		completed(t, s, "answer", long)
	}
	expire(t, schema)
	tx, err := admin(t).Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, "SELECT FROM "+table(schema)+" WHERE id = $1 FOR UPDATE", []byte(inHand))
	require.NoError(t, err)
	n, err := s.Sweep(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 5, n)
	require.NoError(t, tx.Rollback(ctx))

	r, owner := claim(t, s, inHand, store.TakeAbsent, long)
	require.Equal(t, owner, r.Owner)
	require.Equal(t, store.Absent, r.Prior)
	n, err = s.Sweep(ctx)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Equal(t, store.InFlight, get(t, s, inHand).State)
}

func TestP4_SweepsByItself(t *testing.T) {
	s, schema := newStore(t, pgstore.WithSweep(10*time.Millisecond, 2))
	for range 5 {
		completed(t, s, "answer", 1)
	}
	eventually(t, "swept", func() bool { return rows(t, schema) == 0 })
}

// TestP4_SweepUsesTheIndex: it does not read the whole table.
func TestP4_SweepUsesTheIndex(t *testing.T) {
	ctx := context.Background()
	s, schema := newStore(t, pgstore.WithSweep(never, 7))
	completed(t, s, "answer", long)
	pool := admin(t)
	do(t, pool, "INSERT INTO "+table(schema)+" SELECT decode(md5(i::text), 'hex'), since, NULL, expires_at, state, prior, format, owner, fingerprint, origin, body FROM "+
		table(schema)+", generate_series(1, 20000) i")
	do(t, pool, "ANALYZE "+table(schema))
	conn, err := pool.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	sql := strings.Replace(ownSQL(t, s, schema, "DELETE"), "$1::int", "7", 1)
	lines, err := conn.Query(ctx, "EXPLAIN "+sql)
	require.NoError(t, err)
	plan, err := pgx.CollectRows(lines, pgx.RowTo[string])
	require.NoError(t, err)
	text := strings.Join(plan, "\n")
	require.Contains(t, text, "Index Scan using records_expires_at")
	require.NotContains(t, text, "Seq Scan")
}

// ownSQL is the last statement that a store sent which begins like that.
func ownSQL(t *testing.T, s *pgstore.Store, schema, begin string) string {
	t.Helper()
	_, err := s.Sweep(context.Background())
	require.NoError(t, err)
	return ask[string](t, admin(t), "SELECT query FROM pg_stat_activity WHERE starts_with(query, $1) AND strpos(query, $2) > 0 LIMIT 1", begin, schema)
}
