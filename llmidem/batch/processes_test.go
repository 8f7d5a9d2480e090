package batch_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// server returns what a variable says, which tells where a server is.
func server(t *testing.T, variable, how string) string {
	t.Helper()
	where := os.Getenv(variable)
	switch {
	case where != "":
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not set", variable)
	default:
		t.Skipf("%s is not set; start a server by: %s", variable, how)
	}
	return where
}

// postgres is a schema of a server for one test.
func postgres(t *testing.T) (url, schema string) {
	url = server(t, "LLMIDEM_TEST_POSTGRES", "docker run --rm -d -p 5432:5432 -e POSTGRES_PASSWORD=test postgres, "+
		"and set it to postgres://postgres:test@localhost:5432/postgres")
	schema = "llmidem_batch_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), url)
		require.NoError(t, err)
		_, err = conn.Exec(context.Background(), `DROP SCHEMA IF EXISTS `+schema+` CASCADE`)
		require.NoError(t, err)
		require.NoError(t, conn.Close(context.Background()))
	})
	return url, schema
}

// redis is a prefix of the keys of a server for one test.
func redis(t *testing.T) (url, prefix string) {
	address := server(t, "LLMIDEM_TEST_REDIS", "redis-server --port 16379 --save '', and set it to 127.0.0.1:16379")
	prefix = "llmidem-batch-" + strings.ToLower(rand.Text()) + ":"
	t.Cleanup(func() {
		ctx := context.Background()
		c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, DisableCache: true})
		require.NoError(t, err)
		defer c.Close()
		for cursor := uint64(0); ; {
			page, err := c.Do(ctx, c.B().Scan().Cursor(cursor).Match(prefix+"*").Count(1000).Build()).AsScanEntry()
			require.NoError(t, err)
			if len(page.Elements) > 0 {
				require.NoError(t, c.Do(ctx, c.B().Del().Key(page.Elements...).Build()).Error())
			}
			if cursor = page.Cursor; cursor == 0 {
				return
			}
		}
	})
	return "redis://" + address, prefix
}

// TestB5_Processes: two, then four processes on one database.
func TestB5_Processes(t *testing.T) {
	for name, where := range map[string]func(*testing.T) (url, part string){"PostgreSQL": postgres, "Redis": redis} {
		for _, workers := range []int{2, 4} {
			t.Run(fmt.Sprint(name, " ", workers), func(t *testing.T) {
				url, part := where(t)
				workAsProcesses(t, order{State: url, Part: part, Concurrency: 8}, workers)
			})
		}
	}
}

func workAsProcesses(t *testing.T, o order, workers int) {
	t.Helper()
	srv := startServer(t)
	srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Delay(5 * time.Millisecond) })
	const n = 400
	dir := t.TempDir()
	o.URL, o.In = srv.URL(), filepath.Join(dir, "in")
	require.NoError(t, os.WriteFile(o.In, []byte(items(n)), 0o600))
	sent := 0
	var ends []func()
	for w := range workers {
		o.Out = filepath.Join(dir, fmt.Sprint("out", w))
		cmd, out := o.start(t)
		path := o.Out
		ends = append(ends, func() {
			sent += wait(t, cmd, out).Sent
			checkAnswers(t, resultsIn(t, path), n)
		})
	}
	for _, end := range ends {
		end()
	}
	require.Equal(t, n, sent)
	require.Equal(t, n, srv.Ledger().Executions(), "none is executed twice")
}
