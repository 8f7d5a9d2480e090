package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

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

func TestMemory_Counts(t *testing.T) {
	m := newMemory(t, store.MemoryConfig{})
	_ = state(t, m, "a")                       // miss
	_ = put(t, m, "a", nil, 0)                 // its claim: miss
	_ = state(t, m, "a")                       // hit
	_, _ = m.Claim(t.Context(), "a", newOwn()) // hit
	_ = claim(t, m, "b", time.Minute)          // miss
	_, _ = m.Claim(t.Context(), "b", newOwn()) // in flight: neither
	if s := m.Stats(); s.Hits != 2 || s.Misses != 3 || s.Entries != 1 || s.InFlight != 1 {
		t.Errorf("%+v", s)
	}
}

func newOwn() store.Claim { return store.Claim{Owner: store.NewOwner(), Lease: time.Minute} }

func TestNewMemory_RefusesNegatives(t *testing.T) {
	for field, c := range map[string]store.MemoryConfig{
		"Entries": {Entries: -1}, "Bytes": {Bytes: -1}, "MaxEntry": {MaxEntry: -1},
	} {
		m, err := store.NewMemory(c)
		if m != nil || err == nil || !strings.Contains(err.Error(), "MemoryConfig."+field+" is -1; use 0 for the default") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestNewMemory_Defaults(t *testing.T) {
	m := newMemory(t, store.MemoryConfig{})
	if err := put(t, m, "a", make([]byte, 8<<20), 0); err != nil {
		t.Errorf("8 MiB: %v", err)
	}
	if err := put(t, m, "b", make([]byte, 8<<20+1), 0); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("a byte more: %v", err)
	}
	for i := range 7 {
		_ = put(t, m, fmt.Sprint(i), make([]byte, 8<<20), 0)
	}
	if s := m.Stats(); s.Entries != 7 || s.Bytes > 64<<20 || s.Evictions != 1 {
		t.Errorf("64 MiB hold seven of 8 MiB: %+v", s)
	}
	m = newMemory(t, store.MemoryConfig{})
	for i := range 10_001 {
		_ = put(t, m, fmt.Sprint(i), nil, 0)
	}
	if s := m.Stats(); s.Entries != 10_000 {
		t.Errorf("%+v", s)
	}
}

// In a bubble that has ended no goroutine may be left, and its clock runs only
// when all wait: the whole life of a Memory is in its methods.
func TestMemory_NeedsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, store.MemoryConfig{})
		if err := put(t, m, "a", []byte("a"), time.Hour); err != nil {
			t.Error(err)
		}
		before := time.Now()
		<-time.After(time.Hour)
		if got := state(t, m, "a"); got != store.Absent || time.Since(before) != time.Hour {
			t.Errorf("%v after %v", got, time.Since(before))
		}
	})
}

// jumped is t with its wall clock set, and its monotonic reading as it was: what
// time.Now returns after somebody set the clock.
func jumped(t *testing.T, now time.Time, d time.Duration) time.Time {
	t.Helper()
	was := now
	// The seconds of a time with a monotonic reading are bits 30 to 62 of its
	// first word.
	*(*uint64)(unsafe.Pointer(&now)) += uint64(int64(d/time.Second) << 30)
	if now.Sub(was) != 0 || now.Round(0).Sub(was.Round(0)) != d {
		t.Fatal("package time lays out its Time otherwise")
	}
	return now
}

func TestS16_ClockIsSet(t *testing.T) {
	var wall, passed time.Duration
	start := time.Now()
	m := newMemory(t, store.MemoryConfig{Now: func() time.Time { return jumped(t, start.Add(passed), wall) }})
	_ = put(t, m, "gone", nil, time.Minute)
	_ = put(t, m, "there", nil, time.Hour)
	owner := claim(t, m, "held", 10*time.Minute)

	passed = time.Minute
	for _, wall = range []time.Duration{0, 48 * time.Hour, -48 * time.Hour, time.Hour} {
		for id, want := range map[string]store.State{"gone": store.Absent, "there": store.Completed, "held": store.InFlight} {
			if got := state(t, m, id); got != want {
				t.Errorf("clock set by %v: %s is %v, want %v", wall, id, got, want)
			}
		}
		if err := m.Renew(t.Context(), "held", owner, 10*time.Minute); err != nil {
			t.Errorf("clock set by %v: %v", wall, err)
		}
	}
}
