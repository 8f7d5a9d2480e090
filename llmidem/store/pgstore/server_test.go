package pgstore_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	serverVariable = "LLMIDEM_TEST_POSTGRES"
	long           = time.Hour
	// patience is how long something may take that is waited for, in real time.
	patience = 30 * time.Second
)

// serverURL is where a PostgreSQL is, whose role may make roles and schemas.
func serverURL(t testing.TB) string {
	t.Helper()
	u := os.Getenv(serverVariable)
	switch {
	case u != "":
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not set", serverVariable)
	default:
		t.Skipf("%s is not set; start a server by: docker run --rm -d -p 5432:5432 -e POSTGRES_PASSWORD=test postgres, "+
			"and set it to postgres://postgres:test@localhost:5432/postgres", serverVariable)
	}
	return u
}

// with adds parameters to a URL.
func with(t testing.TB, u string, nameValues ...string) string {
	t.Helper()
	parsed, err := url.Parse(u)
	require.NoError(t, err)
	q := parsed.Query()
	for i := 0; i < len(nameValues); i += 2 {
		q.Set(nameValues[i], nameValues[i+1])
	}
	parsed.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // pgx takes a plus for one
	return parsed.String()
}

// random is text that occurs nowhere else.
func random() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// admin is a pool of the test's own.
func admin(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), serverURL(t))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// newSchema is a name that is nobody else's, of a schema that goes with the test.
func newSchema(t testing.TB) string {
	t.Helper()
	return ownSchema(t, "llmidem_test_"+random())
}

func ownSchema(t testing.TB, name string) string {
	t.Helper()
	pool := admin(t)
	t.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP SCHEMA IF EXISTS "+pgx.Identifier{name}.Sanitize()+" CASCADE")
		require.NoError(t, err)
	})
	return name
}

// open opens a store and closes it with the test.
func open(t testing.TB, u, schema string, opts ...pgstore.Option) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(context.Background(), u, append([]pgstore.Option{pgstore.WithSchema(schema), pgstore.WithLogger(logger(t))}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	return s
}

// newStore opens a store in a schema of its own.
func newStore(t testing.TB, opts ...pgstore.Option) (s *pgstore.Store, schema string) {
	t.Helper()
	schema = newSchema(t)
	return open(t, serverURL(t), schema, opts...), schema
}

// do runs a statement as the test's own.
func do(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) int64 {
	t.Helper()
	done, err := pool.Exec(context.Background(), sql, args...)
	require.NoError(t, err)
	return done.RowsAffected()
}

// ask is the one value that a query returns.
func ask[T any](t testing.TB, pool *pgxpool.Pool, sql string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, pool.QueryRow(context.Background(), sql, args...).Scan(&v))
	return v
}

// table is the quoted name of the table of a schema.
func table(schema string) string { return pgx.Identifier{schema, "records"}.Sanitize() }

func newID() string { return random() + random() + random() + random() }

func claim(t testing.TB, s store.Store, id string, take store.Takeover, lease time.Duration) (store.Record, store.Owner) {
	t.Helper()
	c := store.Claim{Owner: store.NewOwner(), Lease: lease, Takeover: take}
	r, err := s.Claim(context.Background(), id, c)
	require.NoError(t, err)
	return r, c.Owner
}

// held claims an id that is new.
func held(t testing.TB, s store.Store) (string, store.Owner) {
	t.Helper()
	id := newID()
	r, owner := claim(t, s, id, store.TakeAbsent, long)
	require.Equal(t, owner, r.Owner)
	return id, owner
}

// completed makes a record.
func completed(t testing.TB, s store.Store, body string, ttl time.Duration) (string, store.Owner) {
	t.Helper()
	id, owner := held(t, s)
	require.NoError(t, s.Settle(context.Background(), id, owner, store.Outcome{State: store.Completed, Body: []byte(body), TTL: ttl}))
	return id, owner
}

func get(t testing.TB, s store.Store, id string) store.Record {
	t.Helper()
	r, err := s.Get(context.Background(), id)
	require.NoError(t, err)
	return r
}

// receive waits for a notice.
func receive(t testing.TB, notice <-chan struct{}) {
	t.Helper()
	select {
	case <-notice:
	case <-time.After(patience):
		t.Fatal("no notice came")
	}
}

// drain takes a notice that is there already.
func drain(notice <-chan struct{}) {
	select {
	case <-notice:
	default:
	}
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// logger logs to the test, until it is over.
func logger(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(&testLog{t: t}, nil)) }

type testLog struct {
	mu sync.Mutex
	t  testing.TB
}

func (l *testLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t.Log(string(b))
	return len(b), nil
}
