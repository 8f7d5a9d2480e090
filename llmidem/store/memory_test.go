package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
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

func newMemory(t testing.TB, c store.MemoryConfig) *store.Memory {
	t.Helper()
	m, err := store.NewMemory(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMemory_Conformance(t *testing.T) {
	const limit = 2 << 20
	t.Run("fake clock", func(t *testing.T) {
		c := newClock()
		storetest.Run(t, func(t *testing.T) store.Store {
			return newMemory(t, store.MemoryConfig{MaxEntry: limit, Now: c.Now})
		}, storetest.Advance(c.Advance), storetest.Limit(limit))
	})
	t.Run("real time", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store { return newMemory(t, store.MemoryConfig{}) })
	})
}
