package pgstore_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

// pgBouncer starts a pool in transaction mode before the server, with few
// connections, so that clients do share them, and returns its URL.
func pgBouncer(t *testing.T) string {
	t.Helper()
	server := serverURL(t)
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("pgbouncer is not installed")
		}
		t.Skip("pgbouncer is not installed; apt-get install pgbouncer, or brew install pgbouncer")
	}
	cfg, err := pgx.ParseConfig(server)
	require.NoError(t, err)
	addr := freeAddress(t)
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "pgbouncer") // t.TempDir is closed to other users
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	password := ""
	if cfg.Password != "" {
		password = " password='" + strings.ReplaceAll(cfg.Password, "'", "''") + "'"
	}
	ini := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(t, os.WriteFile(ini, fmt.Appendf(nil, `[databases]
%s = host=%s port=%d user=%s%s
[pgbouncer]
listen_addr = %s
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 1000
`, cfg.Database, cfg.Host, cfg.Port, cfg.User, password, host, port), 0o644))
	args := []string{ini}
	if os.Getuid() == 0 { // it refuses to run as root
		args = append([]string{"-u", "nobody"}, args...)
	}
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	eventually(t, "pgbouncer listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Host = addr
	return with(t, u.String(), "sslmode", "disable")
}

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// lines are log lines to be looked at.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestTransactionPool_Conformance runs the suite through a pool in transaction
// mode, with pgx as it comes, which prepares statements, and told not to.
func TestTransactionPool_Conformance(t *testing.T) {
	u := pgBouncer(t)
	for _, mode := range []string{"cache_statement", "cache_describe"} {
		t.Run(mode, func(t *testing.T) {
			schema := newSchema(t)
			storetest.Run(t, func(t *testing.T) store.Store {
				return open(t, with(t, u, "default_query_exec_mode", mode), schema, pgstore.WithMaxEntry(limit))
			}, storetest.Limit(limit))
		})
	}
}

// TestTransactionPool_Notices: a store finds out that it cannot listen, who waits
// then asks; its own notices reach others; and past the pool it can listen.
func TestTransactionPool_Notices(t *testing.T) {
	ctx := context.Background()
	u := pgBouncer(t)
	direct, schema := newStore(t)
	var log lines
	pooled := open(t, u, schema, pgstore.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))

	id, owner := held(t, direct)
	_, _, err := pooled.Watch(ctx, id)
	require.Error(t, err)
	ended := waiting(pooled, id)
	require.NoError(t, direct.Settle(ctx, id, owner, store.Outcome{State: store.Completed, Body: []byte("answer")}))
	require.Equal(t, "answer", string((<-ended).Body))
	eventually(t, "it says why", func() bool { return strings.Contains(log.String(), "a notice did not come back") })
	require.Contains(t, log.String(), "pgstore.WithListenURL")
	_, _, err = pooled.Watch(ctx, id)
	require.Error(t, err, "at once, since it knows")

	past := open(t, u, schema, pgstore.WithListenURL(serverURL(t)))
	id, owner = held(t, pooled)
	atDirect, atPast := watched(t, direct, id), watched(t, past, id)
	drain(atDirect)
	drain(atPast)
	require.NoError(t, pooled.Settle(ctx, id, owner, store.Outcome{State: store.Absent}))
	receive(t, atDirect)
	receive(t, atPast)
}

// TestTransactionPool_Migrates: the lock of those who migrate is not left behind
// on a connection that others get next.
func TestTransactionPool_Migrates(t *testing.T) {
	u, schema := pgBouncer(t), newSchema(t)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			s, err := pgstore.Open(context.Background(), u, pgstore.WithSchema(schema))
			if err == nil {
				err = s.Close(context.Background())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Zero(t, ask[int](t, admin(t), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
}
