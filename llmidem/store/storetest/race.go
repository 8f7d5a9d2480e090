package storetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

func raceCases() []testCase {
	return []testCase{
		{"S11_ThousandClaimants", thousandClaimants},
		{"S10_OrphanHasOneTaker", orphanHasOneTaker},
		{"S10_ForgetHasOneTaker", forgetHasOneTaker},
		{"S12_OwnersExcludeEachOther", ownersExclude},
	}
}

// contest has n claimants at once and requires one winner.
func (e *env) contest(id string, n int, take store.Takeover, prior store.State) store.Owner {
	e.t.Helper()
	var winner atomic.Pointer[store.Record]
	var winners, failures atomic.Int64
	start := make(chan struct{})
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			c := newClaim(long, take)
			<-start
			r, err := e.store.Claim(e.ctx, id, c)
			switch {
			case err != nil:
				failures.Add(1)
			case r.Owner == c.Owner:
				winners.Add(1)
				winner.Store(&r)
			case r.State != store.InFlight:
				failures.Add(1)
			}
		})
	}
	close(start)
	all.Wait()
	e.Zero(failures.Load(), "claims that failed, or were refused by what is not in flight")
	e.EqualValues(1, winners.Load(), "winners")
	e.Equal(prior, winner.Load().Prior)
	e.Equal(winner.Load().Owner, e.get(id).Owner)
	return winner.Load().Owner
}

func thousandClaimants(e *env) {
	id := newID()
	owner := e.contest(id, 1000, store.TakeAbsent, store.Absent)
	e.settle(id, owner, store.Outcome{State: store.Completed, Body: []byte("once")})
}

func orphanHasOneTaker(e *env) {
	for range 10 {
		id, dead := e.held(e.short())
		e.pass(2 * e.short())
		owner := e.contest(id, 16, store.TakeDoubt, store.Unknown)
		e.shut(id, dead.Owner)
		e.settle(id, owner, store.Outcome{State: store.Absent})
	}
}

func forgetHasOneTaker(e *env) {
	for range 10 {
		id, _ := e.completed("old", long)
		e.contest(id, 16, store.TakeSettled, store.Completed)
	}
}

// ownersExclude lets many owners claim and end the same few ids. Between a won
// claim and its end nobody else wins that id; what is read is what an owner of
// that id wrote.
func ownersExclude(e *env) {
	const workers, rounds, width = 16, 60, 3
	ids := make([]string, width)
	holders := make([]atomic.Int64, width)
	for i := range ids {
		ids[i] = newID()
	}
	var faults sync.Map
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 0))
			for range rounds {
				i := random.IntN(width)
				if fault := e.round(ids[i], &holders[i], random); fault != "" {
					faults.Store(fault, true)
				}
			}
		})
	}
	all.Wait()
	faults.Range(func(fault, _ any) bool { e.Fail(fault.(string)); return true })
}

// round claims once and, having won, settles. It returns what was wrong.
func (e *env) round(id string, holders *atomic.Int64, random *rand.Rand) string {
	c := newClaim(long, store.Takeover(random.IntN(3)))
	r, err := e.store.Claim(e.ctx, id, c)
	if err != nil {
		return "claim: " + err.Error()
	}
	if r.State == store.Completed && !strings.HasPrefix(string(r.Body), id+" "+r.Owner.String()) {
		return fmt.Sprintf("a body that its owner did not write: %.120q", r.Body)
	}
	if r.Owner != c.Owner {
		return ""
	}
	if n := holders.Add(1); n != 1 {
		return fmt.Sprintf("%d owners at once", n)
	}
	if err := e.store.Renew(e.ctx, id, c.Owner, long); err != nil {
		return "renew: " + err.Error()
	}
	holders.Add(-1) // before the end, since after it the next owner may have won
	ends := []store.State{store.Completed, store.Absent, store.Unknown}
	o := store.Outcome{State: ends[random.IntN(3)], Body: []byte(id + " " + c.Owner.String()), TTL: long}
	if err := e.store.Settle(e.ctx, id, c.Owner, o); err != nil {
		return "settle: " + err.Error()
	}
	return ""
}
