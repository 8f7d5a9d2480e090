package tests

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/pgstore"
	"github.com/llmidem/llmidem-go/llmidem/store/redisstore"
)

// open opens the store at a URL.
func open(ctx context.Context, at string) (store.Store, func(), error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, nil, err
	}
	switch u.Scheme {
	case "redis":
		s, err := redisstore.Open(ctx, at)
		if err != nil {
			return nil, nil, err
		}
		return s, func() { _ = s.Close() }, nil
	case "postgres":
		s, err := pgstore.Open(ctx, at)
		if err != nil {
			return nil, nil, err
		}
		return s, func() { _ = s.Close(context.Background()) }, nil
	}
	return nil, nil, fmt.Errorf("no store at %s://", u.Scheme)
}

// need skips a test that lacks a server, and fails it where it must not lack one.
func need(t *testing.T, lacking, command string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing", lacking)
	}
	t.Skipf("%s is missing; %s", lacking, command)
}

func postgresURL(t *testing.T) string {
	t.Helper()
	at := os.Getenv("LLMIDEM_TEST_POSTGRES")
	if at == "" {
		need(t, "LLMIDEM_TEST_POSTGRES", "start one with: docker run --rm -e POSTGRES_HOST_AUTH_METHOD=trust -p 5432:5432 postgres, "+
			"and set LLMIDEM_TEST_POSTGRES=postgres://postgres@127.0.0.1/postgres")
	}
	return at
}

// redisProgram is the server's program, since these tests stop it as they like.
func redisProgram(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		need(t, "redis-server", "install it with: apt-get install redis-server")
	}
	return path
}
