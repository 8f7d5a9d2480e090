package boltstore

import (
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// txn is a transaction that writes, and what it will have changed.
type txn struct {
	store   *Store
	now     moment
	header  header
	changed map[string]*claim // what is in flight when it is committed; nil: no more
	ended   []string          // the ids whose claim ended
	writes  uint64
	failed  error // why the whole transaction must fail

	head, records, flight, bodies *bbolt.Bucket
}

func (t *txn) begin(tx *bbolt.Tx) error {
	t.head, t.records = tx.Bucket(headBucket), tx.Bucket(recordsBucket)
	t.flight, t.bodies = tx.Bucket(flightBucket), tx.Bucket(bodiesBucket)
	if t.head == nil || t.records == nil || t.flight == nil || t.bodies == nil {
		return errors.New("a bucket is missing")
	}
	t.bodies.FillPercent = 1 // its keys only grow
	h, fault := decodeHeader(t.head.Get(headerKey))
	if fault != "" {
		return errors.New(fault)
	}
	t.header = h
	return nil
}

func (t *txn) end() error { return t.head.Put(headerKey, t.header.encode()) }

// must notes a failure of bbolt: what is half written is not committed.
func (t *txn) must(err error) {
	if err != nil && t.failed == nil {
		t.failed = err
	}
}

// inFlight is the claim of an id, if it has one.
func (t *txn) inFlight(id string) (claim, bool) {
	if c, ok := t.changed[id]; ok {
		if c == nil {
			return claim{}, false
		}
		return *c, true
	}
	return t.store.claimed(id)
}

// find returns the record of an id.
func (t *txn) find(id string, key []byte) store.Record {
	if c, ok := t.inFlight(id); ok {
		return c.seen(t.now)
	}
	rec, damaged := read(t.records, t.bodies, key, t.now)
	if damaged {
		t.store.report(id)
	}
	return rec
}

// held returns the claim of an owner, if its lease runs.
func (t *txn) held(id string, owner store.Owner) (claim, bool) {
	c, ok := t.inFlight(id)
	return c, ok && c.owner == owner && t.now.passed < c.to
}

// claim puts a claim in the place of what stands there. A settled record stays in
// the file until the claim ends: it is hidden, and what hides it is not visible
// before this is committed.
func (t *txn) claim(id string, key []byte, c claim) {
	if t.flight.Get(key) == nil {
		t.header.flight.add(key)
	}
	t.must(t.flight.Put(key, c.encode(key)))
	t.changed[id] = &c
	t.writes++
}

// end is how a claim ends: released if its state is Absent, the zero one.
type end struct {
	state  store.State
	origin store.Origin
	ttl    time.Duration // zero: without end
	body   body
	pieces [][]byte
}

// settle ends the claim of an owner.
func (t *txn) settle(id string, key []byte, owner store.Owner, e end) error {
	c, ok := t.held(id, owner)
	if !ok {
		return store.ErrLost
	}
	t.release(id, key)
	if e.state == store.Absent {
		return nil
	}
	r := c.record
	r.state, r.origin, r.body = e.state, e.origin, e.body
	r.since, r.until = t.now.wall, forever
	if e.ttl > 0 {
		r.until = after(r.since, e.ttl)
	}
	t.keep(key, r, e.pieces)
	return nil
}

// doubt ends a claim that nobody holds any more: it is in doubt since then, and
// nobody has said for how long that matters.
func (t *txn) doubt(id string, key []byte, r record, since int64) {
	t.release(id, key)
	r.state, r.since, r.until, r.body = store.Unknown, since, forever, body{}
	t.keep(key, r, nil)
}

// release ends a claim and removes what it replaced.
func (t *txn) release(id string, key []byte) {
	if t.flight.Get(key) != nil {
		t.header.flight.remove(key)
		t.must(t.flight.Delete(key))
	}
	t.forget(key)
	t.changed[id] = nil
	t.ended = append(t.ended, id)
	t.writes++
}

// keep writes a settled record where there is none.
func (t *txn) keep(key []byte, r record, pieces [][]byte) {
	r.body.first = t.header.next
	for _, p := range pieces {
		t.must(t.bodies.Put(pieceKey(t.header.next), p))
		t.header.next++
	}
	t.must(t.records.Put(key, r.encode(key)))
	t.header.records.add(key)
}

// forget removes a settled record, if there is one. Of one that is damaged the
// body stays: nothing says where it is.
func (t *txn) forget(key []byte) {
	v := t.records.Get(key)
	if v == nil {
		return
	}
	if r, ok := decode(key, v); ok {
		for i := range piecesOf(r.body.size) {
			t.must(t.bodies.Delete(pieceKey(r.body.first + i)))
		}
	}
	t.must(t.records.Delete(key))
	t.header.records.remove(key)
}
