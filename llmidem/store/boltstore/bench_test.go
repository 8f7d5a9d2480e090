package boltstore_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

func randomID() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// spread runs f b.N times on so many goroutines.
func spread(b *testing.B, goroutines int, f func()) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ResetTimer()
	for range goroutines {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				f()
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkCall is a claim and its end, each on the disk, beside the same two
// writes by bbolt itself, and beside what the disk does.
func BenchmarkCall(b *testing.B) {
	ctx := context.Background()
	body := make([]byte, 1024)
	for _, goroutines := range []int{1, 64} {
		b.Run(fmt.Sprintf("store/%d", goroutines), func(b *testing.B) {
			s := open(b, file(b))
			spread(b, goroutines, func() {
				id, c := randomID(), store.Claim{Owner: store.NewOwner(), Lease: time.Minute}
				if _, err := s.Claim(ctx, id, c); err != nil {
					b.Error(err)
				}
				if err := s.Settle(ctx, id, c.Owner, store.Outcome{State: store.Completed, Body: body}); err != nil {
					b.Error(err)
				}
			})
			b.ReportMetric(float64(s.Stats().Writes)/float64(s.Stats().Commits), "writes/commit")
		})
		b.Run(fmt.Sprintf("bbolt/%d", goroutines), func(b *testing.B) {
			db := rawDB(b)
			write := db.Batch
			if goroutines == 1 {
				write = db.Update // a batch of one waits in vain for others
			}
			spread(b, goroutines, func() {
				id := []byte(randomID())
				for _, v := range [][]byte{make([]byte, 112), body} {
					if err := write(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("b")).Put(id, v) }); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	b.Run("fdatasync", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "f"))
		require.NoError(b, err)
		defer func() { _ = f.Close() }()
		page := make([]byte, 4096)
		_, err = f.WriteAt(make([]byte, 1<<20), 0)
		require.NoError(b, err)
		spread(b, 1, func() {
			if _, err := f.WriteAt(page, 4096); err != nil {
				b.Error(err)
			}
			if err := f.Sync(); err != nil {
				b.Error(err)
			}
		})
	})
}

func rawDB(b *testing.B) *bbolt.DB {
	db, err := bbolt.Open(file(b), 0o600, nil)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	require.NoError(b, db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("b")); return err }))
	return db
}

// BenchmarkGet reads a record that is there.
func BenchmarkGet(b *testing.B) {
	for _, size := range []int{0, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, file(b))
			id := randomID()
			put(b, s, id, string(make([]byte, size)), 0)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Get(context.Background(), id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fillStore makes n records with bodies of that size, as a batch does.
func fillStore(b testing.TB, s *boltstore.Store, n, size int) {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for range 256 {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				put(b, s, randomID(), string(make([]byte, size)), time.Hour)
			}
		})
	}
	all.Wait()
}

// BenchmarkOpen verifies a file, which is most of what Open does.
func BenchmarkOpen(b *testing.B) {
	path := file(b)
	s := open(b, path)
	fillStore(b, s, 20_000, 1024)
	b.SetBytes(s.Stats().Bytes)
	require.NoError(b, s.Close())
	for b.Loop() {
		s, err := boltstore.Open(path)
		require.NoError(b, err)
		require.NoError(b, s.Close())
	}
}
