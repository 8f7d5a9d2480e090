// Package storetest checks that a [store.Store] keeps its rules. Every store
// passes it:
//
//	func TestConformance(t *testing.T) {
//		clock := newFakeClock()
//		storetest.Run(t, func(t *testing.T) store.Store {
//			return newStore(t, clock.Now)
//		}, storetest.Advance(clock.Advance))
//	}
//
// The cases carry the ids of the project's conformance list (S: state, P:
// answers). A store whose time cannot be set, such as one with a server, is run
// without [Advance]: leases and TTLs are then real ones of some milliseconds, and
// the suite waits for them to run out, never on how long something took.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// An Option says something of the store that is tested.
type Option interface{ apply(*suite) }

type option func(*suite)

func (o option) apply(s *suite) { o(s) }

// Advance gives the suite a clock to set: the function moves the time of every
// store that newStore returned, by that much and before it returns. Default: real
// time.
func Advance(advance func(d time.Duration)) Option {
	return option(func(s *suite) { s.advance = advance })
}

// Limit says that the store takes a body of that many bytes and refuses one that
// is longer with [store.ErrTooLarge]. Default: nothing is checked of that.
func Limit(bytes int) Option {
	return option(func(s *suite) { s.limit = bytes })
}

// Run runs the suite. Each case calls newStore for a store of its own; stores may
// share a server, since the suite takes ids that nobody else has. newStore
// registers what closes the store with t.Cleanup. The cases run one after the
// other.
func Run(t *testing.T, newStore func(t *testing.T) store.Store, opts ...Option) {
	s := &suite{newStore: newStore}
	for _, o := range opts {
		o.apply(s)
	}
	for _, group := range [][]testCase{lifeCases(), leaseCases(), takeoverCases(), contentCases(), boundCases(), raceCases()} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) { c.run(s.env(t)) })
		}
	}
}

type suite struct {
	newStore func(t *testing.T) store.Store
	advance  func(d time.Duration)
	limit    int
}

// testCase is one rule; its name begins with the conformance id.
type testCase struct {
	name string
	run  func(e *env)
}

// env is what a case has at hand.
type env struct {
	*require.Assertions
	t     *testing.T
	ctx   context.Context
	store store.Store
	suite *suite
}

func (s *suite) env(t *testing.T) *env {
	return &env{Assertions: require.New(t), t: t, ctx: t.Context(), store: s.newStore(t), suite: s}
}

const (
	// long is a lease or TTL that does not run out by itself during a case.
	long = time.Hour
	// patience is how long a store may take to notice, in real time, that
	// something ran out.
	patience = 30 * time.Second
)

// short is a lease or TTL that a case waits for.
func (e *env) short() time.Duration {
	if e.suite.advance != nil {
		return 30 * time.Second
	}
	return 50 * time.Millisecond
}

// pass lets time pass.
func (e *env) pass(d time.Duration) {
	if e.suite.advance != nil {
		e.suite.advance(d)
		return
	}
	<-time.After(d)
}

// runOut lets a lease or TTL of e.short() run out that was granted just now, and
// requires that the record then has that state, not earlier and no other one.
func (e *env) runOut(id string, before, want store.State) {
	e.t.Helper()
	if e.suite.advance != nil {
		e.suite.advance(e.short() - time.Millisecond)
		e.Equal(before, e.get(id).State, "a millisecond before the end")
		e.suite.advance(time.Millisecond)
		e.Equal(want, e.get(id).State, "at the end")
		return
	}
	for deadline := time.Now().Add(patience); ; {
		state := e.get(id).State
		if state == want {
			return
		}
		e.Equal(before, state, "until the end")
		e.True(time.Now().Before(deadline), "it never ran out")
		e.pass(e.short() / 10)
	}
}

// newID is an id as the client makes them, and nobody else's.
func newID() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// newClaim is a claim with everything in it.
func newClaim(lease time.Duration, take store.Takeover) store.Claim {
	c := store.Claim{Owner: store.NewOwner(), Lease: lease, Takeover: take, Origin: newOrigin()}
	rand.Read(c.Fingerprint[:])
	return c
}

func newOrigin() store.Origin {
	o := store.Origin{Flags: 1}
	rand.Read(o.TraceID[:])
	rand.Read(o.SpanID[:])
	return o
}

func (e *env) get(id string) store.Record {
	e.t.Helper()
	r, err := e.store.Get(e.ctx, id)
	e.NoError(err)
	return r
}

// win claims and requires to get it.
func (e *env) win(id string, c store.Claim) store.Record {
	e.t.Helper()
	r, err := e.store.Claim(e.ctx, id, c)
	e.NoError(err)
	e.Equal(store.InFlight, r.State, "the claim is refused")
	e.Equal(c.Owner, r.Owner, "the claim is refused")
	return r
}

// lose claims and requires to be refused by a record of that state.
func (e *env) lose(id string, c store.Claim, standing store.State) store.Record {
	e.t.Helper()
	r, err := e.store.Claim(e.ctx, id, c)
	e.NoError(err, "a refused claim is no error")
	e.NotEqual(c.Owner, r.Owner, "the claim is won")
	e.Equal(standing, r.State)
	return r
}

func (e *env) settle(id string, owner store.Owner, o store.Outcome) {
	e.t.Helper()
	e.NoError(e.store.Settle(e.ctx, id, owner, o))
}

// held claims an absent id.
func (e *env) held(lease time.Duration) (string, store.Claim) {
	e.t.Helper()
	id, c := newID(), newClaim(lease, store.TakeAbsent)
	e.win(id, c)
	return id, c
}

// completed makes a record with that body.
func (e *env) completed(body string, ttl time.Duration) (string, store.Claim) {
	e.t.Helper()
	id, c := e.held(long)
	e.settle(id, c.Owner, store.Outcome{State: store.Completed, Body: []byte(body), TTL: ttl})
	return id, c
}

// shut requires that an owner can neither renew nor end anything at id.
func (e *env) shut(id string, owner store.Owner) {
	e.t.Helper()
	before := e.get(id)
	e.ErrorIs(e.store.Renew(e.ctx, id, owner, long), store.ErrLost)
	for _, state := range []store.State{store.Completed, store.Absent, store.Unknown} {
		err := e.store.Settle(e.ctx, id, owner, store.Outcome{State: state, Body: []byte("late")})
		e.ErrorIs(err, store.ErrLost, "settled %v", state)
	}
	after := e.get(id)
	e.Equal(before.State, after.State, "changed by one who does not hold it")
	e.Equal(before.Owner, after.Owner, "changed by one who does not hold it")
	e.Equal(before.Fingerprint, after.Fingerprint, "changed by one who does not hold it")
	e.Equal(before.Origin, after.Origin, "changed by one who does not hold it")
	e.Equal(string(before.Body), string(after.Body), "changed by one who does not hold it")
}
