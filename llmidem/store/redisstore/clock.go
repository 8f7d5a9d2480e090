package redisstore

import (
	"sync/atomic"
	"time"
)

const (
	// trust is how long a reading of a server's clock is relied on, and for how long
	// a server that has answered is taken to be well.
	trust = time.Second
	// settled is how long a reading is kept although a newer, but less exact, one
	// comes.
	settled = trust / 4
)

// reading is what a reply said about the server's clock.
type reading struct {
	at     int64 // when the reply was here, nanoseconds of our clock
	server int64 // what the server said, nanoseconds since 1970
	trip   int64 // how long the call took: the server's clock was read within
}

// span is between what and what the server's clock is at a time of ours.
func (r reading) span(now int64) (earliest, latest int64) {
	passed := now - r.at
	return r.server + passed, r.server + r.trip + passed
}

// clock knows a server's time by what its replies said, within a round trip. It
// saves a plain GET from having to ask. Neither clock is trusted to run evenly or
// not to be set: readings grow old soon.
type clock struct{ last atomic.Pointer[reading] }

func (c *clock) learn(r reading) {
	if old := c.last.Load(); old != nil && r.at-old.at < int64(settled) && old.trip < r.trip {
		earliest, latest := old.span(r.at)
		if earliest <= r.server+r.trip && r.server <= latest {
			return // the two agree, and the old one is more exact
		}
	}
	c.last.Store(&r)
}

func (c *clock) fresh(now int64) (reading, bool) {
	r := c.last.Load()
	if r == nil || now-r.at >= int64(trust) {
		return reading{}, false
	}
	return *r, true
}

// clocks has a clock for all ids, or, of a cluster, one for each slot: its nodes
// have clocks of their own, and which node has a slot changes.
type clocks []clock

const slots = 16384

func newClocks(cluster bool) clocks {
	if cluster {
		return make(clocks, slots)
	}
	return make(clocks, 1)
}

// of is the clock of the node that has a slot.
func (c clocks) of(slot uint16) *clock { return &c[int(slot)%len(c)] }
