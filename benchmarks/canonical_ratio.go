package benchmarks

import (
	"runtime"
	"slices"
	"time"
)

// A Ratio is what a contestant takes beside SHA-256 over the same bytes, measured by
// turns in the same run.
type Ratio struct {
	Best   float64       // best slice of the one by best slice of the other
	Median float64       // likewise of the medians
	Time   time.Duration // of one run, in the best slice
	Floor  time.Duration // of one SHA-256, in its best slice
	Allocs float64       // per run
	Bytes  float64       // allocated per run
	Slices int           // of each
}

// sliceTime is how long a slice lasts at least, one run where that takes longer. Best
// slices are compared since what else a machine does only ever adds; a slice is short
// so that some of them see none of it, and long enough for the clock.
const sliceTime = time.Millisecond

// minSlices are taken even where they take longer than was asked for.
const minSlices = 5

// Measure runs c and SHA-256 over the body by turns for about as long as d.
func Measure(c, floor Contestant, l Load, body []byte, d time.Duration) Ratio {
	mine, hash := func() { c.Run(l, body) }, func() { floor.Run(l, body) }
	mine() // scratch memory grows to the size of the calls
	hash()
	n, m := runsOf(mine), runsOf(hash)
	r := Ratio{}
	r.Allocs, r.Bytes = allocated(mine, n)
	runtime.GC()
	var a, b []time.Duration
	for start := time.Now(); len(a) < minSlices || time.Since(start) < d; {
		a = append(a, slice(mine, n))
		b = append(b, slice(hash, m))
	}
	slices.Sort(a)
	slices.Sort(b)
	r.Time, r.Floor, r.Slices = a[0], b[0], len(a)
	r.Best = float64(a[0]) / float64(b[0])
	r.Median = float64(a[len(a)/2]) / float64(b[len(b)/2])
	return r
}

// runsOf returns how many runs make a slice.
func runsOf(f func()) int {
	const tries = 3
	best := time.Duration(1 << 62)
	for range tries {
		best = min(best, slice(f, 1))
	}
	return int(sliceTime/max(best, 1)) + 1
}

// slice returns the time of one of n runs.
func slice(f func(), n int) time.Duration {
	start := time.Now()
	for range n {
		f()
	}
	return time.Since(start) / time.Duration(n)
}

// allocated returns what one of n runs allocates. The best of three counts: the
// runtime allocates now and then as well.
func allocated(f func(), n int) (allocs, bytes float64) {
	var before, after runtime.MemStats
	for i := range 3 {
		runtime.ReadMemStats(&before)
		for range n {
			f()
		}
		runtime.ReadMemStats(&after)
		a, b := float64(after.Mallocs-before.Mallocs)/float64(n), float64(after.TotalAlloc-before.TotalAlloc)/float64(n)
		if i == 0 || a < allocs {
			allocs, bytes = a, b
		}
	}
	return allocs, bytes
}
