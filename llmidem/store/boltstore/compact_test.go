package boltstore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

func TestCompact(t *testing.T) {
	path, c := file(t), newClock()
	s := open(t, path, boltstore.WithNow(c.Now))
	long := strings.Repeat("answer", 50_000)
	for i := range 20 {
		put(t, s, fmt.Sprint("goes ", i), long, time.Minute)
		put(t, s, fmt.Sprint("stays ", i), fmt.Sprint("answer ", i), time.Hour)
	}
	_ = claim(t, s, "held", time.Hour)
	before := s.Stats().Bytes
	require.ErrorIs(t, boltstore.Compact(t.Context(), path, boltstore.WithLockTimeout(time.Millisecond)), boltstore.ErrLocked)
	require.NoError(t, s.Close())

	c.Advance(time.Minute)
	require.NoError(t, boltstore.Compact(t.Context(), path, boltstore.WithNow(c.Now)))
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
	s = open(t, path, boltstore.WithNow(c.Now))
	require.Less(t, s.Stats().Bytes, before/20)
	require.EqualValues(t, 21, s.Stats().Records)
	for i := range 20 {
		require.Equal(t, fmt.Sprint("answer ", i), string(get(t, s, fmt.Sprint("stays ", i)).Body))
		require.Equal(t, store.Absent, get(t, s, fmt.Sprint("goes ", i)).State)
	}
	require.Equal(t, store.Unknown, get(t, s, "held").State)
	put(t, s, "another", long, 0)
	require.Equal(t, long, string(get(t, s, "another").Body))
	require.NoError(t, s.Close())

	content, err := os.ReadFile(path)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, boltstore.Compact(ctx, path), context.Canceled)
	left, err = os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, len(content), len(after))
	require.ErrorIs(t, boltstore.Compact(t.Context(), path+" missing"), os.ErrNotExist)
}

// TestCompact_WhoeverWaitsHasTheNewFile: the lock is that of a file, and the file
// is another afterwards.
func TestCompact_WhoeverWaitsHasTheNewFile(t *testing.T) {
	path := file(t)
	s := open(t, path)
	put(t, s, "before", "answer", 0)
	require.NoError(t, s.Close())
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				err = boltstore.Compact(context.Background(), path, boltstore.WithLockTimeout(time.Minute))
			} else {
				err = settleIn(path, fmt.Sprint(i))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 9, open(t, path).Stats().Records)
}

func settleIn(path, id string) error {
	s, err := boltstore.Open(path, boltstore.WithLockTimeout(time.Minute))
	if err != nil {
		return err
	}
	c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour}
	if _, err = s.Claim(context.Background(), id, c); err == nil {
		err = s.Settle(context.Background(), id, c.Owner, store.Outcome{State: store.Completed})
	}
	if e := s.Close(); err == nil {
		err = e
	}
	return err
}

// TestP4_BytesPerRecord: what a record takes in the file beside its answer, as
// many at once write them.
func TestP4_BytesPerRecord(t *testing.T) {
	const n, most = 20_000, 500
	for _, size := range []int{0, 1 << 10} {
		path := file(t)
		s := open(t, path)
		fillStore(t, s, n, size)
		written := s.Stats().Bytes/n - int64(size)
		require.NoError(t, s.Close())
		require.NoError(t, boltstore.Compact(t.Context(), path))
		s = open(t, path)
		compacted := s.Stats().Bytes/n - int64(size)
		t.Logf("a body of %d bytes: %d bytes beside it, %d after Compact", size, written, compacted)
		require.EqualValues(t, n, s.Stats().Records)
		require.LessOrEqual(t, written, int64(most))
		require.Less(t, compacted, written)
		require.NoError(t, s.Close())
	}
}
