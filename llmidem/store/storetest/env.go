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
