package benchmarks

import (
	"testing"
	"time"
)

// BenchmarkCanonical runs every contestant over every body; names are body/contestant.
func BenchmarkCanonical(b *testing.B) {
	for _, l := range append(Loads(), HostileLoads()...) {
		b.Run(l.Name, func(b *testing.B) {
			body := l.Body()
			for _, c := range Contestants() {
				b.Run(c.Name, func(b *testing.B) {
					if why, ok := l.Lacks[c.Name]; ok {
						b.Skip(why)
					}
					b.SetBytes(int64(len(body)))
					b.ReportAllocs()
					for b.Loop() {
						c.Run(l, body)
					}
				})
			}
		})
	}
}

// BenchmarkRatio gives the key's cost as multiples of SHA-256 over the same bytes in
// the same run.
func BenchmarkRatio(b *testing.B) {
	all := Contestants()
	for _, l := range append(Loads(), HostileLoads()...) {
		b.Run(l.Name, func(b *testing.B) {
			body := l.Body()
			var r Ratio
			for b.Loop() {
				r = Measure(all[0], all[1], l, body, time.Second)
			}
			b.ReportMetric(r.Best, "best×sha256")
			b.ReportMetric(r.Median, "median×sha256")
		})
	}
}
