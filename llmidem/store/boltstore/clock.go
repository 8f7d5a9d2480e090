package boltstore

import (
	"math"
	"time"
)

// forever is the end of what has none, as a wall time and as a time passed.
const forever = math.MaxInt64

// clock tells both times.
type clock struct {
	now   func() time.Time
	start time.Time
}

func newClock(now func() time.Time) clock { return clock{now, now()} }

// moment is a time on both clocks.
type moment struct {
	passed int64 // nanoseconds since the store was opened, by the monotonic clock
	wall   int64 // nanoseconds since 1970, by the wall clock
}

func (c clock) at() moment {
	t := c.now()
	return moment{int64(t.Sub(c.start)), t.UnixNano()}
}

// surely is the wall time by which both clocks agree that something has expired:
// what is then deleted does not come back when a clock is set right again.
func (c clock) surely(m moment) int64 {
	return min(m.wall, c.start.UnixNano()+m.passed)
}

// after is the time that much later, forever at the latest.
func after(t int64, d time.Duration) int64 {
	if end := t + int64(d); end > t {
		return end
	}
	return forever
}
