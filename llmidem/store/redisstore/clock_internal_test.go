package redisstore

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

const ms = int64(time.Millisecond)

func TestClock_GrowsOld(t *testing.T) {
	var c clock
	_, ok := c.fresh(0)
	require.False(t, ok, "it knows nothing yet")
	c.learn(reading{at: 100, server: 5000, trip: 10})
	r, ok := c.fresh(100 + int64(trust) - 1)
	require.True(t, ok)
	earliest, latest := r.span(150)
	require.EqualValues(t, 5050, earliest)
	require.EqualValues(t, 5060, latest)
	_, ok = c.fresh(100 + int64(trust))
	require.False(t, ok)
}

// TestClock_KeepsTheBest: a reading gives way to one that is more exact, to one
// that contradicts it, and to any when it is no longer new.
func TestClock_KeepsTheBest(t *testing.T) {
	old := reading{at: 0, server: 1000 * ms, trip: ms}
	for name, c := range map[string]struct {
		next reading
		kept bool
	}{
		"less exact":               {reading{at: 10 * ms, server: 1008 * ms, trip: 5 * ms}, true},
		"more exact":               {reading{at: 10 * ms, server: 1010 * ms, trip: ms / 2}, false},
		"as exact":                 {reading{at: 10 * ms, server: 1010 * ms, trip: ms}, false},
		"the server's clock jumps": {reading{at: 10 * ms, server: 1020 * ms, trip: 5 * ms}, false},
		"and back":                 {reading{at: 10 * ms, server: 900 * ms, trip: 5 * ms}, false},
		"much later":               {reading{at: int64(settled), server: 1000*ms + int64(settled), trip: 5 * ms}, false},
	} {
		var clk clock
		clk.learn(old)
		clk.learn(c.next)
		got, _ := clk.fresh(c.next.at)
		require.Equal(t, c.kept, got == old, name)
	}
}

// TestAgeAndLeft_ErrShort: nobody is told of more time than is left, nor of none.
func TestAgeAndLeft_ErrShort(t *testing.T) {
	v := &value{state: isCompleted, since: 1000, ends: 2000}
	r := v.record(store.Completed, 1500*ms, 1600*ms)
	require.Equal(t, 500*time.Millisecond, r.Age)
	require.Equal(t, 400*time.Millisecond, r.Left)
	for _, late := range []int64{2000 * ms, 2000*ms + 1, 9000 * ms} {
		r = v.record(store.Completed, 1990*ms, late)
		require.EqualValues(t, 1, r.Left, "the server had it")
	}
	r = v.record(store.Completed, 900*ms, 900*ms)
	require.Zero(t, r.Age, "a clock that was set back")

	v.ends = 0
	require.Zero(t, v.record(store.Completed, 1500*ms, 1600*ms).Left)
	v.ends = 9e15 - 1
	require.EqualValues(t, math.MaxInt64, v.record(store.Completed, 1500*ms, 1600*ms).Left)

	v = &value{state: isInFlight, since: 1000, ends: 2000}
	r = v.record(store.Unknown, 2500*ms, 2600*ms)
	require.Equal(t, 500*time.Millisecond, r.Age, "since the lease ran out")
	require.Zero(t, r.Left)
}

func TestMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, time.Hour: 3_600_000, math.MaxInt64: 9223372036855,
	} {
		require.Equal(t, want, milliseconds(d))
	}
}

func TestOld(t *testing.T) {
	for version, want := range map[string]bool{
		"5.0.14": true, "6.0.16": true, "6.2.0": false, "6.2.14": false, "7.0.15": false, "8.2.1": false, "10.0.0": false,
		"": false, "255.255.255": false, "unstable": false,
	} {
		require.Equal(t, want, old(version), version)
	}
}

func FuzzParse(f *testing.F) {
	seed := make([]byte, headerSize)
	copy(seed, []byte{version, isInFlight, rawBody, isAbsent})
	seed[12] = 0x42
	f.Add(seed)
	seed = append([]byte(nil), seed...)
	seed[1] = isCompleted
	f.Add(seed)
	c, err := newCodec(0, 1<<16)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, ok := parse(b)
		if !ok {
			return
		}
		body, err := c.body(&v)
		if err == nil && v.encoding == zstdBody && len(body) > 1<<16 {
			t.Errorf("a body of %d bytes is unpacked", len(body))
		}
		r := v.record(stateOf(v.state), 1, 2)
		if r.Age < 0 || r.Left < 0 || r.Left == 0 && v.ends != 0 {
			t.Errorf("age %v, left %v, ends %d", r.Age, r.Left, v.ends)
		}
	})
}
