package llmidem

import (
	"slices"
	"sync"
)

// counters give equal calls of a run their numbers. The zero value is empty.
type counters struct {
	mu sync.Mutex
	m  map[[32]byte]*counter // by identity
}

// counter has the numbers of one identity.
type counter struct {
	next   uint64    // the lowest that was never taken
	free   []uint64  // below next, in order
	active []*number // whose calls are under way
}

// number is one that a logical call has taken.
type number struct {
	all      *counters
	identity [32]byte
	n        uint64

	// The rest is guarded by all.mu.
	held      bool
	failed    bool // its last request did, and whoever asked may ask again
	unordered bool // an equal call was under way at the same time
	users     int  // requests under way
}

// take gives a new call the lowest number that is free.
func (cs *counters) take(identity [32]byte) *number {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.taken(identity)
}

// again gives a call that is repeated its own number or, when another call has
// that by now, the lowest that is free.
func (cs *counters) again(n *number) *number {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if !n.held {
		ct := cs.at(n.identity)
		i := slices.Index(ct.free, n.n)
		switch {
		case i >= 0:
			ct.free = slices.Delete(ct.free, i, i+1)
		case n.n >= ct.next:
			for ; ct.next < n.n; ct.next++ {
				ct.free = append(ct.free, ct.next)
			}
			ct.next++
		default:
			return cs.taken(n.identity)
		}
		n.held = true
	}
	n.begin()
	return n
}

func (cs *counters) at(identity [32]byte) *counter {
	ct := cs.m[identity]
	if ct == nil {
		if cs.m == nil {
			cs.m = map[[32]byte]*counter{}
		}
		ct = &counter{}
		cs.m[identity] = ct
	}
	return ct
}

// taken is take under mu.
func (cs *counters) taken(identity [32]byte) *number {
	ct := cs.at(identity)
	n := &number{all: cs, identity: identity, n: ct.next, held: true}
	if len(ct.free) > 0 {
		n.n = ct.free[0]
		ct.free = slices.Delete(ct.free, 0, 1)
	} else {
		ct.next++
	}
	n.begin()
	return n
}

// begin notes that a request is under way, and beside which others. The caller
// holds mu.
func (n *number) begin() {
	n.users++
	n.failed = false
	ct := n.all.at(n.identity)
	if slices.Contains(ct.active, n) {
		return
	}
	for _, other := range ct.active {
		n.unordered, other.unordered = true, true
	}
	ct.active = append(ct.active, n)
}

// end notes how a request ended. One that failed and may be asked again by the
// SDK keeps its number until that is over.
func (n *number) end(failed, mayReturn bool) {
	n.all.mu.Lock()
	defer n.all.mu.Unlock()
	n.users--
	switch {
	case !n.held:
	case failed && mayReturn:
		n.failed = true
	case failed:
		n.release()
	case n.users <= 0:
		n.rest()
	}
}

// over notes that nobody will ask again.
func (n *number) over(failed bool) {
	n.all.mu.Lock()
	defer n.all.mu.Unlock()
	if n.held && (failed || n.failed) {
		n.release()
	}
}

// rest takes the number off those under way. The caller holds mu.
func (n *number) rest() {
	ct := n.all.at(n.identity)
	ct.active = slices.DeleteFunc(ct.active, func(m *number) bool { return m == n })
}

// release makes the number free. The caller holds mu.
func (n *number) release() {
	n.rest()
	n.held = false
	ct := n.all.at(n.identity)
	i, _ := slices.BinarySearch(ct.free, n.n)
	ct.free = slices.Insert(ct.free, i, n.n)
	for len(ct.free) > 0 && ct.free[len(ct.free)-1] == ct.next-1 {
		ct.next--
		ct.free = ct.free[:len(ct.free)-1]
	}
	if ct.next == 0 {
		delete(n.all.m, n.identity)
	}
}

// mixed reports whether an equal call was under way at the same time.
func (n *number) mixed() bool {
	if n == nil {
		return false
	}
	n.all.mu.Lock()
	defer n.all.mu.Unlock()
	return n.unordered
}
