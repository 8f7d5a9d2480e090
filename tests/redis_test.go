package tests

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// redis is a server of a test's own.
type redis struct {
	t    *testing.T
	dir  string
	addr string
	cmd  *exec.Cmd
}

func startRedis(t *testing.T) *redis {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &redis{t: t, dir: t.TempDir(), addr: l.Addr().String()}
	require.NoError(t, l.Close())
	r.start()
	t.Cleanup(func() {
		_ = r.cmd.Process.Signal(syscall.SIGCONT)
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	})
	return r
}

func (r *redis) url() string { return "redis://" + r.addr }

// start starts the server over the files of its last life.
func (r *redis) start() {
	_, port, err := net.SplitHostPort(r.addr)
	require.NoError(r.t, err)
	r.cmd = exec.Command(redisProgram(r.t), "--bind", "127.0.0.1", "--port", port, "--dir", r.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always")
	r.cmd.Stdout, r.cmd.Stderr = io.Discard, os.Stderr
	require.NoError(r.t, r.cmd.Start())
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.addr)
		if err == nil {
			conn.Close()
			return
		}
		require.NoError(r.t, ctx.Err(), "redis-server does not start")
		pause(ctx, 20*time.Millisecond)
	}
}

// restart kills the server and starts it again after a while.
func (r *redis) restart(away time.Duration) {
	require.NoError(r.t, r.cmd.Process.Kill())
	_ = r.cmd.Wait()
	pause(r.t.Context(), away)
	r.start()
}

// freeze stops the server for a while: connections stay, replies do not come.
func (r *redis) freeze(d time.Duration) {
	require.NoError(r.t, r.cmd.Process.Signal(syscall.SIGSTOP))
	pause(r.t.Context(), d)
	require.NoError(r.t, r.cmd.Process.Signal(syscall.SIGCONT))
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
