//go:build linux || darwin

package audit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// fillUp appends until the file may not grow, says how far it came, and goes on when
// there is room again.
func fillUp(path string) error {
	signal.Ignore(syscall.SIGXFSZ) // the write fails instead
	const most = 10_000            // is no record's end
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		return err
	}
	l, err := audit.Open(path)
	if err != nil {
		return err
	}
	n := 1
	for ; err == nil; n++ {
		_, err = l.Append(context.Background(), audit.Record{Kind: audit.KindIntent, Model: "m"})
	}
	if !errors.Is(err, syscall.EFBIG) || errors.Is(err, audit.ErrUnusable) || errors.Is(err, audit.ErrInDoubt) {
		return err
	}
	if _, err := l.Append(context.Background(), audit.Record{Kind: audit.KindIntent, Model: "m"}); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("once more: %w", err)
	}
	fmt.Println(n-1, l.Head())
	_ = os.Stdout.Sync()
	return l.Close()
}

// TestA4_DiskFull: when nothing more can be written, Append fails, and what was there is
// there and no piece of anything else.
func TestA4_DiskFull(t *testing.T) {
	path := logPath(t)
	c := start(t, "full", path)
	var text, anchor string
	_, err := fmt.Sscan(c.line(t), &text, &anchor)
	require.NoError(t, err)
	require.NoError(t, c.Wait())
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	require.Greater(t, n, 10)
	head, err := audit.ParseHead(anchor)
	require.NoError(t, err)
	r, err := verifyLog(t, path, audit.Check{Head: head})
	require.NoError(t, err)
	require.Equal(t, head, r.Head)
	require.EqualValues(t, n, r.Records)
	l := open(t, path)
	call(t, l, 1, audit.OutcomeAnswered)
	require.NoError(t, l.Close())
	_, err = verifyLog(t, path, audit.Check{Head: l.Head()})
	require.NoError(t, err)
}

// TestA4_DiskFullAtRotation has no room for the next file: the log goes on where it was
// to once there is some.
func TestA4_DiskFullAtRotation(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/audit.jsonl"
	l := open(t, path, audit.RotateSize(4096))
	first := l.Head()
	for l.Head().Sequence < 5 {
		call(t, l, 1, audit.OutcomeAnswered)
	}
	// A file of that name is in the way of the one that is full.
	inWay := dir + "/audit-0000000000000001.jsonl"
	require.NoError(t, os.WriteFile(inWay, nil, 0o600))
	var err error
	for err == nil {
		_, err = l.Append(t.Context(), audit.Record{Kind: audit.KindIntent})
	}
	require.ErrorContains(t, err, "which there is already; move that away")
	require.NotErrorIs(t, err, audit.ErrUnusable)
	require.NoError(t, os.Remove(inWay))
	call(t, l, 2, audit.OutcomeAnswered)
	require.NoError(t, l.Close())
	files, err := audit.Files(path)
	require.NoError(t, err)
	require.Equal(t, []string{inWay, path}, files)
	r, err := verifyLog(t, path, audit.Check{Head: l.Head()})
	require.NoError(t, err)
	_, err = verifyLog(t, path, audit.Check{Head: first})
	require.NoError(t, err)
	require.Equal(t, l.Head(), r.Head)
}
