package boltstore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

func TestOpen_SaysWhoHasTheFile(t *testing.T) {
	path := file(t)
	c := start(t, "hold", path)
	require.Equal(t, "open", c.line(t))
	_, err := boltstore.Open(path, boltstore.WithLockTimeout(time.Millisecond))
	require.ErrorIs(t, err, boltstore.ErrLocked)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, ": close it there, or use another path")
	require.ErrorContains(t, err, "redisstore or pgstore")
	if named(c.Process.Pid) {
		require.ErrorContains(t, err, fmt.Sprintf("open in process %d (", c.Process.Pid))
	}
	require.NoError(t, c.stdin.Close())
	require.NoError(t, c.Wait())

	s := open(t, path)
	_, err = boltstore.Open(path, boltstore.WithLockTimeout(time.Millisecond))
	require.ErrorIs(t, err, boltstore.ErrLocked)
	put(t, s, "a", "the one that has it is not disturbed", 0)
}

// named reports whether the kernel lists a lock of that process.
func named(pid int) bool {
	locks, err := os.ReadFile("/proc/locks")
	return err == nil && slices.Contains(strings.Fields(string(locks)), strconv.Itoa(pid))
}

// TestOpen_WaitsForTheLock: a process that takes over from another waits for it.
func TestOpen_WaitsForTheLock(t *testing.T) {
	path := file(t)
	first, err := boltstore.Open(path)
	require.NoError(t, err)
	opened := make(chan error, 1)
	go func() {
		second, err := boltstore.Open(path, boltstore.WithLockTimeout(time.Minute))
		if err == nil {
			err = second.Close()
		}
		opened <- err
	}()
	require.NoError(t, first.Close())
	require.NoError(t, <-opened)
}

func TestOpen_MakesAPrivateFile(t *testing.T) {
	path := file(t)
	_ = open(t, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing but the file")
	_, err = boltstore.Open(filepath.Join(t.TempDir(), "missing", "records.db"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestOpen_OnceForAll: of many that make a file at once one has it, and the others
// are told so.
func TestOpen_OnceForAll(t *testing.T) {
	path := file(t)
	results := make(chan error)
	for range 8 {
		go func() {
			s, err := boltstore.Open(path, boltstore.WithLockTimeout(time.Minute))
			if err == nil {
				c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour}
				id := randomID()
				if _, err = s.Claim(context.Background(), id, c); err == nil {
					err = s.Settle(context.Background(), id, c.Owner, store.Outcome{State: store.Completed})
				}
				if e := s.Close(); err == nil {
					err = e
				}
			}
			results <- err
		}()
	}
	for range 8 {
		require.NoError(t, <-results)
	}
	require.EqualValues(t, 8, open(t, path).Stats().Records)
}

func TestOpen_RefusesOptions(t *testing.T) {
	for want, o := range map[string]boltstore.Option{
		"WithMaxEntry(0); use 1 to":            boltstore.WithMaxEntry(0),
		"WithMaxEntry(2147483647)":             boltstore.WithMaxEntry(1<<31 - 1),
		"WithSweep(0); use a positive":         boltstore.WithSweep(0),
		"WithLockTimeout(-1s); use a positive": boltstore.WithLockTimeout(-time.Second),
		"WithNow(nil); leave it out":           boltstore.WithNow(nil),
		"an Option is nil":                     nil,
	} {
		path := file(t)
		_, err := boltstore.Open(path, o)
		require.ErrorContains(t, err, want)
		require.NoFileExists(t, path)
	}
}

func TestStore_Closed(t *testing.T) {
	s := open(t, file(t))
	c := claim(t, s, "a", time.Hour)
	require.Equal(t, store.Traits{Durable: true}, store.TraitsOf(s))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err := s.Claim(t.Context(), "b", c)
	require.ErrorIs(t, err, boltstore.ErrClosed)
	_, err = s.Get(t.Context(), "a")
	require.ErrorIs(t, err, boltstore.ErrClosed)
	require.ErrorIs(t, s.Renew(t.Context(), "a", c.Owner, time.Hour), boltstore.ErrClosed)
	require.ErrorIs(t, s.Settle(t.Context(), "a", c.Owner, store.Outcome{}), boltstore.ErrClosed)
}

// TestStore_ClosedInUse: whoever uses a store while it is closed gets an answer or
// ErrClosed.
func TestStore_ClosedInUse(t *testing.T) {
	s := open(t, file(t), boltstore.WithSweep(time.Millisecond))
	ended := make(chan error)
	for range 16 {
		go func() {
			for {
				id, c := randomID(), store.Claim{Owner: store.NewOwner(), Lease: time.Hour}
				_, err := s.Claim(context.Background(), id, c)
				if err == nil {
					_, err = s.Get(context.Background(), id)
				}
				if err == nil {
					err = s.Settle(context.Background(), id, c.Owner, store.Outcome{State: store.Unknown})
				}
				if err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	require.Eventually(t, func() bool { return s.Stats().Records > 50 }, time.Minute, time.Millisecond)
	require.NoError(t, s.Close())
	for range 16 {
		require.ErrorIs(t, <-ended, boltstore.ErrClosed)
	}
}

func TestStore_AnyID(t *testing.T) {
	s := open(t, file(t))
	for _, id := range []string{"", "\x00", strings.Repeat("i", 32_000)} {
		put(t, s, id, "answer", 0)
		require.Equal(t, "answer", string(get(t, s, id).Body))
	}
	_, err := s.Get(t.Context(), strings.Repeat("i", 32_001))
	require.ErrorContains(t, err, "an id of 32001 bytes; at most 32000")
}
