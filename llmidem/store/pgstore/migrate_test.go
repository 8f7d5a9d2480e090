package pgstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
)

func openError(t *testing.T, u string, opts ...pgstore.Option) error {
	t.Helper()
	s, err := pgstore.Open(context.Background(), u, opts...)
	if err == nil {
		require.NoError(t, s.Close(context.Background()))
	}
	require.Error(t, err)
	return err
}

// TestMigrate_ManyAtOnce: processes that start together do not trip over each
// other, also under an isolation in which they would not see each other's table.
func TestMigrate_ManyAtOnce(t *testing.T) {
	for _, isolation := range []string{"read committed", "serializable"} {
		t.Run(isolation, func(t *testing.T) {
			schema := newSchema(t)
			u := with(t, serverURL(t), "pool_max_conns", "2", "default_transaction_isolation", isolation)
			var all sync.WaitGroup
			start, errs := make(chan struct{}), make(chan error, 16)
			for range cap(errs) {
				all.Go(func() {
					<-start
					s, err := pgstore.Open(context.Background(), u, pgstore.WithSchema(schema))
					if err == nil {
						err = s.Close(context.Background())
					}
					errs <- err
				})
			}
			close(start)
			all.Wait()
			close(errs)
			for err := range errs {
				require.NoError(t, err)
			}
			require.Equal(t, 1, ask[int](t, admin(t), "SELECT count(*) FROM pg_tables WHERE schemaname = $1", schema))
		})
	}
}

func TestMigrate_KeepsWhatIsThere(t *testing.T) {
	s, schema := newStore(t)
	id, _ := completed(t, s, "answer", 0)
	require.NoError(t, pgstore.Migrate(context.Background(), admin(t), schema))
	require.Equal(t, "answer", string(get(t, open(t, serverURL(t), schema), id).Body))
}

func TestMigrate_OtherTables(t *testing.T) {
	_, schema := newStore(t)
	pool, u := admin(t), serverURL(t)
	comment := func(text string) { do(t, pool, "COMMENT ON TABLE "+table(schema)+" IS '"+text+"'") }

	comment("llmidem records, version 2 (read by the program: do not change)")
	for _, opts := range [][]pgstore.Option{nil, {pgstore.WithoutMigration()}} {
		err := openError(t, u, append(opts, pgstore.WithSchema(schema))...)
		require.ErrorIs(t, err, pgstore.ErrSchema)
		require.ErrorContains(t, err, "is of version 2, and this program knows version 1; use the newer program")
	}
	require.ErrorIs(t, pgstore.Migrate(context.Background(), pool, schema), pgstore.ErrSchema)

	for _, text := range []string{"", "sales", "llmidem records, version 1000000000000", "llmidem records, version x"} {
		comment(text)
		err := openError(t, u, pgstore.WithSchema(schema))
		require.ErrorIs(t, err, pgstore.ErrSchema)
		require.ErrorContains(t, err, "name another schema with pgstore.WithSchema")
	}
}

func TestSchemaSQL_MakesWhatOpenMakes(t *testing.T) {
	ctx, pool := context.Background(), admin(t)
	schema := newSchema(t)
	err := openError(t, serverURL(t), pgstore.WithSchema(schema), pgstore.WithoutMigration())
	require.ErrorIs(t, err, pgstore.ErrSchema)
	require.ErrorContains(t, err, "pgstore.SchemaSQL")
	require.False(t, ask[bool](t, pool, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema), "made all the same")

	sql, err := pgstore.SchemaSQL(schema)
	require.NoError(t, err)
	_, err = pool.Exec(ctx, sql)
	require.NoError(t, err)
	s := open(t, serverURL(t), schema, pgstore.WithoutMigration())
	id, _ := completed(t, s, "answer", long)
	require.Equal(t, "answer", string(get(t, s, id).Body))

	standard, err := pgstore.SchemaSQL("")
	require.NoError(t, err)
	require.Contains(t, standard, `CREATE TABLE "llmidem"."records"`)
	_, err = pgstore.SchemaSQL("pg_catalog")
	require.Error(t, err)
}

// newRole is a role without rights, and a URL to log in with it.
func newRole(t *testing.T) (name, u string) {
	t.Helper()
	pool := admin(t)
	name = "llmidem_test_" + random()
	do(t, pool, "CREATE ROLE "+name+" LOGIN PASSWORD 'test'")
	t.Cleanup(func() { do(t, pool, "DROP OWNED BY "+name); do(t, pool, "DROP ROLE "+name) })
	return name, with(t, serverURL(t), "user", name, "password", "test")
}

// TestOpen_RoleWithoutRights goes from one error to the next by doing what each
// says.
func TestOpen_RoleWithoutRights(t *testing.T) {
	schema, pool := newSchema(t), admin(t)
	role, u := newRole(t)
	next := func() string {
		err := openError(t, u, pgstore.WithSchema(schema))
		require.ErrorIs(t, err, pgstore.ErrSchema)
		return err.Error()
	}
	msg := next()
	require.Contains(t, msg, `pgstore.SchemaSQL("`+schema+`")`)
	require.Contains(t, msg, "permission denied")
	require.NoError(t, pgstore.Migrate(context.Background(), pool, schema))

	for _, grant := range []string{"GRANT USAGE ON SCHEMA ", "GRANT SELECT, INSERT, UPDATE, DELETE ON "} {
		msg = next()
		at := strings.Index(msg, "GRANT ")
		require.GreaterOrEqual(t, at, 0, msg)
		require.True(t, strings.HasPrefix(msg[at:], grant), msg)
		do(t, pool, msg[at:])
	}
	s := open(t, u, schema)
	id, _ := completed(t, s, "answer", long)
	require.Equal(t, "answer", string(get(t, s, id).Body))
	n, err := s.Sweep(context.Background())
	require.NoError(t, err)
	require.Zero(t, n)

	do(t, pool, "REVOKE UPDATE ON "+table(schema)+" FROM "+role)
	require.Contains(t, next(), "GRANT SELECT, INSERT, UPDATE, DELETE ON")
	_, err = s.Claim(context.Background(), newID(), store.Claim{Owner: store.NewOwner(), Lease: long})
	require.ErrorContains(t, err, "permission denied", "what changes under an open store is an error too")
}

func TestOpen_NobodyWrites(t *testing.T) {
	_, there := newStore(t)
	for _, schema := range []string{there, newSchema(t)} {
		err := openError(t, with(t, serverURL(t), "default_transaction_read_only", "on"), pgstore.WithSchema(schema))
		require.ErrorContains(t, err, "target_session_attrs=read-write")
	}
}

func TestWithSchema_AnyName(t *testing.T) {
	for _, name := range []string{`Say "hi"`, "a.b", "select", "ä ö", "x'; DROP TABLE y; --", "$1", "{table}", strings.Repeat("n", 55)} {
		t.Run(name, func(t *testing.T) {
			schema := ownSchema(t, random()[:8]+name)
			s, other := open(t, serverURL(t), schema), open(t, serverURL(t), schema)
			id, owner := held(t, s)
			notice, stop, err := other.Watch(context.Background(), id)
			require.NoError(t, err)
			defer stop()
			require.NoError(t, s.Settle(context.Background(), id, owner, store.Outcome{State: store.Completed, Body: []byte("answer")}))
			require.Equal(t, "answer", string(get(t, other, id).Body))
			receive(t, notice)
			_, err = s.Sweep(context.Background())
			require.NoError(t, err)
		})
	}
}

func TestWithSchema_AreApart(t *testing.T) {
	a, _ := newStore(t)
	b, _ := newStore(t)
	id, _ := completed(t, a, "answer", long)
	require.Equal(t, store.Record{}, get(t, b, id))
}

// TestOpen_RefusesOptions: before anything is connected.
func TestOpen_RefusesOptions(t *testing.T) {
	for want, opt := range map[string]pgstore.Option{
		"is empty":               pgstore.WithSchema(""),
		"has 64 bytes":           pgstore.WithSchema(strings.Repeat("x", 64)),
		"without NUL":            pgstore.WithSchema("a\x00b"),
		"UTF-8":                  pgstore.WithSchema("a\xff"),
		"PostgreSQL's own":       pgstore.WithSchema("pg_mine"),
		"WithMaxEntry(0)":        pgstore.WithMaxEntry(0),
		"WithMaxEntry(-1)":       pgstore.WithMaxEntry(-1),
		"use 1 to 268435456":     pgstore.WithMaxEntry(1 << 40),
		"a batch of -1":          pgstore.WithSweep(0, -1),
		"pgstore: WithListenURL": pgstore.WithListenURL("postgres://u:secret@h:port/"),
	} {
		err := openError(t, "postgres://127.0.0.1:1/", opt)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
	err := openError(t, "postgres://u:secret@127.0.0.1:1/db?connect_timeout=1")
	require.ErrorContains(t, err, "pgstore: looking for the table")
	require.NotContains(t, err.Error(), "secret")
	err = openError(t, "postgres://u:secret@h:port/")
	require.NotContains(t, err.Error(), "secret")
}

func TestNew_NoPool(t *testing.T) {
	_, err := pgstore.New(context.Background(), nil)
	require.ErrorContains(t, err, "the pool is nil")
	require.Equal(t, err, pgstore.Migrate(context.Background(), nil, ""))
}

func TestNew_LeavesThePool(t *testing.T) {
	ctx := context.Background()
	cfg, err := pgxpool.ParseConfig(serverURL(t))
	require.NoError(t, err)
	var mine, others int // made by the hooks of the pool
	cfg.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		c.RuntimeParams["application_name"] = "hooked"
		return nil
	}
	var mu sync.Mutex
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		var name string
		err := c.QueryRow(ctx, "SHOW application_name").Scan(&name)
		mu.Lock()
		defer mu.Unlock()
		if name == "hooked" {
			mine++
		} else {
			others++
		}
		return err
	}
	cfg.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	require.NoError(t, err)
	defer pool.Close()
	s, err := pgstore.New(ctx, pool, pgstore.WithSchema(newSchema(t)))
	require.NoError(t, err)
	id, _ := held(t, s)
	_, stop, err := s.Watch(ctx, id)
	require.NoError(t, err, "it listens beside a pool that has one connection")
	stop()
	require.NoError(t, s.Close(ctx))
	require.NoError(t, s.Close(ctx), "again")
	require.NoError(t, pool.Ping(ctx), "the pool is the caller's")
	require.EqualValues(t, 0, pool.Stat().AcquiredConns())
	require.Equal(t, 2, mine, "the connection that listens is made as the pool makes its")
	require.Zero(t, others)
}
