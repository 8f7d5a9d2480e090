package store

import (
	"math"
	"time"
)

// instant is a time on a Memory's clock, counted from when it was made: a third
// of the size of a time.Time, and on the monotonic clock where there is one.
type instant int64

// forever is the end of what has none.
const forever instant = math.MaxInt64

// after is the instant that much later, forever at the latest.
func after(t instant, d time.Duration) instant {
	if end := t + instant(d); end > t {
		return end
	}
	return forever
}

// entry is a record as a Memory keeps it.
type entry struct {
	body        []byte
	since       instant // claimed or settled
	until       instant // expires, or the lease ends
	owner       Owner
	fingerprint Fingerprint
	origin      Origin
	state       State
}

// overhead is what a record takes beside its id and body, measured: list element,
// map slot at its mean load, allocation classes: 224 to 254 bytes
// (TestP4_OverheadIsMeasured).
const overhead = 250

func cost(id string, e entry) int64 { return int64(len(id)) + int64(len(e.body)) + overhead }

// record is the entry as others see it at that time.
func (e *entry) record(now instant) Record {
	r := Record{
		State:       e.state,
		Owner:       e.owner,
		Fingerprint: e.fingerprint,
		Body:        e.body,
		Origin:      e.origin,
		Age:         time.Duration(max(0, now-e.since)),
	}
	if e.until != forever {
		r.Left = time.Duration(e.until - now)
	}
	return r
}

// clock is the time now.
func (m *Memory) clock() instant { return instant(m.now().Sub(m.start)) }

// find returns the record of an id and counts what it found.
func (m *Memory) find(id string, now instant) Record {
	if f, ok := m.flight[id]; ok {
		if now < f.until {
			return f.record(now)
		}
		m.doubt(id, f, now)
	}
	e, ok := m.settled.Get(id)
	if ok && now >= e.until {
		m.drop(id)
		ok = false
	}
	if !ok {
		m.stats.Misses++
		return Record{}
	}
	if e.state == Completed {
		m.stats.Hits++
	}
	return e.record(now)
}

// held returns the claim of an owner, if its lease runs.
func (m *Memory) held(id string, owner Owner, now instant) (entry, bool) {
	f, ok := m.flight[id]
	if !ok || f.owner != owner {
		return entry{}, false
	}
	if now >= f.until {
		m.doubt(id, f, now)
		return entry{}, false
	}
	return f, true
}

// doubt makes a claim whose lease ran out a settled record: nobody knows what
// became of it, and nobody has said for how long that matters.
func (m *Memory) doubt(id string, f entry, now instant) {
	delete(m.flight, id)
	f.state, f.since, f.until = Unknown, f.until, forever
	m.keep(id, f, now)
}

// keep adds a settled record and makes room for it.
func (m *Memory) keep(id string, e entry, now instant) {
	m.drop(id)
	size := cost(id, e)
	for m.settled.Len() > 0 && (m.settled.Len() >= m.maxEntries || m.stats.Bytes+size > m.maxBytes) {
		oldest, gone, _ := m.settled.GetOldest()
		if now < gone.until {
			m.stats.Evictions++
		}
		m.drop(oldest)
	}
	m.settled.Add(id, e)
	m.stats.Bytes += size
}

// drop removes a settled record, if there is one.
func (m *Memory) drop(id string) {
	if e, ok := m.settled.Peek(id); ok {
		m.settled.Remove(id)
		m.stats.Bytes -= cost(id, e)
	}
}

// minSweep is how many claims in flight are few enough to leave dead ones alone.
const minSweep = 64

// sweep moves claims whose lease ran out, and whose id nobody asks for again, to
// where they are bounded. It looks at all of them only after their number has
// doubled, so that a claim pays for it but once.
func (m *Memory) sweep(now instant) {
	if len(m.flight) < m.sweepAt {
		return
	}
	for id, f := range m.flight {
		if now >= f.until {
			m.doubt(id, f, now)
		}
	}
	m.sweepAt = max(minSweep, 2*len(m.flight))
}
