package store

import (
	"context"
	"time"
)

// Watcher is what a [Store] has beside its four methods when it can tell that a
// claim ended, so that whoever waits for one need not ask again and again. It is
// found by [Wait], also below wrappers.
type Watcher interface {
	// Watch listens for the end of the claim on id from before it returns until
	// stop is called. After every Settle of id, by whatever process, notice has a
	// value; it may have one without cause, and several ends may come as one. Nobody
	// is told that a lease ran out. stop must be called, may be called twice, and
	// does not wait.
	Watch(ctx context.Context, id string) (notice <-chan struct{}, stop func(), err error)
}

// Wrapper is a [Store] around another one. A wrapper that does not change what
// the store below can do implements it, so that [Wait] and [TraitsOf] find it.
type Wrapper interface {
	// Unwrap returns the store below.
	Unwrap() Store
}

// Traits are what a store promises beyond its methods.
type Traits struct {
	// Durable: what was settled survives the end of every process, and of the
	// machine, from the moment that Settle returned.
	Durable bool
	// Shared: other processes may see the records, so that a record found there is
	// not to be trusted more than they are, and must say whose it is.
	Shared bool
}

// TraitsOf returns the traits of a store that has a method Traits() Traits, or
// wraps one that has. A store that does not say is taken for a shared one that
// does not last: the careful answer to both questions.
func TraitsOf(s Store) Traits {
	if t, ok := find[interface{ Traits() Traits }](s); ok {
		return t.Traits()
	}
	return Traits{Shared: true}
}

// find looks for an extra in a store and what it wraps.
func find[T any](s Store) (T, bool) {
	for s != nil {
		if t, ok := s.(T); ok {
			return t, true
		}
		w, ok := s.(Wrapper)
		if !ok {
			break
		}
		s = w.Unwrap()
	}
	var none T
	return none, false
}

// How often Wait looks for itself: a store that cannot notify is asked ever less
// often, and one that can still is, since notices get lost.
const (
	firstPoll = 25 * time.Millisecond
	maxPoll   = time.Second
)

// Wait waits until the record of id is not in flight, and returns it as s.Get
// does. It learns of the end by the store's [Watcher], where it has one, and by
// asking otherwise. The error is the store's, or the context's when that ended
// first.
func Wait(ctx context.Context, s Store, id string) (Record, error) {
	rec, err := s.Get(ctx, id)
	if err != nil || rec.State != InFlight {
		return rec, err
	}
	var notice <-chan struct{} // nil: none ever comes
	poll := firstPoll
	if w, ok := find[Watcher](s); ok {
		n, stop, err := w.Watch(ctx, id)
		if err == nil {
			defer stop()
			notice, poll = n, maxPoll
		}
	}
	for {
		if rec, err = s.Get(ctx, id); err != nil || rec.State != InFlight {
			return rec, err
		}
		if err := pause(ctx, notice, min(poll, rec.Left+time.Millisecond)); err != nil {
			return Record{}, err
		}
		poll = min(2*poll, maxPoll)
	}
}

// pause waits for a notice, a time or the end of the context.
func pause(ctx context.Context, notice <-chan struct{}, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-notice:
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
