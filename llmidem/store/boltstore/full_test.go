//go:build linux || darwin

package boltstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

// fillUp writes until the file may not grow, and says how far it came and that the
// store is of use still.
func fillUp(path string) error {
	signal.Ignore(syscall.SIGXFSZ) // the write fails instead
	const most = 4 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		return err
	}
	s, err := boltstore.Open(path)
	if err != nil {
		return err
	}
	n := 0
	for ctx := context.Background(); ; n++ {
		id := fmt.Sprint("record ", n)
		c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour}
		if _, err = s.Claim(ctx, id, c); err == nil {
			err = s.Settle(ctx, id, c.Owner, store.Outcome{State: store.Completed, Body: []byte(fullBody(n))})
		}
		if err != nil {
			break
		}
	}
	if errors.Is(err, boltstore.ErrDamaged) || !errors.Is(err, syscall.EFBIG) && !strings.Contains(err.Error(), "file too large") {
		return err
	}
	for i := range n {
		r, err := s.Get(context.Background(), fmt.Sprint("record ", i))
		if err != nil || string(r.Body) != fullBody(i) {
			return fmt.Errorf("record %d: %v %w", i, r.State, err)
		}
	}
	c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour, Takeover: store.TakeSettled}
	if _, err := s.Claim(context.Background(), "record 0", c); err != nil {
		return fmt.Errorf("a claim, for which there is room: %w", err)
	}
	if err := s.Settle(context.Background(), "record 0", c.Owner, store.Outcome{State: store.Absent}); err != nil {
		return fmt.Errorf("a release, for which there is room: %w", err)
	}
	fmt.Println(n)
	_ = os.Stdout.Sync()
	return s.Close()
}

func fullBody(n int) string { return strings.Repeat(strconv.Itoa(n), 1000) }

// TestS13_DiskFull: when nothing more can be written, that is an error, and what
// was there is there.
func TestS13_DiskFull(t *testing.T) {
	path := file(t)
	c := start(t, "full", path)
	n, err := strconv.Atoi(c.line(t))
	require.NoError(t, err)
	require.Greater(t, n, 100)
	require.NoError(t, c.Wait())
	s := open(t, path)
	for i := 1; i < n; i++ {
		require.Equal(t, fullBody(i), string(get(t, s, fmt.Sprint("record ", i)).Body))
	}
	require.Equal(t, store.Absent, get(t, s, "record 0").State)
	put(t, s, "one more", "answer", 0)
}

// TestS9_CutShortWhileOpen: what the memory map has no file for is no crash. Once
// a write met it, the store is of no more use, and gives the file back.
func TestS9_CutShortWhileOpen(t *testing.T) {
	content, answers := sample(t)
	path := file(t)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	s, err := boltstore.Open(path)
	require.NoError(t, err)
	held := claim(t, s, "held", time.Hour)
	require.NoError(t, os.Truncate(path, 2*4096))
	for id := range answers {
		_, err := s.Get(t.Context(), id)
		require.ErrorIs(t, err, boltstore.ErrDamaged)
		_, err = s.Claim(t.Context(), id, store.Claim{Owner: store.NewOwner(), Lease: time.Hour})
		require.ErrorIs(t, err, boltstore.ErrDamaged)
	}
	require.Equal(t, store.InFlight, get(t, s, "held").State)
	err = s.Settle(t.Context(), "held", held.Owner, store.Outcome{State: store.Completed})
	require.ErrorIs(t, err, boltstore.ErrDamaged)
	require.ErrorContains(t, err, "close the store and open it again")
	_, err = s.Get(t.Context(), "held")
	require.ErrorIs(t, err, boltstore.ErrDamaged)
	require.ErrorIs(t, s.Renew(t.Context(), "held", held.Owner, time.Hour), boltstore.ErrDamaged)
	require.NoError(t, s.Close())
	_, err = boltstore.Open(path)
	require.ErrorIs(t, err, boltstore.ErrDamaged, "and not ErrLocked")
}
