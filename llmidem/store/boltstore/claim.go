package boltstore

import (
	"context"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// mostID is the longest id, which bbolt's keys have room for.
const mostID = 32_000

// begin is how every method begins.
func (s *Store) begin(ctx context.Context, id string, invalid error) (key []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if invalid != nil {
		return nil, invalid
	}
	if len(id) > mostID {
		return nil, fmt.Errorf("boltstore: an id of %d bytes; at most %d", len(id), mostID)
	}
	select {
	case <-s.closing:
		return nil, ErrClosed
	default:
		return keyOf(id), nil
	}
}

// Claim is [store.Store.Claim]. A claim that is won is on the disk when Claim
// returns. When the context ends meanwhile, Claim returns its error, and a claim
// that was written all the same is released by the store.
func (s *Store) Claim(ctx context.Context, id string, c store.Claim) (store.Record, error) {
	key, err := s.begin(ctx, id, c.Validate())
	if err != nil {
		return store.Record{}, err
	}
	// Most claims are refused, and refusing writes nothing: no need to queue for it.
	if standing, err := s.find(id, key); err != nil || !c.Takeover.Replaces(standing.State) {
		return standing, err
	}
	var result store.Record
	err = s.do(ctx, newOp(func(t *txn) error {
		standing := t.find(id, key)
		if !c.Takeover.Replaces(standing.State) {
			result = standing
			return nil
		}
		won := claim{
			record: record{
				state: store.InFlight, owner: c.Owner, fingerprint: c.Fingerprint, origin: c.Origin,
				since: t.now.wall, until: forever,
			},
			from: t.now.passed, to: after(t.now.passed, c.Lease),
		}
		t.claim(id, key, won)
		result = won.seen(t.now)
		result.Prior = standing.State
		return nil
	}, func(t *txn) error { return t.settle(id, key, c.Owner, end{}) }))
	if err != nil {
		return store.Record{}, err
	}
	return result, nil
}

// Renew is [store.Store.Renew]. It writes nothing to the disk and does not wait.
func (s *Store) Renew(ctx context.Context, id string, owner store.Owner, lease time.Duration) error {
	if _, err := s.begin(ctx, id, store.ValidateLease(lease)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.at() // with the lock held: a claim that ran out by then is not renewed
	if s.broken != nil {
		return s.broken
	}
	c, ok := s.flight[id]
	if !ok || c.owner != owner || now.passed >= c.to {
		return store.ErrLost
	}
	c.to = after(now.passed, lease)
	s.flight[id] = c
	return nil
}

// Settle is [store.Store.Settle]. The outcome is on the disk when Settle returns
// nil, and so is the release when it returns [store.ErrTooLarge]. It copies
// o.Body. When the context ends while the outcome is written, Settle returns its
// error, and the outcome may last all the same: Get tells.
func (s *Store) Settle(ctx context.Context, id string, owner store.Owner, o store.Outcome) error {
	key, err := s.begin(ctx, id, o.Validate())
	if err != nil {
		return err
	}
	if err := s.fault(); err != nil {
		return err
	}
	if c, ok := s.claimed(id); !ok || c.owner != owner {
		return store.ErrLost
	}
	e := end{state: o.State, origin: o.Origin, ttl: o.TTL}
	var tooLarge error
	switch {
	case o.State != store.Completed:
	case len(o.Body) > s.maxEntry:
		e, tooLarge = end{}, store.ErrTooLarge
	default:
		e.pieces, e.body = cut(o.Body), body{size: uint32(len(o.Body)), sum: crc32.Checksum(o.Body, castagnoli)}
	}
	return s.do(ctx, newOp(func(t *txn) error {
		if err := t.settle(id, key, owner, e); err != nil {
			return err
		}
		return tooLarge
	}, nil))
}

// Get is [store.Store.Get]. The body is the caller's own.
func (s *Store) Get(ctx context.Context, id string) (store.Record, error) {
	key, err := s.begin(ctx, id, nil)
	if err != nil {
		return store.Record{}, err
	}
	return s.find(id, key)
}
