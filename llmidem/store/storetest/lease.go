package storetest

import (
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

func leaseCases() []testCase {
	return []testCase{
		{"S4_LeaseRunsOut", leaseRunsOut},
		{"S4_ClaimSeesLeaseRunOut", claimSeesLeaseRunOut},
		{"S4_FinisherAfterLease", finisherAfterLease},
		{"S4a_RenewFromNow", renewFromNow},
		{"S4a_RenewShortens", renewShortens},
		{"S12_LateFinisherAfterTakeover", lateFinisher},
		{"S12_LateFinisherAfterRelease", lateAfterRelease},
		{"AgeAndLeft", ageAndLeft},
	}

}

func leaseRunsOut(e *env) {
	id, c := e.held(e.short())
	e.runOut(id, store.InFlight, store.Unknown)
	r := e.get(id)
	e.Equal(c.Owner, r.Owner)
	e.Equal(c.Fingerprint, r.Fingerprint)
	e.Equal(c.Origin, r.Origin)
	e.Empty(r.Body)
	e.Zero(r.Left, "nothing but a takeover ends a doubt that nobody gave a TTL")

	e.pass(3 * e.short())
	e.Equal(store.Unknown, e.get(id).State, "a lease is no TTL")
}

// claimSeesLeaseRunOut looks with Claim first, without a Get that might tidy up.
func claimSeesLeaseRunOut(e *env) {
	id, first := e.held(e.short())
	e.pass(2 * e.short())
	r := e.lose(id, newClaim(long, store.TakeAbsent), store.Unknown)
	e.Equal(first.Owner, r.Owner)
	e.Equal(first.Fingerprint, r.Fingerprint)
	if e.suite.advance != nil {
		e.InDelta(e.short(), r.Age, float64(slack), "since the lease ran out, whenever that was noticed")
	}
	e.Equal(store.Unknown, e.win(id, newClaim(long, store.TakeDoubt)).Prior)
}

// finisherAfterLease comes too late although nobody took over: a reader may have
// been told Unknown already.
func finisherAfterLease(e *env) {
	id, c := e.held(e.short())
	e.pass(2 * e.short())
	e.ErrorIs(e.store.Settle(e.ctx, id, c.Owner, store.Outcome{State: store.Completed, Body: []byte("late")}), store.ErrLost)
	e.Equal(store.Unknown, e.get(id).State)
	e.shut(id, c.Owner)

	id, c = e.held(e.short())
	e.pass(2 * e.short())
	e.ErrorIs(e.store.Renew(e.ctx, id, c.Owner, long), store.ErrLost)
	e.Equal(store.Unknown, e.get(id).State)
}

func renewFromNow(e *env) {
	if e.suite.advance == nil {
		id, c := e.held(20 * e.short())
		e.NoError(e.store.Renew(e.ctx, id, c.Owner, long))
		e.pass(25 * e.short())
		e.Equal(store.InFlight, e.get(id).State)
		e.settle(id, c.Owner, store.Outcome{State: store.Completed})
		return
	}
	id, c := e.held(e.short())
	for range 5 {
		e.pass(e.short() - time.Millisecond)
		e.NoError(e.store.Renew(e.ctx, id, c.Owner, e.short()))
		e.Equal(e.short(), e.get(id).Left.Round(time.Millisecond))
	}
	e.runOut(id, store.InFlight, store.Unknown)
}

func renewShortens(e *env) {
	id, c := e.held(long)
	e.NoError(e.store.Renew(e.ctx, id, c.Owner, e.short()))
	e.runOut(id, store.InFlight, store.Unknown)
}

func lateFinisher(e *env) {
	id, first := e.held(e.short())
	e.pass(2 * e.short())
	second := newClaim(long, store.TakeDoubt)
	e.Equal(store.Unknown, e.win(id, second).Prior)

	e.shut(id, first.Owner)
	r := e.get(id)
	e.Equal(store.InFlight, r.State)
	e.Equal(second.Owner, r.Owner)
	e.Equal(second.Fingerprint, r.Fingerprint, "the taker's fingerprint replaces the first one's")

	e.settle(id, second.Owner, store.Outcome{State: store.Completed, Body: []byte("second"), TTL: long})
	e.shut(id, first.Owner)
	e.Equal("second", string(e.get(id).Body))
}

func lateAfterRelease(e *env) {
	id, first := e.held(e.short())
	e.pass(2 * e.short())
	second := newClaim(long, store.TakeDoubt)
	e.win(id, second)
	e.settle(id, second.Owner, store.Outcome{State: store.Absent})
	e.shut(id, first.Owner)
	e.Equal(store.Absent, e.get(id).State)
}

// slack is that of a store which counts in milliseconds.
const slack = 2 * time.Millisecond

func ageAndLeft(e *env) {
	id, c := e.held(long)
	if e.suite.advance == nil {
		e.pass(20 * time.Millisecond)
		e.GreaterOrEqual(e.get(id).Age, 20*time.Millisecond-slack)
		e.LessOrEqual(e.get(id).Left, long-20*time.Millisecond+slack)
		e.settle(id, c.Owner, store.Outcome{State: store.Completed})
		e.GreaterOrEqual(e.get(id).Age, time.Duration(0))
		e.Zero(e.get(id).Left)
		return
	}
	e.pass(time.Minute)
	e.InDelta(time.Minute, e.get(id).Age, float64(slack), "since the claim")
	e.InDelta(long-time.Minute, e.get(id).Left, float64(slack), "of the lease")
	e.settle(id, c.Owner, store.Outcome{State: store.Completed, TTL: 2 * long})
	e.InDelta(0, e.get(id).Age, float64(slack), "since it was settled")
	e.pass(time.Minute)
	e.InDelta(time.Minute, e.get(id).Age, float64(slack))
	e.InDelta(2*long-time.Minute, e.get(id).Left, float64(slack))

	endless, _ := e.completed("answer", 0)
	e.Zero(e.get(endless).Left, "without end")
	e.pass(1000 * long)
	e.Equal(store.Completed, e.get(endless).State)
	e.Equal(store.Absent, e.get(id).State)
}
