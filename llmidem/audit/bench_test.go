package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/audit"
)

// BenchmarkAppend has goroutines append outcomes under each policy, with the median time
// of an Append, and the disk's own for a record, and for a group of them, beside it.
func BenchmarkAppend(b *testing.B) {
	_, outcome := callRecords(b, 1, audit.OutcomeAnswered)
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("fdatasync of records/%d", n), func(b *testing.B) {
			f, err := os.Create(logPath(b))
			require.NoError(b, err)
			defer func() { _ = f.Close() }()
			lines := make([]byte, 600*n)
			measure(b, 1, 0, func() error {
				if _, err := f.Write(lines); err != nil {
					return err
				}
				return audit.SyncFile(f)
			})
		})
	}
	for _, c := range []struct {
		name string
		sync audit.Sync
		path func(testing.TB) string
	}{
		{"each", audit.SyncEach(), logPath},
		{"group", audit.SyncGroup(0, 1024), logPath},
		{"group in memory", audit.SyncGroup(0, 1024), memoryPath}, // what is not the disk's time
		{"async", audit.SyncAsync(100*time.Millisecond, 10_000), logPath},
	} {
		for _, n := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				l := open(b, c.path(b), audit.WithSync(c.sync))
				measure(b, n, 0, func() error {
					_, err := l.Append(context.Background(), outcome)
					return err
				})
			})
		}
	}
}

// BenchmarkCall has 64 callers whose calls take some milliseconds, as those of a provider
// do at the least, append the outcome of each: what that adds to a call.
func BenchmarkCall(b *testing.B) {
	_, outcome := callRecords(b, 1, audit.OutcomeAnswered)
	for name, path := range map[string]func(testing.TB) string{"disk": logPath, "memory": memoryPath} {
		b.Run(name, func(b *testing.B) {
			l := open(b, path(b))
			measure(b, 64, 20*time.Millisecond, func() error {
				_, err := l.Append(context.Background(), outcome)
				return err
			})
		})
	}
}

// measure has n goroutines do what there is to do, with pauses of up to twice that
// length, and reports how often a second and the median time of one.
func measure(b *testing.B, n int, pause time.Duration, do func() error) {
	times := make([]time.Duration, b.N)
	var next atomic.Int64
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range n {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				if pause > 0 {
					time.Sleep(rand.N(2 * pause))
				}
				began := time.Now()
				if err := do(); err != nil {
					b.Error(err)
					return
				}
				times[i] = time.Since(began)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds())/1e3, "p99-µs")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// bigLog is a log of n calls.
func bigLog(b testing.TB, n int, opts ...audit.Option) []byte {
	path := memoryPath(b)
	l := open(b, path, append(opts, audit.WithSync(audit.SyncAsync(time.Hour, 1<<20)), audit.RotateSize(0))...)
	intent, outcome := callRecords(b, 1, audit.OutcomeAnswered)
	for range n {
		for _, r := range []audit.Record{intent, outcome} {
			_, err := l.Append(context.Background(), r)
			require.NoError(b, err)
		}
	}
	require.NoError(b, l.Close())
	content, err := os.ReadFile(path)
	require.NoError(b, err)
	return content
}

// BenchmarkVerify verifies the records of a log, and reads them.
func BenchmarkVerify(b *testing.B) {
	const calls = 10_000
	key := secret(b, "k1")
	plain, keyed := bigLog(b, calls), bigLog(b, calls, audit.WithHMAC(key))
	for _, c := range []struct {
		name    string
		content []byte
		check   audit.Check
	}{{"sha256", plain, audit.Check{}}, {"hmac", keyed, audit.Check{Secrets: []audit.Secret{key}}}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.content)))
			for b.Loop() {
				_, err := verify(c.content, c.check)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N)*(2*calls+1)/b.Elapsed().Seconds(), "records/s")
		})
	}
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			var s audit.Stats
			for r, err := range audit.Read(bytes.NewReader(plain), audit.Check{}) {
				require.NoError(b, err)
				s.Add(r)
			}
			require.EqualValues(b, calls, s.Answered)
		}
		b.ReportMetric(float64(b.N)*(2*calls+1)/b.Elapsed().Seconds(), "records/s")
	})
}
