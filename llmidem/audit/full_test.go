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

// TestA4_NameTaken: a file lies where the one that is full would go. It is not replaced,
// and the log goes on once it is gone.
func TestA4_NameTaken(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/audit.jsonl"
	l := open(t, path, audit.RotateSize(4096))
	first := l.Head()
	for l.Head().Sequence < 5 {
		call(t, l, 1, audit.OutcomeAnswered)
	}
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

// fullAtRotation has no room for the next file once the first one is full, and then some.
func fullAtRotation(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	l, err := audit.Open(path, audit.RotateSize(4096))
	if err != nil {
		return err
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	room := func(bytes uint64) error {
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: was.Max})
	}
	appendOne := func() error {
		_, err := l.Append(context.Background(), audit.Record{Kind: audit.KindIntent, Model: "m"})
		return err
	}
	for size := int64(0); size < 3600; { // from where one more is too many
		if err := appendOne(); err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		size = info.Size()
	}
	for range 3 { // each begins the next file and has no room for all of its first record
		if err := errors.Join(room(100), expect(appendOne(), syscall.EFBIG), expect(appendOne(), syscall.EFBIG)); err != nil {
			return err
		}
	}
	if err := errors.Join(room(was.Cur), appendOne(), appendOne()); err != nil {
		return err
	}
	fmt.Println(l.Head())
	return l.Close()
}

func expect(err, want error) error {
	if !errors.Is(err, want) || errors.Is(err, audit.ErrUnusable) || errors.Is(err, audit.ErrInDoubt) {
		return fmt.Errorf("not %v: %w", want, err)
	}
	return nil
}

// TestA4_DiskFullAtRotation: the log goes on in the next file when there is room for it.
func TestA4_DiskFullAtRotation(t *testing.T) {
	path := logPath(t)
	c := start(t, "full at rotation", path)
	head, err := audit.ParseHead(c.line(t))
	require.NoError(t, err)
	require.NoError(t, c.Wait())
	files, err := audit.Files(path)
	require.NoError(t, err)
	require.Len(t, files, 2)
	r, err := verifyLog(t, path, audit.Check{Head: head})
	require.NoError(t, err)
	require.Equal(t, head, r.Head)
	list := decode(t, read(t, path))
	require.Equal(t, audit.KindRotated, list[0].Kind)
	require.Len(t, list, 3)
}
