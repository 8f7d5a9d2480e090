package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

func waitCases() []testCase {
	return []testCase{
		{"S3_WaitForTheEnd", waitForTheEnd},
		{"S3_WaitForNothing", waitForNothing},
		{"S3_WaitersAreAllWoken", waitersAreAllWoken},
		{"S4_WaitForTheLease", waitForTheLease},
		{"R5_WaitEndsWithItsContext", waitEndsWithItsContext},
		{"S13_FailureWhileWaiting", failureWhileWaiting},
	}
}

// waiting starts to wait for id and returns what that comes to.
func (e *env) waiting(ctx context.Context, s store.Store, id string) <-chan waited {
	ended := make(chan waited, 1)
	go func() {
		r, err := store.Wait(ctx, s, id)
		ended <- waited{r, err}
	}()
	return ended
}

type waited struct {
	store.Record
	err error
}

// woken requires that a wait has ended well.
func (e *env) woken(ended <-chan waited) store.Record {
	e.t.Helper()
	select {
	case w := <-ended:
		e.NoError(w.err)
		return w.Record
	case <-time.After(patience):
		e.Fail("still waiting")
		return store.Record{}
	}
}

// waitForTheEnd waits on one store for what happens on another that shares its
// records, where there is such a thing.
func waitForTheEnd(e *env) {
	other := e.second()
	for _, o := range []store.Outcome{
		{State: store.Completed, Body: []byte("answer"), TTL: long}, {State: store.Unknown}, {State: store.Absent},
	} {
		id, c := e.held(long)
		ended := e.waiting(e.ctx, other, id)
		e.NoError(e.store.Renew(e.ctx, id, c.Owner, long))
		e.settle(id, c.Owner, o)
		r := e.woken(ended)
		e.Equal(o.State, r.State)
		e.Equal(string(o.Body), string(r.Body))
	}
}

func waitForNothing(e *env) {
	r := e.woken(e.waiting(e.ctx, e.store, newID()))
	e.Equal(store.Absent, r.State)
	id, c := e.completed("answer", long)
	r = e.woken(e.waiting(e.ctx, e.store, id))
	e.Equal("answer", string(r.Body))
	e.Equal(c.Owner, r.Owner)
}

func waitersAreAllWoken(e *env) {
	const waiters = 100
	other := e.second()
	id, c := e.held(long)
	var all []<-chan waited
	for i := range waiters {
		all = append(all, e.waiting(e.ctx, []store.Store{e.store, other}[i%2], id))
	}
	e.settle(id, c.Owner, store.Outcome{State: store.Completed, Body: []byte("answer")})
	for _, ended := range all {
		e.Equal("answer", string(e.woken(ended).Body))
	}
}

// waitForTheLease: of a lease that runs out nobody gives notice.
func waitForTheLease(e *env) {
	id, _ := e.held(e.short())
	ended := e.waiting(e.ctx, e.second(), id)
	if e.suite.advance != nil {
		e.suite.advance(e.short())
	}
	e.Equal(store.Unknown, e.woken(ended).State)
}

func waitEndsWithItsContext(e *env) {
	id, c := e.held(long)
	ctx, cancel := context.WithCancel(e.ctx)
	ended := e.waiting(ctx, e.store, id)
	cancel()
	select {
	case w := <-ended:
		e.ErrorIs(w.err, context.Canceled)
	case <-time.After(patience):
		e.Fail("it outlives its context")
	}
	e.Equal(store.InFlight, e.get(id).State)
	e.settle(id, c.Owner, store.Outcome{State: store.Completed})
}

var errInjected = errors.New("storetest: injected")

// failureWhileWaiting: a store that fails is not waited for, and what wraps a
// store loses none of its extras.
func failureWhileWaiting(e *env) {
	f := NewFaulty(e.store)
	e.Equal(store.TraitsOf(e.store), store.TraitsOf(f))
	id, c := e.held(long)
	f.Inject(OpGet, Fault{Err: errInjected})
	_, err := store.Wait(e.ctx, f, id)
	e.ErrorIs(err, errInjected)
	f.Inject(OpGet, Fault{})
	ended := e.waiting(e.ctx, f, id)
	e.settle(id, c.Owner, store.Outcome{State: store.Completed, Body: []byte("answer")})
	e.Equal("answer", string(e.woken(ended).Body))
}

// second is another store over the same records where the store is shared, as
// another process has it; else the same one.
func (e *env) second() store.Store {
	if store.TraitsOf(e.store).Shared {
		return e.suite.newStore(e.t)
	}
	return e.store
}

// sharedCases run on two handles of one store.
func sharedCases() []testCase {
	return []testCase{{"S10_TwoProcesses", twoProcesses}, {"S12_LateFinisherElsewhere", lateElsewhere}}
}

func twoProcesses(e *env) {
	other := e.second()
	for range 20 {
		id := newID()
		var wins sync.Map
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				c := newClaim(long, store.TakeAbsent)
				r, err := []store.Store{e.store, other}[i%2].Claim(e.ctx, id, c)
				if err == nil && r.Owner == c.Owner {
					wins.Store(c.Owner, true)
				}
			})
		}
		all.Wait()
		n := 0
		wins.Range(func(any, any) bool { n++; return true })
		e.Equal(1, n, "claimants that won")
	}
}

func lateElsewhere(e *env) {
	other := e.second()
	id, first := e.held(e.short())
	e.pass(2 * e.short())
	second := newClaim(long, store.TakeDoubt)
	r, err := other.Claim(e.ctx, id, second)
	e.NoError(err)
	e.Equal(second.Owner, r.Owner)
	e.shut(id, first.Owner)
	e.NoError(other.Settle(e.ctx, id, second.Owner, store.Outcome{State: store.Completed, Body: []byte("second")}))
	e.shut(id, first.Owner)
	e.Equal("second", string(e.get(id).Body))
}
