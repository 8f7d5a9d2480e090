package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

func opened(t *testing.T, opts ...Option) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "records.db"), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func put(t *testing.T, s *Store, id, body string, ttl time.Duration) {
	t.Helper()
	c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour, Takeover: store.TakeSettled}
	_, err := s.Claim(t.Context(), id, c)
	require.NoError(t, err)
	require.NoError(t, s.Settle(t.Context(), id, c.Owner, store.Outcome{State: store.Completed, Body: []byte(body), TTL: ttl}))
}

func stateOf(t *testing.T, s *Store, id string) store.State {
	t.Helper()
	r, err := s.Get(t.Context(), id)
	require.NoError(t, err)
	return r.State
}

// stall keeps the writer busy until release is called.
func stall(s *Store) (release func()) {
	wait := make(chan struct{})
	go func() { _ = s.do(context.Background(), newOp(func(*txn) error { <-wait; return nil }, nil)) }()
	synctest.Wait()
	return func() { close(wait); synctest.Wait() }
}

// TestR5_ClaimLeft ends the context of a claim in each phase of its write: nothing
// of it stays.
func TestR5_ClaimLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, WithSweep(-1))
		claim := func(id string) (cancel func(), result chan error) {
			ctx, stop := context.WithCancel(t.Context())
			result = make(chan error, 1)
			go func() {
				_, err := s.Claim(ctx, id, store.Claim{Owner: store.NewOwner(), Lease: time.Hour})
				result <- err
			}()
			synctest.Wait()
			return stop, result
		}
		release := stall(s)
		cancel, result := claim("queued")
		cancel()
		require.ErrorIs(t, <-result, context.Canceled, "at once")
		release()

		first := stall(s)
		cancel, result = claim("written")
		second := stall(s) // goes into one commit with the claim, after it
		first()
		cancel()
		require.ErrorIs(t, <-result, context.Canceled, "at once")
		second()

		first = stall(s)
		second = stall(s)
		cancel, result = claim("begun") // into the same commit, behind what stalls it
		first()
		cancel()
		require.ErrorIs(t, <-result, context.Canceled, "at once")
		second()

		for _, id := range []string{"queued", "written", "begun"} {
			require.Equal(t, store.Absent, stateOf(t, s, id), id)
			put(t, s, id, "answer", 0)
		}
		require.Zero(t, s.Stats().InFlight)
	})
}

// TestR5_SettleLeft: an outcome whose caller left while it was written may last.
func TestR5_SettleLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, WithSweep(-1))
		c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour}
		_, err := s.Claim(t.Context(), "a", c)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		first := stall(s)
		body := []byte("answer")
		go func() { result <- s.Settle(ctx, "a", c.Owner, store.Outcome{State: store.Completed, Body: body}) }()
		synctest.Wait()
		second := stall(s)
		first()
		cancel()
		require.ErrorIs(t, <-result, context.Canceled)
		copy(body, "CHANGED") // it is the caller's again
		second()
		r, err := s.Get(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, "answer", string(r.Body))
	})
}

// setWall is a time with its wall clock set, and its monotonic reading as it was:
// what time.Now returns after somebody set the clock.
func setWall(t *testing.T, now time.Time, d time.Duration) time.Time {
	t.Helper()
	was := now
	// The seconds of a time with a monotonic reading are bits 30 to 62 of its
	// first word.
	*(*uint64)(unsafe.Pointer(&now)) += uint64(int64(d/time.Second) << 30)
	if now.Sub(was) != 0 || now.Round(0).Sub(was.Round(0)) != d {
		t.Fatal("package time lays out its Time otherwise")
	}
	return now
}

// TestS16_ClockIsSet: leases do not notice. TTLs do, but nothing is lost by it.
func TestS16_ClockIsSet(t *testing.T) {
	var wall, passed time.Duration
	start := time.Now()
	s := opened(t, WithSweep(-1), WithNow(func() time.Time { return setWall(t, start.Add(passed), wall) }))
	put(t, s, "minute", "answer", time.Minute)
	put(t, s, "hour", "answer", time.Hour)
	put(t, s, "endless", "answer", 0)
	c := store.Claim{Owner: store.NewOwner(), Lease: 10 * time.Minute}
	_, err := s.Claim(t.Context(), "held", c)
	require.NoError(t, err)

	passed = time.Minute
	for _, step := range []struct {
		wall         time.Duration
		minute, hour store.State
	}{
		{0, store.Absent, store.Completed},
		{48 * time.Hour, store.Absent, store.Absent},
		{-48 * time.Hour, store.Absent, store.Completed}, // the minute has passed by both clocks, and was swept
		{time.Hour, store.Absent, store.Absent},
		{0, store.Absent, store.Completed},
	} {
		wall = step.wall
		require.Equal(t, step.minute, stateOf(t, s, "minute"), "set by %v", wall)
		require.Equal(t, step.hour, stateOf(t, s, "hour"), "set by %v", wall)
		require.Equal(t, store.Completed, stateOf(t, s, "endless"), "set by %v", wall)
		require.Equal(t, store.InFlight, stateOf(t, s, "held"), "set by %v", wall)
		require.NoError(t, s.Renew(t.Context(), "held", c.Owner, 10*time.Minute), "set by %v", wall)
		r, err := s.Get(t.Context(), "hour")
		require.NoError(t, err)
		require.LessOrEqual(t, r.Left, time.Hour, "not more than it was given")
		require.GreaterOrEqual(t, r.Age, time.Duration(0))
		if step.wall > 0 { // what a sweep deletes now would be missing later
			_, err = s.sweepOnce(t.Context(), nil)
			require.NoError(t, err)
		}
	}
	passed += 10 * time.Minute
	require.Equal(t, store.Unknown, stateOf(t, s, "held"))
}

// TestSweep deletes what has expired, with its body, and nothing else; what it
// frees is used again.
func TestSweep(t *testing.T) {
	now := time.Now()
	s := opened(t, WithSweep(-1), WithNow(func() time.Time { return now }))
	long := strings.Repeat("answer", 1000)
	require.NoError(t, s.do(t.Context(), newOp(func(tx *txn) error {
		for i := range 2500 { // several portions
			id, key, owner := fmt.Sprint(i), keyOf(fmt.Sprint(i)), store.NewOwner()
			tx.claim(id, key, claim{record: record{state: store.InFlight, owner: owner}, to: forever})
			if err := tx.settle(id, key, owner, end{state: store.Unknown, ttl: time.Minute}); err != nil {
				return err
			}
		}
		return nil
	}, nil)))
	put(t, s, "stays", long, time.Hour)
	put(t, s, "endless", long, 0)
	put(t, s, "goes", long, time.Minute)
	_, err := s.Claim(t.Context(), "lost", store.Claim{Owner: store.NewOwner(), Lease: time.Minute})
	require.NoError(t, err)
	now = now.Add(5 * time.Minute)

	next, err := s.sweepOnce(t.Context(), nil)
	require.NoError(t, err)
	require.Nil(t, next, "it came to the end")
	stats := s.Stats()
	require.EqualValues(t, 3, stats.Records)
	require.Zero(t, stats.InFlight, "the claim that ran out is among the records")
	r, err := s.Get(t.Context(), "lost")
	require.NoError(t, err)
	require.Equal(t, store.Unknown, r.State)
	require.Equal(t, 4*time.Minute, r.Age, "since the lease ran out")
	require.Equal(t, store.Completed, stateOf(t, s, "stays"))
	require.Equal(t, store.Completed, stateOf(t, s, "endless"))
	require.NoError(t, s.db.View(func(tx *bbolt.Tx) error {
		require.EqualValues(t, 2*piecesOf(uint32(len(long))), tx.Bucket(bodiesBucket).Stats().KeyN, "no body is left behind")
		for err := range tx.Check() {
			require.NoError(t, err)
		}
		return nil
	}))
	require.Empty(t, check(s))
}

// check verifies the file of a store that is open.
func check(s *Store) string {
	var all bytes.Buffer
	if err := s.db.View(func(tx *bbolt.Tx) error { _, err := tx.WriteTo(&all); return err }); err != nil {
		return err.Error()
	}
	return verify(bytes.NewReader(all.Bytes()), int64(all.Len()))
}

// TestSweep_Goes sweeps by itself.
func TestSweep_Goes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		put(t, s, "goes", "answer", time.Second)
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		for s.Stats().Records > 0 { // its disk is a real one
			time.Sleep(time.Minute)
		}
		require.Zero(t, s.Stats().Records)
	})
}

func TestS8_UnknownVersionAndState(t *testing.T) {
	key := []byte("key")
	r := record{state: store.Completed, until: forever}
	_, ok := decode(key, r.encode(key))
	require.True(t, ok)
	for at, b := range map[int]byte{atVersion: recordVersion + 1, atState: byte(store.Unknown) + 1} {
		v := r.encode(key)
		v[at] = b
		native.PutUint32(v[atSum:], 0)
		_, ok = decode(key, v)
		require.False(t, ok)
		s := recordSum(key, v)
		v[atSum], v[atSum+1], v[atSum+2], v[atSum+3] = byte(s), byte(s>>8), byte(s>>16), byte(s>>24)
		_, ok = decode(key, v)
		require.False(t, ok, "with a right checksum")
	}
	_, ok = decode([]byte("kez"), r.encode(key))
	require.False(t, ok, "S9a: under another key")
}

func TestKeys(t *testing.T) {
	seen := map[string]string{}
	lower := strings.Repeat("0123456789abcdef", 4)
	for _, id := range []string{"", "p", "x", "a", lower, strings.ToUpper(lower), lower[1:], lower + "0", lower[1:] + "g", strings.Repeat("\x00", 32)} {
		key := string(keyOf(id))
		require.Empty(t, seen[key], "%q and %q have one key", id, seen[key])
		seen[key] = id + " "
		require.Equal(t, id, idOf([]byte(key)))
	}
	require.Len(t, keyOf(lower), 33)
}

// FuzzVerify: whatever is in a file, reading it ends with a finding or with none.
func FuzzVerify(f *testing.F) {
	s, err := Open(filepath.Join(f.TempDir(), "records.db"))
	require.NoError(f, err)
	var whole bytes.Buffer
	require.NoError(f, s.db.View(func(tx *bbolt.Tx) error { _, err := tx.WriteTo(&whole); return err }))
	require.NoError(f, s.Close())
	f.Add(0, []byte("text"), 1<<20)
	f.Add(4096*2+10, []byte{0xff, 0xff}, 1<<20)
	f.Add(4096*3, []byte{1}, 4096*3+100)
	f.Fuzz(func(_ *testing.T, at int, patch []byte, size int) {
		b := bytes.Clone(whole.Bytes())
		if at >= 0 && at < len(b) {
			copy(b[at:], patch)
		}
		b = b[:min(max(size, 0), len(b))]
		_ = verify(bytes.NewReader(b), int64(len(b)))
	})
}
