package boltstore

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// doubtAll puts in doubt what was in flight when the file was last closed, or its
// process ended: who held it is gone. One that is damaged is in doubt without an
// owner.
func (s *Store) doubtAll() error {
	t := &txn{store: s, now: s.clock.at(), changed: map[string]*claim{}}
	err := s.update(t, []*op{newOp(func(t *txn) error {
		c := t.flight.Cursor()
		for k, v := c.First(); k != nil; k, v = c.First() {
			key := bytes.Clone(k)
			r, ok := decode(key, v)
			if !ok {
				s.report(idOf(key))
			}
			t.doubt(idOf(key), key, r, t.now.wall)
		}
		return nil
	}, nil)})
	if err == nil {
		s.publish(t)
	}
	return err
}

const (
	// sweepLook is how many records one sweep looks at, in portions: a transaction
	// that reads for long keeps pages that nobody needs.
	sweepLook    = 20_000
	sweepPortion = 1000
	// sweepDelete is how many records one commit of a sweep deletes.
	sweepDelete = 500
)

// sweepAll sweeps from time to time until the store is closed.
func (s *Store) sweepAll() {
	ctx := context.Background() // closing ends what it does
	tick := time.NewTicker(s.sweep)
	defer tick.Stop()
	var next []byte // where the last sweep ended
	for {
		select {
		case <-s.closing:
			return
		case <-tick.C:
		}
		var err error
		if next, err = s.sweepOnce(ctx, next); err != nil && s.fault() == nil && !errors.Is(err, ErrClosed) {
			s.log.Warn("sweeping failed; it is tried again", "error", err)
		}
	}
}

// sweepOnce deletes what has expired of some records, from a key on, and puts
// claims that ran out where they take no memory. It returns where it ended.
func (s *Store) sweepOnce(ctx context.Context, next []byte) ([]byte, error) {
	if err := s.doubtExpired(ctx); err != nil {
		return next, err
	}
	for range sweepLook / sweepPortion {
		var keys [][]byte
		var err error
		if keys, next, err = s.expired(next); err != nil {
			return next, err
		}
		for some := range slices.Chunk(keys, sweepDelete) {
			if err := s.do(ctx, newOp(func(t *txn) error { t.deleteExpired(some); return nil }, nil)); err != nil {
				return next, err
			}
		}
		if next == nil {
			break
		}
	}
	return next, nil
}

// expired looks at a portion of the records from a key on, and returns which have
// expired and where the next portion begins, nil at the end.
func (s *Store) expired(from []byte) (keys [][]byte, next []byte, err error) {
	if err := s.fault(); err != nil {
		return nil, nil, err
	}
	past := s.clock.surely(s.clock.at())
	err = guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			c := tx.Bucket(recordsBucket).Cursor()
			k, v := c.Seek(from)
			for range sweepPortion {
				if k == nil {
					break
				}
				if hasExpired(k, v, past) {
					keys = append(keys, bytes.Clone(k))
				}
				k, v = c.Next()
			}
			next = bytes.Clone(k)
			return nil
		})
	})
	if err != nil {
		return nil, nil, s.misread(err)
	}
	return keys, next, nil
}

func hasExpired(key, v []byte, past int64) bool {
	r, ok := decode(key, v)
	return ok && r.until != forever && past >= r.until
}

// deleteExpired deletes those that have expired still. One that a claim replaces
// at this time is hidden by it already.
func (t *txn) deleteExpired(keys [][]byte) {
	past := t.store.clock.surely(t.now)
	for _, key := range keys {
		if hasExpired(key, t.records.Get(key), past) {
			t.forget(key)
			t.writes++
		}
	}
}

// doubtExpired makes settled records of the claims whose lease ran out.
func (s *Store) doubtExpired(ctx context.Context) error {
	now := s.clock.at()
	var ids []string
	s.mu.Lock()
	for id, c := range s.flight {
		if now.passed >= c.to {
			ids = append(ids, id)
		}
	}
	s.mu.Unlock()
	for some := range slices.Chunk(ids, sweepDelete) {
		err := s.do(ctx, newOp(func(t *txn) error {
			for _, id := range some {
				if c, ok := t.inFlight(id); ok && t.now.passed >= c.to {
					t.doubt(id, keyOf(id), c.record, t.now.wall-(t.now.passed-c.to))
				}
			}
			return nil
		}, nil))
		if err != nil {
			return err
		}
	}
	return nil
}
