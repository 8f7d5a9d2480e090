package boltstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// op is one write. It runs in the goroutine of write, in the same transaction as
// others that came at that time.
type op struct {
	// run does it. What it returns is the caller's, and undoes nothing.
	run func(*txn) error
	// undo takes it back, if it was done and its caller had left meanwhile. It may
	// be nil.
	undo func(*txn) error

	err  error
	fate atomic.Int32
	done chan struct{} // closed when err is there
}

// The fates of an op: whoever sets it first decides who answers for it.
const (
	pending int32 = iota
	answered
	left
)

func newOp(run, undo func(*txn) error) *op {
	return &op{run: run, undo: undo, done: make(chan struct{})}
}

// do runs an op and waits until it is on the disk. When the context ends before it
// was begun, it is not done; when it ends later, it may be done all the same,
// unless it has an undo.
func (s *Store) do(ctx context.Context, o *op) error {
	select {
	case s.queue <- o:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return ErrClosed
	}
	select {
	case <-o.done:
	case <-ctx.Done():
		if o.fate.CompareAndSwap(pending, left) {
			return ctx.Err()
		}
		<-o.done // closed by now, or in a moment
	}
	return o.err
}

// most is how many ops go into one commit.
const most = 1024

// write commits what is queued, until the store is closed. What comes while the
// disk is busy goes into the next commit.
func (s *Store) write() {
	var batch []*op
	for {
		select {
		case <-s.closing:
			return
		case o := <-s.queue:
			batch = s.gather(append(batch[:0], o))
		}
		for again := batch; len(again) > 0; {
			again = s.commit(again)
		}
		clear(batch) // of bodies
	}
}

// gather takes what is queued. Those who were answered by the last commit are
// about to run, and may have something to write: it lets them, so that they go
// with this commit and need not wait for the next.
func (s *Store) gather(batch []*op) []*op {
	for idle := 0; len(batch) < most && idle < 2; {
		select {
		case o := <-s.queue:
			batch, idle = append(batch, o), 0
		default:
			runtime.Gosched()
			idle++
		}
	}
	return batch
}

// errNothing ends a transaction that has written nothing.
var errNothing = errors.New("nothing to write")

// commit runs a batch in one transaction and answers it. It returns the ops that
// take back what was done for callers who had left.
func (s *Store) commit(batch []*op) (undo []*op) {
	t := &txn{store: s, now: s.clock.at(), changed: map[string]*claim{}}
	err := s.fault()
	if err == nil {
		err = s.update(t, batch)
	}
	if err == nil {
		s.publish(t)
	}
	for _, o := range batch {
		if err != nil {
			o.err = err
		}
		if o.fate.CompareAndSwap(pending, answered) {
			close(o.done)
		} else if o.err == nil && o.undo != nil {
			undo = append(undo, newOp(o.undo, nil))
		}
	}
	for _, id := range t.ended {
		if err == nil {
			s.watchers.Notify(id)
		}
	}
	return undo
}

// update runs a batch and commits.
func (s *Store) update(t *txn, batch []*op) error {
	var number int // of the transaction
	err := guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			number = tx.ID()
			if err := t.begin(tx); err != nil {
				return err
			}
			for _, o := range batch {
				if o.fate.Load() == left {
					o.err = context.Canceled // nobody reads it; there is nothing to undo
					continue
				}
				o.err = o.run(t)
				if t.failed != nil {
					return t.failed
				}
			}
			if t.writes == 0 {
				return errNothing
			}
			return t.end()
		})
	})
	switch {
	case err == nil:
		s.counters.commits.Add(1)
		s.counters.writes.Add(t.writes)
		return nil
	case errors.Is(err, errNothing):
		return nil
	case isPanic(err) || !s.stands(number):
		return s.giveUp(err)
	}
	return fmt.Errorf("boltstore: write %s: %w", s.path, err)
}

// stands reports whether a transaction that failed has left the file as it was.
// One that failed to sync the page that makes it valid is visible, and may or may
// not be on the disk.
func (s *Store) stands(number int) bool {
	last := number
	err := guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error { last = tx.ID(); return nil })
	})
	return err == nil && last < number
}

// giveUp ends the use of a store that nobody knows the content of.
func (s *Store) giveUp(err error) error {
	err = fmt.Errorf("%w: %s: %w; close the store and open it again, which verifies the file", ErrDamaged, s.path, err)
	s.mu.Lock()
	first := s.broken == nil
	if first {
		s.broken = err
	}
	err = s.broken
	s.mu.Unlock()
	if first {
		s.log.Error("the store can no longer be used", "error", err)
	}
	return err
}

// publish makes visible what was committed. What is settled is visible in the file
// already, and what is in flight hides it, so that nobody sees less than there is:
// a claim becomes visible after it was written, and its end after that was.
func (s *Store) publish(t *txn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range t.changed {
		if c == nil {
			delete(s.flight, id)
		} else {
			s.flight[id] = *c
		}
	}
	s.counters.records.Store(int64(t.header.records.count))
}
