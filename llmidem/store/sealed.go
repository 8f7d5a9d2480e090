package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// SealedStore is a [Store] that seals answers before another store has them:
// [Sealed] makes one. It is safe for concurrent use.
type SealedStore struct {
	below Store
	first SealKey
	ring  keyring
	now   func() time.Time
	// claims are the fingerprints of claims that are under way: an answer is sealed
	// for one, and Settle does not name it.
	claims *lru.Cache[Owner, Fingerprint]
}

// sealSkew is how much later than sealed a record may be found, by this process's
// clock: clocks differ.
const sealSkew = 5 * time.Minute

// manyClaims is how many fingerprints are remembered; those of more claims at once
// are asked for.
const manyClaims = 10_000

// Sealed returns a store that keeps answers in another one encrypted and
// authenticated: AES-256-GCM, each under a key of its own, which HKDF-SHA-256
// derives from the secret and 32 random bytes. The first key seals, all of them
// open: to rotate, put a new key first and drop the old one when its records have
// expired; every process must have the new key among its keys before one of them
// seals with it.
//
// Sealed with an answer are the record's id, which is a digest of namespace,
// endpoint and key, its fingerprint, the id of the key, and when it was made and
// expires. So whoever can write to the store below can delete records, put them in
// doubt, claim, and put back an older answer to the same call before it expires,
// but make nobody read an answer that was not sealed for that id and fingerprint.
// Not hidden are ids, fingerprints, owners, trace ids, times and lengths.
//
// A completed record that does not open has the state Unknown, since it was sent:
// one sealed under a key that is not here, moved, changed, not sealed at all, or
// found more than five minutes after it should have expired, by the clock of this
// process. A Claim with TakeDoubt replaces it. The store below takes it for
// completed, so that takes two steps; an answer that somebody else completed
// between them would be replaced too and its call sent again. Of several claimants
// one wins in any case.
//
// A sealed body is [SealOverhead] bytes and the key's id longer, which counts
// against the limit of the store below. What that store can do beyond [Store],
// this one can: [Wait] and [TraitsOf] find it.
//
// The error says what is wrong with the keys.
func Sealed(s Store, keys ...SealKey) (*SealedStore, error) {
	if s == nil {
		return nil, errors.New("store: Sealed needs a store")
	}
	if len(keys) == 0 {
		return nil, errors.New("store: Sealed needs a key: NewSealKey")
	}
	ring := keyring{}
	for i, k := range keys {
		if k.secret == nil {
			return nil, fmt.Errorf("store: key %d of Sealed is the zero SealKey; use NewSealKey", i)
		}
		if _, twice := ring[k.id]; twice {
			return nil, fmt.Errorf("store: two keys of Sealed have the id %s", k.id)
		}
		ring[k.id] = k
	}
	claims, err := lru.New[Owner, Fingerprint](manyClaims)
	if err != nil {
		return nil, err
	}
	return &SealedStore{below: s, first: keys[0], ring: ring, now: time.Now, claims: claims}, nil
}

// Claim is [Store.Claim]; see [Sealed] for how it replaces a record that does not
// open.
func (s *SealedStore) Claim(ctx context.Context, id string, c Claim) (Record, error) {
	rec, err := s.below.Claim(ctx, id, c)
	if err != nil {
		return Record{}, err
	}
	if rec.Owner != c.Owner {
		rec = s.opened(id, rec)
		if rec.State != Unknown || c.Takeover != TakeDoubt {
			return rec, nil
		}
		c.Takeover = TakeSettled // it is complete for the store below, and in doubt here
		if rec, err = s.below.Claim(ctx, id, c); err != nil {
			return Record{}, err
		}
		if rec.Owner != c.Owner {
			return s.opened(id, rec), nil
		}
		if rec.Prior == Completed {
			rec.Prior = Unknown
		}
	}
	s.claims.Add(c.Owner, c.Fingerprint)
	return rec, nil
}

// Renew is [Store.Renew].
func (s *SealedStore) Renew(ctx context.Context, id string, owner Owner, lease time.Duration) error {
	return s.below.Renew(ctx, id, owner, lease)
}

// Settle is [Store.Settle]. It seals a body of its own and neither keeps nor
// changes o.Body.
func (s *SealedStore) Settle(ctx context.Context, id string, owner Owner, o Outcome) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if o.State == Completed {
		f, err := s.fingerprint(ctx, id, owner)
		if err != nil {
			return err
		}
		now := s.now()
		b := box{id: id, fingerprint: f, created: now.UnixNano(), expires: sealUntil(now, o.TTL)}
		if o.Body, err = s.first.seal(b, o.Body); err != nil {
			return fmt.Errorf("store: seal: %w", err)
		}
	}
	err := s.below.Settle(ctx, id, owner, o)
	if err == nil || errors.Is(err, ErrLost) || errors.Is(err, ErrTooLarge) {
		s.claims.Remove(owner)
	}
	return err
}

// fingerprint is that of a claim: remembered, or as the store below has it if
// another process claimed. If that is not the owner's, the store below refuses the
// outcome.
func (s *SealedStore) fingerprint(ctx context.Context, id string, owner Owner) (Fingerprint, error) {
	if f, ok := s.claims.Get(owner); ok {
		return f, nil
	}
	rec, err := s.below.Get(ctx, id)
	return rec.Fingerprint, err
}

// Get is [Store.Get]. The body is the caller's own.
func (s *SealedStore) Get(ctx context.Context, id string) (Record, error) {
	rec, err := s.below.Get(ctx, id)
	if err != nil {
		return Record{}, err
	}
	return s.opened(id, rec), nil
}

// Unwrap is [Wrapper.Unwrap]: the records of the store below are sealed.
func (s *SealedStore) Unwrap() Store { return s.below }

// opened is a record with its body opened, in doubt if that cannot be done.
func (s *SealedStore) opened(id string, rec Record) Record {
	if rec.State != Completed {
		rec.Body = nil // nothing but a completed record has an answer
		return rec
	}
	body, expires, ok := s.ring.open(id, rec.Fingerprint, rec.Body)
	if !ok || s.now().UnixNano()-expires > int64(sealSkew) {
		rec.State, rec.Body = Unknown, nil
		return rec
	}
	rec.Body = body
	return rec
}
