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
	"testing"
	"time"

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
// share a server, since the suite takes ids that nobody else has. Those of a store
// whose [store.Traits] say that it is shared must see each other's records: they
// are what two processes have. newStore registers what closes the store with
// t.Cleanup. The cases run one after the
// other.
func Run(t *testing.T, newStore func(t *testing.T) store.Store, opts ...Option) {
	s := &suite{newStore: newStore}
	for _, o := range opts {
		o.apply(s)
	}
	for _, group := range [][]testCase{lifeCases(), leaseCases(), takeoverCases(), contentCases(), boundCases(), raceCases(), waitCases(), sharedCases()} {
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
