package store_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// TestP4_OverheadIsMeasured compares what records count with what they take.
func TestP4_OverheadIsMeasured(t *testing.T) {
	for _, n := range []int{2_000, 3_700, 7_300, 14_500} { // at several loads of the map
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("%064d", i)
		}
		m := newMemory(t, store.MemoryConfig{Entries: n})
		before := heap()
		for _, id := range ids {
			_ = put(t, m, id, nil, time.Hour)
		}
		per := float64(heap()-before) / float64(n)
		t.Logf("%d records: %.0f bytes each", n, per)
		if per > overhead*1.05 || per < overhead*0.85 {
			t.Errorf("%d records take %.0f bytes each beside id and body, %d are counted", n, per, overhead)
		}
		runtime.KeepAlive(m)
		runtime.KeepAlive(ids)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

func BenchmarkMemory(b *testing.B) {
	ctx := context.Background()
	m := newMemory(b, store.MemoryConfig{})
	body := make([]byte, 1024)
	_ = put(b, m, "hit", body, 0)
	b.Run("hit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = m.Get(ctx, "hit")
		}
	})
	b.Run("claim+settle", func(b *testing.B) {
		b.ReportAllocs()
		ids := make([]string, 20_000)
		for i := range ids {
			ids[i] = fmt.Sprintf("%064d", i)
		}
		c := store.Claim{Owner: store.NewOwner(), Lease: time.Minute, Takeover: store.TakeSettled}
		for i := 0; b.Loop(); i++ {
			id := ids[i%len(ids)]
			_, _ = m.Claim(ctx, id, c)
			_ = m.Settle(ctx, id, c.Owner, store.Outcome{State: store.Completed, Body: body, TTL: time.Minute})
		}
	})
	b.Run("hit/parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_, _ = m.Get(ctx, "hit")
			}
		})
	})
}
