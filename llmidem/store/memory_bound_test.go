package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// overhead is what a record counts beside id and body; the tests below fail when
// it is not what the store counts or not what a record takes.
const overhead = 250

// put completes a record.
func put(t testing.TB, m *store.Memory, id string, body []byte, ttl time.Duration) error {
	t.Helper()
	return m.Settle(t.Context(), id, claim(t, m, id, time.Minute), store.Outcome{State: store.Completed, Body: body, TTL: ttl})
}

func claim(t testing.TB, m *store.Memory, id string, lease time.Duration) store.Owner {
	t.Helper()
	o := store.NewOwner()
	r, err := m.Claim(t.Context(), id, store.Claim{Owner: o, Lease: lease, Takeover: store.TakeSettled})
	if err != nil || r.Owner != o {
		t.Fatalf("claim of %s: %+v, %v", id, r, err)
	}
	return o
}

func state(t testing.TB, m *store.Memory, id string) store.State {
	t.Helper()
	r, err := m.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r.State
}

func TestP4_EntryBound(t *testing.T) {
	m := newMemory(t, store.MemoryConfig{Entries: 3})
	for i := range 3 {
		_ = put(t, m, fmt.Sprint(i), nil, 0)
	}
	_ = state(t, m, "0") // now 1 is the least recently used
	_ = put(t, m, "3", nil, 0)
	for id, want := range map[string]store.State{"0": store.Completed, "1": store.Absent, "2": store.Completed, "3": store.Completed} {
		if got := state(t, m, id); got != want {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
	if s := m.Stats(); s.Entries != 3 || s.Evictions != 1 {
		t.Errorf("%+v", s)
	}
}

func TestP4_ByteBound(t *testing.T) {
	const each = 1 + 1000 + overhead
	m := newMemory(t, store.MemoryConfig{Bytes: 3 * each})
	for _, id := range []string{"a", "b", "c"} {
		_ = put(t, m, id, make([]byte, 1000), 0)
	}
	if s := m.Stats(); s.Bytes != 3*each || s.Entries != 3 || s.Evictions != 0 {
		t.Fatalf("three fill it: %+v", s)
	}
	_ = put(t, m, "d", []byte{1}, 0) // one byte too many for all four
	if s := m.Stats(); s.Bytes != 2*each+1+1+overhead || s.Entries != 3 || s.Evictions != 1 {
		t.Errorf("%+v", s)
	}
	if got := state(t, m, "a"); got != store.Absent {
		t.Errorf("the oldest is %v", got)
	}
	for _, id := range []string{"b", "c", "d"} { // to nothing, by every way out
		_ = m.Settle(t.Context(), id, claim(t, m, id, time.Minute), store.Outcome{State: store.Absent})
	}
	if s := m.Stats(); s.Bytes != 0 || s.Entries != 0 || s.InFlight != 0 {
		t.Errorf("emptied: %+v", s)
	}
}

func TestP4_ManyRecordsStayInBounds(t *testing.T) {
	c := newClock()
	const entries, bytes = 50, 20_000
	m := newMemory(t, store.MemoryConfig{Entries: entries, Bytes: bytes, Now: c.Now})
	for i := range 2000 {
		id := fmt.Sprint(i % 70)
		switch i % 5 {
		case 0:
			_ = claim(t, m, id+"dead", time.Second)
		default:
			_ = put(t, m, id, make([]byte, i%900), time.Duration(i%7)*time.Second)
		}
		c.Advance(200 * time.Millisecond)
		if s := m.Stats(); s.Entries > entries || s.Bytes > bytes || s.Bytes < int64(s.Entries)*overhead {
			t.Fatalf("after %d: %+v", i, s)
		}
	}
	if s := m.Stats(); s.Evictions == 0 || s.InFlight > 64 {
		t.Errorf("%+v", s)
	}
}

func TestP4_TTL(t *testing.T) {
	c := newClock()
	m := newMemory(t, store.MemoryConfig{Entries: 2, Now: c.Now})
	_ = put(t, m, "a", []byte("a"), time.Minute)
	_ = put(t, m, "b", []byte("b"), 2*time.Minute)
	c.Advance(time.Minute)
	if s := m.Stats(); s.Entries != 2 {
		t.Fatalf("%+v", s)
	}
	if got := state(t, m, "a"); got != store.Absent {
		t.Errorf("expired: %v", got)
	}
	if s := m.Stats(); s.Entries != 1 || s.Bytes != 2+overhead {
		t.Errorf("an expired record is dropped when it is seen: %+v", s)
	}
	_ = put(t, m, "c", nil, 0)
	c.Advance(time.Minute)
	_ = put(t, m, "d", nil, 0) // takes the place of b, whose time was over
	if s := m.Stats(); s.Evictions != 0 || s.Entries != 2 {
		t.Errorf("an expired record that goes was not evicted: %+v", s)
	}
}

// A TTL that ends beyond the end of time has no end.
func TestP4_EndlessTTL(t *testing.T) {
	c := newClock()
	m := newMemory(t, store.MemoryConfig{Now: c.Now})
	c.Advance(time.Hour)
	_ = put(t, m, "a", nil, 1<<63-1)
	c.Advance(100 * 365 * 24 * time.Hour)
	if r, _ := m.Get(t.Context(), "a"); r.State != store.Completed || r.Left != 0 {
		t.Errorf("%v, left %v", r.State, r.Left)
	}
}

// A claim in flight is never evicted, however many records come and go.
func TestP4_ClaimsAreNotEvicted(t *testing.T) {
	m := newMemory(t, store.MemoryConfig{Entries: 1, Bytes: 1000})
	owners := map[string]store.Owner{}
	for i := range 500 {
		id := fmt.Sprint("flight", i)
		owners[id] = claim(t, m, id, time.Minute)
		_ = put(t, m, fmt.Sprint("done", i), make([]byte, 100), 0)
	}
	if s := m.Stats(); s.InFlight != 500 || s.Entries != 1 {
		t.Fatalf("%+v", s)
	}
	for id, o := range owners {
		if err := m.Renew(t.Context(), id, o, time.Minute); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
}

// Claims whose owner died and that nobody asks for again do not pile up.
func TestP4_DeadClaimsAreBounded(t *testing.T) {
	c := newClock()
	m := newMemory(t, store.MemoryConfig{Entries: 10, Now: c.Now})
	for i := range 10_000 {
		_ = claim(t, m, fmt.Sprint(i), time.Second)
		c.Advance(time.Second)
	}
	if s := m.Stats(); s.InFlight > 64 || s.Entries != 10 {
		t.Errorf("%+v", s)
	}
	if got := state(t, m, "9999"); got != store.Unknown {
		t.Errorf("the last one is %v", got)
	}
}

func TestP10_RefusedForSize(t *testing.T) {
	m := newMemory(t, store.MemoryConfig{Bytes: 1000, MaxEntry: 1 << 20})
	if err := put(t, m, "a", make([]byte, 1000-1-overhead), 0); err != nil {
		t.Errorf("fills it to the byte: %v", err)
	}
	if err := put(t, m, "b", make([]byte, 1000-overhead), 0); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("larger than all there is: %v", err)
	}
	if got := state(t, m, "a"); got != store.Completed {
		t.Errorf("what was there had to go for an answer that is not kept: %v", got)
	}
	if s := m.Stats(); s.Refused != 1 || s.InFlight != 0 || s.Evictions != 0 {
		t.Errorf("%+v", s)
	}
}
