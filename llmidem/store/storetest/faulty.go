package storetest

import (
	"context"
	"sync"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// Op is a method of a store.
type Op uint8

// The methods of [store.Store].
const (
	OpClaim Op = iota
	OpRenew
	OpSettle
	OpGet
	ops
)

// Fault is how a method of a [Faulty] fails. The zero Fault is none.
type Fault struct {
	// Err is what the method returns.
	Err error
	// After lets the store below do its work before Err is returned: the reply was
	// lost, not the request.
	After bool
	// Hang lets the method wait until its context ends, whose error it returns.
	Hang bool
	// Times is how many calls fail; after them the method works again. Default:
	// until the next Inject.
	Times int
}

// Faulty is a [store.Store] over another one that fails on demand, for tests of
// whoever uses a store. It is safe for concurrent use.
type Faulty struct {
	below store.Store

	mu     sync.Mutex
	faults [ops]Fault
	calls  [ops]int
}

// NewFaulty returns a Faulty that does not fail yet.
func NewFaulty(below store.Store) *Faulty { return &Faulty{below: below} }

// Inject lets a method fail from now on; the zero Fault heals it.
func (f *Faulty) Inject(op Op, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults[op] = fault
}

// Calls returns how many times a method was called, failures included.
func (f *Faulty) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// Unwrap is [store.Wrapper].
func (f *Faulty) Unwrap() store.Store { return f.below }

// next counts a call and takes the fault that it meets.
func (f *Faulty) next(op Op) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[op]++
	fault := f.faults[op]
	if fault.Times == 1 {
		f.faults[op] = Fault{}
	} else if fault.Times > 1 {
		f.faults[op].Times--
	}
	return fault
}

// call runs one method under the fault that it meets.
func (f *Faulty) call(ctx context.Context, op Op, work func() error) error {
	fault := f.next(op)
	switch {
	case fault.Hang:
		<-ctx.Done()
		return ctx.Err()
	case fault.Err == nil:
		return work()
	case fault.After:
		if err := work(); err != nil {
			return err
		}
	}
	return fault.Err
}

// Claim is [store.Store.Claim], or fails.
func (f *Faulty) Claim(ctx context.Context, id string, c store.Claim) (rec store.Record, err error) {
	err = f.call(ctx, OpClaim, func() (err error) { rec, err = f.below.Claim(ctx, id, c); return err })
	return orNone(rec, err)
}

// Renew is [store.Store.Renew], or fails.
func (f *Faulty) Renew(ctx context.Context, id string, owner store.Owner, lease time.Duration) error {
	return f.call(ctx, OpRenew, func() error { return f.below.Renew(ctx, id, owner, lease) })
}

// Settle is [store.Store.Settle], or fails.
func (f *Faulty) Settle(ctx context.Context, id string, owner store.Owner, o store.Outcome) error {
	return f.call(ctx, OpSettle, func() error { return f.below.Settle(ctx, id, owner, o) })
}

// Get is [store.Store.Get], or fails.
func (f *Faulty) Get(ctx context.Context, id string) (rec store.Record, err error) {
	err = f.call(ctx, OpGet, func() (err error) { rec, err = f.below.Get(ctx, id); return err })
	return orNone(rec, err)
}

// orNone gives no record beside an error.
func orNone(rec store.Record, err error) (store.Record, error) {
	if err != nil {
		return store.Record{}, err
	}
	return rec, nil
}
