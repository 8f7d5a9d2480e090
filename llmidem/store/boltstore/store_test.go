package boltstore_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

// clock is a clock that stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "records.db") }

// open opens a store that is closed with the test, if it is not before.
func open(t testing.TB, path string, opts ...boltstore.Option) *boltstore.Store {
	t.Helper()
	s, err := boltstore.Open(path, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

var sampleFingerprint = store.Fingerprint{1, 2, 3}

func claim(t testing.TB, s store.Store, id string, lease time.Duration) store.Claim {
	t.Helper()
	c := store.Claim{Owner: store.NewOwner(), Lease: lease, Fingerprint: sampleFingerprint}
	r, err := s.Claim(context.Background(), id, c)
	require.NoError(t, err)
	require.Equal(t, c.Owner, r.Owner)
	return c
}

func put(t testing.TB, s store.Store, id, body string, ttl time.Duration) {
	t.Helper()
	c := claim(t, s, id, time.Hour)
	require.NoError(t, s.Settle(context.Background(), id, c.Owner, store.Outcome{State: store.Completed, Body: []byte(body), TTL: ttl}))
}

func get(t testing.TB, s store.Store, id string) store.Record {
	t.Helper()
	r, err := s.Get(context.Background(), id)
	require.NoError(t, err)
	return r
}

func TestStore_Conformance(t *testing.T) {
	const limit = 2 << 20
	t.Run("fake clock", func(t *testing.T) {
		c := newClock()
		storetest.Run(t, func(t *testing.T) store.Store {
			return open(t, file(t), boltstore.WithMaxEntry(limit), boltstore.WithNow(c.Now))
		}, storetest.Advance(c.Advance), storetest.Limit(limit))
	})
	t.Run("real time", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store { return open(t, file(t)) })
	})
}
