package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

func sealKey(t testing.TB, id string, fill byte) store.SealKey {
	t.Helper()
	k, err := store.NewSealKey(id, bytes.Repeat([]byte{fill}, 32))
	require.NoError(t, err)
	return k
}

func TestSealed_Conformance(t *testing.T) {
	const limit = 2 << 20
	key := sealKey(t, "2026-01", 7)
	c := newClock()
	storetest.Run(t, func(t *testing.T) store.Store {
		m := newMemory(t, store.MemoryConfig{MaxEntry: limit + store.SealOverhead + int64(len(key.ID())), Now: c.Now})
		s, err := store.SealedAt(c.Now, m, key)
		require.NoError(t, err)
		return s
	}, storetest.Advance(c.Advance), storetest.Limit(limit))
}

// tampered is a store below that gives out what somebody made of its records.
type tampered struct {
	store.Store
	alter func(id string, r *store.Record)
}

func (s *tampered) Claim(ctx context.Context, id string, c store.Claim) (store.Record, error) {
	r, err := s.Store.Claim(ctx, id, c)
	if r.Owner != c.Owner {
		s.alter(id, &r)
	}
	return r, err
}

func (s *tampered) Get(ctx context.Context, id string) (store.Record, error) {
	r, err := s.Store.Get(ctx, id)
	s.alter(id, &r)
	return r, err
}

func (s *tampered) Unwrap() store.Store { return s.Store }

// sealedWith is a sealed store with the answer "answer" at a and "other" at b.
func sealedWith(t *testing.T, c *clock, keys ...store.SealKey) (*store.SealedStore, *tampered) {
	t.Helper()
	below := &tampered{newMemory(t, store.MemoryConfig{Now: c.Now}), func(string, *store.Record) {}}
	s, err := store.SealedAt(c.Now, below, keys...)
	require.NoError(t, err)
	settle(t, s, "a", "answer", time.Hour)
	settle(t, s, "b", "other", time.Hour)
	return s, below
}

func settle(t testing.TB, s store.Store, id, body string, ttl time.Duration) {
	t.Helper()
	c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour, Fingerprint: store.Fingerprint{1}, Takeover: store.TakeSettled}
	r, err := s.Claim(t.Context(), id, c)
	require.NoError(t, err)
	require.Equal(t, c.Owner, r.Owner)
	require.NoError(t, s.Settle(t.Context(), id, c.Owner, store.Outcome{State: store.Completed, Body: []byte(body), TTL: ttl}))
}

func read(t testing.TB, s store.Store, id string) store.Record {
	t.Helper()
	r, err := s.Get(t.Context(), id)
	require.NoError(t, err)
	return r
}

// TestS9_SealedRecordThatDoesNotOpen: in doubt in every way, and replaced like
// what is in doubt.
func TestS9_SealedRecordThatDoesNotOpen(t *testing.T) {
	c := newClock()
	key := sealKey(t, "key", 1)
	s, below := sealedWith(t, c, key)
	moved := read(t, below, "b").Body
	_, early := sealedWith(t, &clock{now: c.Now().Add(-2 * time.Hour)}, key)
	old := read(t, early, "a").Body
	_, foreign := sealedWith(t, c, sealKey(t, "key", 2))
	_, lost := sealedWith(t, c, sealKey(t, "lost", 3))

	sealed := read(t, below, "a").Body
	body := func(f func(b []byte) []byte) func(*store.Record) {
		return func(r *store.Record) { r.Body = f(bytes.Clone(r.Body)) }
	}
	replace := func(b []byte) func(*store.Record) { return body(func([]byte) []byte { return b }) }
	attacks := map[string]func(*store.Record){
		"S9 sealed under a lost key":  replace(read(t, lost, "a").Body),
		"S9 under another of that id": replace(read(t, foreign, "a").Body),
		"S9a moved to another id":     replace(moved),
		"S9b with an old expiry":      replace(old),
		"another fingerprint":         func(r *store.Record) { r.Fingerprint[0]++ },
		"not sealed at all":           replace([]byte("answer")),
		"JSON":                        replace([]byte(`{"id":"chatcmpl-1","choices":[{"message":{"content":"an answer of some length, in the clear"}}]}`)),
		"empty":                       replace(nil),
		"a byte more":                 body(func(b []byte) []byte { return append(b, 0) }),
		"a body under another state":  func(r *store.Record) { r.State = store.Unknown },
	}
	for at := range sealed {
		attacks[fmt.Sprint("flipped at ", at)] = body(func(b []byte) []byte { b[at] ^= 1; return b })
		attacks[fmt.Sprint("cut to ", at)] = body(func(b []byte) []byte { return b[:at] })
	}
	for name, attack := range attacks {
		below.alter = func(id string, r *store.Record) {
			if id == "a" && r.State == store.Completed {
				attack(r)
			}
		}
		r := read(t, s, "a")
		require.Equal(t, store.Unknown, r.State, name)
		require.Nil(t, r.Body, name)
		r, err := s.Claim(t.Context(), "a", store.Claim{Owner: store.NewOwner(), Lease: time.Hour})
		require.NoError(t, err, name)
		require.Equal(t, store.Unknown, r.State, name)
		r, err = store.Wait(t.Context(), s, "a")
		require.NoError(t, err, name)
		require.Equal(t, store.Unknown, r.State, name)
		require.Equal(t, "other", string(read(t, s, "b").Body), name)
	}

	taker := store.Claim{Owner: store.NewOwner(), Lease: time.Hour, Takeover: store.TakeDoubt}
	r, err := s.Claim(t.Context(), "a", taker)
	require.NoError(t, err)
	require.Equal(t, taker.Owner, r.Owner)
	require.Equal(t, store.Unknown, r.Prior)
	below.alter = func(string, *store.Record) {}
	require.NoError(t, s.Settle(t.Context(), "a", taker.Owner, store.Outcome{State: store.Completed, Body: []byte("new")}))
	require.Equal(t, "new", string(read(t, s, "a").Body))
}

// TestS9b_SealedExpiry: a little too late is the difference of two clocks.
func TestS9b_SealedExpiry(t *testing.T) {
	own, below := newClock(), newMemory(t, store.MemoryConfig{})
	s, err := store.SealedAt(own.Now, below, sealKey(t, "key", 1))
	require.NoError(t, err)
	settle(t, s, "a", "answer", time.Hour)
	settle(t, s, "endless", "answer", 0)
	settle(t, s, "very long", "answer", 1<<63-1)
	own.Advance(time.Hour + 5*time.Minute)
	require.Equal(t, store.Completed, read(t, s, "a").State)
	own.Advance(time.Nanosecond)
	require.Equal(t, store.Unknown, read(t, s, "a").State)
	own.Advance(100 * 365 * 24 * time.Hour)
	require.Equal(t, store.Completed, read(t, s, "endless").State)
	require.Equal(t, store.Completed, read(t, s, "very long").State)
}

func TestSealed_Rotation(t *testing.T) {
	first, second := sealKey(t, "1", 1), sealKey(t, "2", 2)
	below := newMemory(t, store.MemoryConfig{})
	with := func(keys ...store.SealKey) store.Store {
		s, err := store.Sealed(below, keys...)
		require.NoError(t, err)
		return s
	}
	settle(t, with(first), "old", "old answer", time.Hour)
	settle(t, with(second, first), "new", "new answer", time.Hour)
	require.Equal(t, "old answer", string(read(t, with(second, first), "old").Body))
	require.Equal(t, "new answer", string(read(t, with(first, second), "new").Body), "not yet rotated, and prepared")
	require.Equal(t, store.Unknown, read(t, with(second), "old").State)
	require.Equal(t, store.Unknown, read(t, with(first), "new").State, "the first key seals")
}

// TestS10_SealedDoubtHasOneTaker: replacing what does not open takes two steps, and
// has one winner all the same.
func TestS10_SealedDoubtHasOneTaker(t *testing.T) {
	for range 20 {
		below := newMemory(t, store.MemoryConfig{})
		settle(t, below, "a", "in the clear", 0)
		s, err := store.Sealed(below, sealKey(t, "key", 1))
		require.NoError(t, err)
		var won sync.Map
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour, Takeover: store.TakeDoubt}
				if r, err := s.Claim(t.Context(), "a", c); err != nil || r.State != store.InFlight {
					t.Errorf("%v %v", r.State, err)
				} else if r.Owner == c.Owner {
					won.Store(c.Owner, true)
				}
			})
		}
		all.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		require.Equal(t, 1, n)
	}
}

// TestSealed_SettledElsewhere: who claimed through another handle may settle here.
func TestSealed_SettledElsewhere(t *testing.T) {
	below := storetest.NewFaulty(newMemory(t, store.MemoryConfig{}))
	key := sealKey(t, "key", 1)
	one, err := store.Sealed(below, key)
	require.NoError(t, err)
	two, err := store.Sealed(below, key)
	require.NoError(t, err)
	c := store.Claim{Owner: store.NewOwner(), Lease: time.Hour, Fingerprint: store.Fingerprint{9}}
	_, err = one.Claim(t.Context(), "a", c)
	require.NoError(t, err)
	below.Inject(storetest.OpGet, storetest.Fault{Err: errors.New("down"), Times: 1})
	o := store.Outcome{State: store.Completed, Body: []byte("answer")}
	require.ErrorContains(t, two.Settle(t.Context(), "a", c.Owner, o), "down")
	require.NoError(t, two.Settle(t.Context(), "a", c.Owner, o))
	require.Equal(t, "answer", string(read(t, one, "a").Body))
	require.NotContains(t, string(read(t, below, "a").Body), "answer")
	require.Equal(t, store.TraitsOf(below), store.TraitsOf(one))
}

func TestSealKey_PrintsNoSecret(t *testing.T) {
	secret := strings.Repeat("SECRET", 6)
	k, err := store.NewSealKey("2026-01", []byte(secret))
	require.NoError(t, err)
	s, err := store.Sealed(newMemory(t, store.MemoryConfig{}), k)
	require.NoError(t, err)
	hidden := struct{ k store.SealKey }{k}
	var printed bytes.Buffer
	for _, v := range []any{k, &k, s, *s, hidden, &hidden, []store.SealKey{k}, map[string]store.SealKey{"k": k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&printed, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&printed, nil)).Info("m", "v", v)
		_ = json.NewEncoder(&printed).Encode(v) // of a struct with functions: an error
	}
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprint([]byte("SECRET"))[1:18], "U0VDUkVU"} {
		require.NotContains(t, printed.String(), form)
	}
	require.Contains(t, printed.String(), "SealKey(2026-01)")
}

func TestSealed_RefusesKeys(t *testing.T) {
	for want, make := range map[string]func() (store.SealKey, error){
		"has 0 characters":           func() (store.SealKey, error) { return store.NewSealKey("", nil) },
		"has 65 characters":          func() (store.SealKey, error) { return store.NewSealKey(strings.Repeat("k", 65), nil) },
		"use printable ASCII":        func() (store.SealKey, error) { return store.NewSealKey("a b", nil) },
		"has 31 bytes; use at least": func() (store.SealKey, error) { return store.NewSealKey("k", []byte("0123456789012345678901234567890")) },
	} {
		_, err := make()
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "01234567")
	}
	m, k := newMemory(t, store.MemoryConfig{}), sealKey(t, "key", 1)
	_, err := store.Sealed(m)
	require.ErrorContains(t, err, "needs a key")
	_, err = store.Sealed(nil, k)
	require.ErrorContains(t, err, "needs a store")
	_, err = store.Sealed(m, k, store.SealKey{})
	require.ErrorContains(t, err, "key 1 of Sealed is the zero SealKey")
	_, err = store.Sealed(m, k, sealKey(t, "key", 2))
	require.ErrorContains(t, err, "two keys of Sealed have the id key")
}

func FuzzSealed(f *testing.F) {
	key := sealKey(f, "key", 1)
	sealed, err := store.SealBody(key, "id", store.Fingerprint{1}, []byte("answer"))
	require.NoError(f, err)
	f.Add([]byte("answer"), []byte(nil))
	f.Add([]byte(""), sealed)
	f.Add(bytes.Repeat([]byte("answer"), 100), bytes.Repeat([]byte{1}, 200))
	f.Fuzz(func(t *testing.T, body, foreign []byte) {
		sealed, err := store.SealBody(key, "id", store.Fingerprint{1}, body)
		require.NoError(t, err)
		require.Len(t, sealed, len(body)+store.SealOverhead+len(key.ID()))
		got, ok := store.OpenSealed(key, "id", store.Fingerprint{1}, sealed)
		require.True(t, ok)
		require.True(t, bytes.Equal(body, got))
		_, ok = store.OpenSealed(key, "another", store.Fingerprint{1}, sealed)
		require.False(t, ok)
		_, ok = store.OpenSealed(key, "another", store.Fingerprint{1}, foreign)
		require.False(t, ok)
	})
}
