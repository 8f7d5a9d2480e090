//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/stretchr/testify/require"
)

func TestVerifyEndsWithCtrlC(t *testing.T) {
	srv := llmtest.New(t)
	srv.Handle(func(*llmtest.Request) llmtest.Fault {
		_ = syscall.Kill(os.Getpid(), syscall.SIGINT) // this process; without it the request times out below
		return llmtest.Hang()
	})
	r := verifyURL(t, srv.URL())
	require.Equal(t, statusMute, r.status)
	require.Contains(t, r.err, "llmidem: interrupted after 1 call\n")
	require.Len(t, srv.Ledger().Requests, 1)
}
