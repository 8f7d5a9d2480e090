package storetest

import "github.com/llmidem/llmidem-go/llmidem/store"

func takeoverCases() []testCase {
	return []testCase{
		{"TakeoverKinds", takeoverKinds},
		{"S13_UnknownIsNeverAbsent", unknownIsNotAbsent},
		{"S6_ExpiredBetweenClaimAndRead", expiredBetween},
		{"P6_ExpiredIsAbsent", expiredIsAbsent},
		{"P6_UnknownExpires", unknownExpires},
	}
}

// takeoverKinds is the whole table: what stands, who comes, who wins. In flight
// is S3.
func takeoverKinds(e *env) {
	all := []store.Takeover{store.TakeAbsent, store.TakeDoubt, store.TakeSettled}
	for _, c := range []struct {
		standing store.State
		from     store.Takeover // the first that wins
	}{
		{store.Absent, store.TakeAbsent},
		{store.Unknown, store.TakeDoubt},
		{store.Completed, store.TakeSettled},
	} {
		for _, take := range all {
			id, old := e.held(long)
			e.settle(id, old.Owner, store.Outcome{State: c.standing, Body: []byte("old")})
			claim := newClaim(long, take)
			if take < c.from {
				e.lose(id, claim, c.standing)
				e.Equal(c.standing, e.get(id).State, "a refused claim changes nothing")
				e.Equal(c.standing == store.Completed, string(e.get(id).Body) == "old")
				continue
			}
			won := e.win(id, claim)
			e.Equal(c.standing, won.Prior)
			e.Empty(won.Body)
			e.Equal(claim.Fingerprint, won.Fingerprint)
			e.Equal(claim.Origin, won.Origin)
			r := e.get(id)
			e.Equal(store.InFlight, r.State)
			e.Equal(claim.Owner, r.Owner)
			e.Equal(claim.Fingerprint, r.Fingerprint)
			e.Empty(r.Body, "the old answer under the new claim")
			e.shut(id, old.Owner)
		}
	}
}

func unknownIsNotAbsent(e *env) {
	id, c := e.held(long)
	o := store.Outcome{State: store.Unknown, Origin: newOrigin()}
	e.settle(id, c.Owner, o)
	for range 3 {
		r := e.get(id)
		e.Equal(store.Unknown, r.State)
		e.Equal(c.Fingerprint, r.Fingerprint)
		e.Equal(o.Origin, r.Origin)
		e.Empty(r.Body)
		e.lose(id, newClaim(long, store.TakeAbsent), store.Unknown)
	}
	e.pass(2 * e.short())
	e.Equal(store.Unknown, e.get(id).State, "without a TTL it stays")
}

// expiredBetween: the refused claim brought the answer with it, so that it does
// not matter when the record goes.
func expiredBetween(e *env) {
	id, c := newID(), newClaim(long, store.TakeAbsent)
	e.win(id, c)
	e.settle(id, c.Owner, store.Outcome{State: store.Completed, Body: []byte("answer"), TTL: e.short()})
	r, err := e.store.Claim(e.ctx, id, newClaim(long, store.TakeAbsent))
	e.NoError(err)
	if e.suite.advance == nil && r.State == store.InFlight {
		return // a slow machine: it has expired, and the claim is won
	}
	e.Equal(store.Completed, r.State)
	e.pass(2 * e.short())
	e.Equal("answer", string(r.Body))
	e.Equal(store.Record{}, e.get(id))
}

func expiredIsAbsent(e *env) {
	id, c := e.completed("answer", e.short())
	e.runOut(id, store.Completed, store.Absent)
	e.Equal(store.Record{}, e.get(id), "nothing of it is left")
	e.shut(id, c.Owner)
	e.Equal(store.Absent, e.win(id, newClaim(long, store.TakeAbsent)).Prior)

	id, _ = e.completed("answer", e.short()) // and Claim without a Get before it
	e.pass(2 * e.short())
	e.Equal(store.Absent, e.win(id, newClaim(long, store.TakeAbsent)).Prior)
}

func unknownExpires(e *env) {
	id, c := e.held(long)
	e.settle(id, c.Owner, store.Outcome{State: store.Unknown, TTL: e.short()})
	e.runOut(id, store.Unknown, store.Absent)
}
