package storetest

import (
	"context"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

func lifeCases() []testCase {
	return []testCase{
		{"S1_FirstRun", firstRun},
		{"S2_Replay", replay},
		{"S3_DuplicateInFlight", duplicate},
		{"S7_Released", released},
		{"S7_Forgotten", forgotten},
		{"S13_StrangersWriteNothing", strangers},
		{"S13_SettledOnce", settledOnce},
		{"ContextEnded", contextEnded},
		{"InvalidIsRefused", invalid},
	}

}

func firstRun(e *env) {
	id, c := newID(), newClaim(long, store.TakeAbsent)
	e.Equal(store.Record{}, e.get(id), "what is not there is the zero record")

	won := e.win(id, c)
	e.Equal(store.Absent, won.Prior)
	for _, r := range []store.Record{won, e.get(id)} {
		e.Equal(store.InFlight, r.State)
		e.Equal(c.Owner, r.Owner)
		e.Equal(c.Fingerprint, r.Fingerprint)
		e.Equal(c.Origin, r.Origin, "waiters link to the claimant")
		e.Empty(r.Body)
		e.within(r.Left, 0, long)
	}

	o := store.Outcome{State: store.Completed, Body: []byte("answer"), TTL: long, Origin: newOrigin()}
	e.settle(id, c.Owner, o)
	r := e.get(id)
	e.Equal(store.Completed, r.State)
	e.Equal("answer", string(r.Body))
	e.Equal(c.Fingerprint, r.Fingerprint, "the fingerprint is the claim's")
	e.Equal(o.Origin, r.Origin, "the origin is the outcome's")
	e.Equal(c.Owner, r.Owner)
	e.within(r.Left, 0, long)
}

// within requires low < d ≤ high.
func (e *env) within(d, low, high time.Duration) {
	e.t.Helper()
	e.Greater(d, low)
	e.LessOrEqual(d, high)
}

func replay(e *env) {
	id, first := e.completed("answer", long)
	for range 3 {
		r := e.lose(id, newClaim(long, store.TakeAbsent), store.Completed)
		e.Equal("answer", string(r.Body), "a refused claim brings the answer")
		e.Equal(first.Owner, r.Owner)
		e.Equal(first.Fingerprint, r.Fingerprint)
		e.Equal(store.Absent, r.Prior)
		e.Equal("answer", string(e.get(id).Body))
	}
}

func duplicate(e *env) {
	id, first := e.held(long)
	for _, take := range []store.Takeover{store.TakeAbsent, store.TakeDoubt, store.TakeSettled} {
		r := e.lose(id, newClaim(long, take), store.InFlight)
		e.Equal(first.Owner, r.Owner)
		e.Equal(first.Origin, r.Origin)
		e.Equal(first.Fingerprint, r.Fingerprint)
	}
	e.settle(id, first.Owner, store.Outcome{State: store.Completed, Body: []byte("first")})
	e.Equal("first", string(e.get(id).Body))
}

func released(e *env) {
	id, c := e.held(long)
	e.settle(id, c.Owner, store.Outcome{State: store.Absent, Body: []byte("not kept"), TTL: long})
	e.Equal(store.Record{}, e.get(id), "a released record is not there")
	e.Equal(store.Absent, e.win(id, newClaim(long, store.TakeAbsent)).Prior)
}

// forgotten is how a record is deleted: by a claim that takes it over and is
// released.
func forgotten(e *env) {
	id, old := e.completed("old", long)
	taker := newClaim(long, store.TakeSettled)
	e.Equal(store.Completed, e.win(id, taker).Prior)
	e.Empty(e.get(id).Body, "the old answer is given out while a new one is fetched")
	e.shut(id, old.Owner)
	e.settle(id, taker.Owner, store.Outcome{State: store.Absent})
	e.Equal(store.Absent, e.get(id).State)
	e.shut(id, old.Owner)
	e.Equal(store.Absent, e.win(id, newClaim(long, store.TakeAbsent)).Prior)
}

func strangers(e *env) {
	e.shut(newID(), store.NewOwner())
	held, _ := e.held(long)
	e.shut(held, store.NewOwner())
	e.shut(held, store.Owner{})
	done, _ := e.completed("answer", long)
	e.shut(done, store.NewOwner())
}

func settledOnce(e *env) {
	for _, state := range []store.State{store.Completed, store.Absent, store.Unknown} {
		id, c := e.held(long)
		e.settle(id, c.Owner, store.Outcome{State: state, Body: []byte("answer"), TTL: long})
		e.Equal(state, e.get(id).State)
		e.shut(id, c.Owner)
	}
}

func contextEnded(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	id, c := e.held(long)
	fresh := newID()
	_, err := e.store.Claim(ctx, fresh, newClaim(long, store.TakeSettled))
	e.ErrorIs(err, context.Canceled)
	_, err = e.store.Get(ctx, id)
	e.ErrorIs(err, context.Canceled)
	e.ErrorIs(e.store.Renew(ctx, id, c.Owner, time.Nanosecond), context.Canceled)
	e.ErrorIs(e.store.Settle(ctx, id, c.Owner, store.Outcome{State: store.Absent}), context.Canceled)

	e.Equal(store.Absent, e.get(fresh).State, "claimed all the same")
	e.Equal(store.InFlight, e.get(id).State, "changed all the same")
	e.settle(id, c.Owner, store.Outcome{State: store.Completed})
}

func invalid(e *env) {
	id := newID()
	for name, change := range map[string]func(*store.Claim){
		"no owner":       func(c *store.Claim) { c.Owner = store.Owner{} },
		"no lease":       func(c *store.Claim) { c.Lease = 0 },
		"negative lease": func(c *store.Claim) { c.Lease = -time.Second },
		"takeover":       func(c *store.Claim) { c.Takeover = store.TakeSettled + 1 },
	} {
		c := newClaim(long, store.TakeAbsent)
		change(&c)
		_, err := e.store.Claim(e.ctx, id, c)
		e.Error(err, name)
		e.Equal(store.Absent, e.get(id).State, name)
	}

	id, c := e.held(long)
	e.Error(e.store.Renew(e.ctx, id, c.Owner, 0), "renewed for no time")
	e.Error(e.store.Renew(e.ctx, id, c.Owner, -1), "renewed for less than no time")
	for _, o := range []store.Outcome{
		{State: store.InFlight}, {State: store.Unknown + 1}, {State: store.Completed, TTL: -1},
	} {
		err := e.store.Settle(e.ctx, id, c.Owner, o)
		e.Error(err, "%+v", o)
		e.NotErrorIs(err, store.ErrLost, "%+v", o)
		e.Equal(store.InFlight, e.get(id).State, "an outcome that is refused leaves the claim")
	}
}
