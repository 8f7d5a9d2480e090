package store

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/llmidem/llmidem-go/llmidem/internal/watch"
)

// MemoryConfig bounds a [Memory]. Zero values are the defaults.
type MemoryConfig struct {
	// Entries is how many settled records are kept. Default: 10,000.
	Entries int
	// Bytes is how much the settled records may take: for each the length of its
	// id and body and 250 bytes for what is around them. Default: 64 MiB.
	Bytes int64
	// MaxEntry is the longest body that is kept, in bytes; Settle refuses longer
	// ones with [ErrTooLarge], and any that Bytes has no room for. Default: 8 MiB.
	MaxEntry int64
	// Now is the clock. Time must not run backwards in it: time.Now and what is
	// made from it by Add satisfy that through their monotonic reading, whatever
	// happens to the wall clock. Default: time.Now.
	Now func() time.Time
}

// Memory is a [Store] in this process: what is in it ends with the process and is
// seen by nobody else. It starts no goroutine and needs no Close.
//
// Settled records are bounded in number and in bytes; the least recently used one
// goes first. Claims in flight are kept apart: they are never evicted and count
// against no bound. One whose lease ran out becomes a settled record in doubt,
// without a TTL. A record that expired is gone when it is next looked at, and at
// the latest when its turn to be evicted comes.
//
// Bodies are kept and given out by reference. Ids are compared as they are.
// A Memory is safe for concurrent use.
type Memory struct {
	maxEntries int
	maxBytes   int64
	maxEntry   int64
	now        func() time.Time
	start      time.Time

	mu      sync.Mutex
	settled *simplelru.LRU[string, entry]
	flight  map[string]entry
	sweepAt int // how many claims in flight make it worth looking for dead ones
	stats   MemoryStats

	watchers watch.Group
}

// MemoryStats are the counters of a [Memory] since it was made, and what it holds.
type MemoryStats struct {
	// Hits are the times that Claim or Get found a completed record.
	Hits uint64
	// Misses are the times that Claim or Get found no record.
	Misses uint64
	// Evictions are the records that went to make room before their time.
	Evictions uint64
	// Refused are the answers that were too large to be kept.
	Refused uint64
	// Entries is how many settled records there are, those included that have
	// expired and were not looked at since.
	Entries int
	// Bytes is what they count against MemoryConfig.Bytes.
	Bytes int64
	// InFlight is how many claims are held.
	InFlight int
}

// NewMemory returns an empty Memory. The error names the field of the
// configuration that is out of range.
func NewMemory(c MemoryConfig) (*Memory, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	settled, err := simplelru.NewLRU[string, entry](c.Entries, nil)
	if err != nil {
		return nil, err
	}
	return &Memory{
		maxEntries: c.Entries,
		maxBytes:   c.Bytes,
		maxEntry:   c.MaxEntry,
		now:        c.Now,
		start:      c.Now(),
		settled:    settled,
		flight:     make(map[string]entry),
		sweepAt:    minSweep,
	}, nil
}

// Claim is [Store.Claim]. It fails when the context has ended or the claim lacks
// an owner or a lease.
func (m *Memory) Claim(ctx context.Context, id string, c Claim) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	if err := c.Validate(); err != nil {
		return Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	standing := m.find(id, now)
	if !c.Takeover.Replaces(standing.State) {
		return standing, nil
	}
	m.drop(id)
	f := entry{state: InFlight, owner: c.Owner, fingerprint: c.Fingerprint, origin: c.Origin, since: now, until: after(now, c.Lease)}
	m.sweep(now)
	m.flight[id] = f
	won := f.record(now)
	won.Prior = standing.State
	return won, nil
}

// Renew is [Store.Renew].
func (m *Memory) Renew(ctx context.Context, id string, owner Owner, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := ValidateLease(lease); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	f, ok := m.held(id, owner, now)
	if !ok {
		return ErrLost
	}
	f.until = after(now, lease)
	m.flight[id] = f
	return nil
}

// Settle is [Store.Settle]. It fails with [ErrLost], with [ErrTooLarge] after it
// released the claim, and, leaving the claim as it is, when the context has ended
// or the outcome is no state a claim can end in.
func (m *Memory) Settle(ctx context.Context, id string, owner Owner, o Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := o.Validate(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	e, ok := m.held(id, owner, now)
	if !ok {
		return ErrLost
	}
	delete(m.flight, id)
	defer m.watchers.Notify(id)
	if o.State == Absent {
		return nil
	}
	e.state, e.origin, e.since, e.until = o.State, o.Origin, now, forever
	if o.TTL > 0 {
		e.until = after(now, o.TTL)
	}
	if o.State == Completed {
		e.body = o.Body[:len(o.Body):len(o.Body)] // an append by one who reads it must not write here
		if int64(len(o.Body)) > m.maxEntry || cost(id, e) > m.maxBytes {
			m.stats.Refused++
			return ErrTooLarge
		}
	}
	m.keep(id, e, now)
	return nil
}

// Get is [Store.Get]. It fails only when the context has ended.
func (m *Memory) Get(ctx context.Context, id string) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(id, m.clock()), nil
}

// Keep takes a copy of a completed record that another store has, with its age and
// what is left of its time, so that a Memory can stand in front of that store. It
// replaces a settled record and does nothing while id is in flight here, nor with
// a record that is not completed or too large to be kept.
func (m *Memory) Keep(id string, r Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	if f, ok := m.flight[id]; r.State != Completed || ok && now < f.until {
		return
	}
	e := entry{state: Completed, owner: r.Owner, fingerprint: r.Fingerprint, origin: r.Origin,
		body: r.Body[:len(r.Body):len(r.Body)], since: now - instant(r.Age), until: forever}
	if r.Left > 0 {
		e.until = after(now, r.Left)
	}
	if int64(len(e.body)) > m.maxEntry || cost(id, e) > m.maxBytes {
		m.stats.Refused++
		return
	}
	delete(m.flight, id)
	m.keep(id, e, now)
}

// Drop removes the settled record of id, if there is one.
func (m *Memory) Drop(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(id)
}

// Stats returns the counters as they stand.
func (m *Memory) Stats() MemoryStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Entries, s.InFlight = m.settled.Len(), len(m.flight)
	return s
}

// Watch is [Watcher.Watch]. It does not fail.
func (m *Memory) Watch(_ context.Context, id string) (notice <-chan struct{}, stop func(), err error) {
	n, _, remove := m.watchers.Add(id)
	return n, func() { remove() }, nil
}

// Traits says that a Memory ends with its process and is seen by no other.
func (m *Memory) Traits() Traits { return Traits{} }
