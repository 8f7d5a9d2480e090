package llmidem

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// Whatever comes and goes: each call has the lowest number that was free, no two
// have one, and nothing is left of numbers that are all free.
func TestRun_NumbersAreTheLowestFree(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var cs counters
		held := map[uint64]*number{}
		var freed []*number
		lowest := func() uint64 {
			n := uint64(0)
			for held[n] != nil {
				n++
			}
			return n
		}
		for range 400 {
			switch rnd.IntN(4) {
			case 0, 1:
				want := lowest()
				n := cs.take([32]byte{1})
				require.Equal(t, want, n.n)
				held[n.n] = n
				if rnd.IntN(2) == 0 {
					n.end(false, false)
				}
			case 2:
				for _, n := range held { // any
					delete(held, n.n)
					freed = append(freed, n)
					if n.users == 0 {
						n = cs.again(n)
					}
					n.end(true, true)
					require.True(t, n.held)
					n.over(rnd.IntN(2) == 0)
					require.False(t, n.held)
					break
				}
			case 3:
				if len(freed) == 0 {
					continue
				}
				want, n := lowest(), freed[rnd.IntN(len(freed))]
				if n.held {
					continue
				}
				mine := held[n.n] == nil
				got := cs.again(n)
				if mine {
					require.Same(t, n, got)
				} else {
					require.Equal(t, want, got.n)
				}
				require.Nil(t, held[got.n])
				held[got.n] = got
			}
		}
		for _, n := range held {
			n.end(true, false)
		}
		require.Empty(t, cs.m)
	}
}

func TestRun_UnorderedIsSaidToBoth(t *testing.T) {
	var cs counters
	a, b, other := cs.take([32]byte{1}), cs.take([32]byte{1}), cs.take([32]byte{2})
	require.True(t, a.mixed() && b.mixed())
	require.False(t, other.mixed())
	a.end(false, false)
	b.end(true, true) // and may be asked again
	c := cs.take([32]byte{1})
	require.True(t, c.mixed())
	b.over(false)
	c.end(false, false)
	require.False(t, cs.take([32]byte{1}).mixed())
	require.False(t, (*number)(nil).mixed())
}

// gated is a store whose next operation of a kind waits.
type gated struct {
	store.Store
	claim, get chan struct{} // the operation waits for it, once
	skip       int           // gets that do not
}

func (g *gated) Claim(ctx context.Context, id string, c store.Claim) (store.Record, error) {
	if gate := g.claim; gate != nil {
		g.claim = nil
		<-gate
	}
	return g.Store.Claim(ctx, id, c)
}

func (g *gated) Get(ctx context.Context, id string) (store.Record, error) {
	if gate := g.get; gate != nil && g.skip == 0 {
		g.get = nil
		<-gate
	}
	g.skip--
	return g.Store.Get(ctx, id)
}

func lifeOn(s store.Store) *life { return &life{store: s, startID: "start", pulseID: "pulse"} }

// One who was about to begin a run finds that another has, wherever it was.
func TestN5_BegunMeanwhile(t *testing.T) {
	for name, gate := range map[string]func(*gated, chan struct{}){
		"before the claim":      func(g *gated, c chan struct{}) { g.claim = c },
		"before the first read": func(g *gated, c chan struct{}) { g.get = c },
		"between the reads":     func(g *gated, c chan struct{}) { g.get, g.skip = c, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory, err := store.NewMemory(store.MemoryConfig{})
				require.NoError(t, err)
				slow, open := &gated{Store: memory}, make(chan struct{})
				gate(slow, open)
				late, ended := lifeOn(slow), make(chan error)
				go func() { ended <- late.admit(t.Context()) }()
				synctest.Wait()
				early := lifeOn(memory)
				require.NoError(t, early.admit(t.Context()))
				time.Sleep(10 * time.Minute)
				close(open)
				require.NoError(t, <-ended)
				require.Equal(t, early.owner, late.owner)
				require.Equal(t, early.ttl(), late.ttl())
				require.Equal(t, runSpan-10*time.Minute, late.ttl())
			})
		})
	}
}

// Those who come while another writes wait for it, also when it dies at that.
func TestN5_AnotherIsWriting(t *testing.T) {
	ctx := t.Context()
	synctest.Test(t, func(t *testing.T) {
		memory, err := store.NewMemory(store.MemoryConfig{})
		require.NoError(t, err)
		open := make(chan struct{})
		slow := &gated{Store: memory, claim: open}
		late, ended := lifeOn(slow), make(chan error)
		go func() { ended <- late.admit(t.Context()) }()
		synctest.Wait()
		_, won, _, err := lifeOn(memory).claimPulse(ctx, "begin")
		require.True(t, won && err == nil)
		close(open)
		synctest.Wait()
		require.False(t, late.stands(), "it waits")
		require.NoError(t, <-ended)

		_, won, _, err = lifeOn(memory).claimPulse(ctx, "beat")
		require.True(t, won && err == nil)
		began := time.Now()
		require.NoError(t, late.pulse(t.Context(), true))
		require.Greater(t, time.Since(began), runLease-time.Second)

		// Another life of the run has come, and gone.
		time.Sleep(8 * 24 * time.Hour)
		require.NoError(t, lifeOn(memory).admit(t.Context()))
		time.Sleep(8 * 24 * time.Hour)
		late.started = time.Now() // its clock has stood still
		require.ErrorIs(t, late.pulse(t.Context(), true), errRunOver)
		pulse, err := memory.Get(t.Context(), "pulse")
		require.NoError(t, err)
		require.Equal(t, store.Absent, pulse.State, "what is over stays so")
	})
}

// What a process left that was killed at its writes.
func TestS15_WhatIsLeftOfARun(t *testing.T) {
	ctx := t.Context()
	for name, tt := range map[string]struct {
		leave func(l *life)
		after time.Duration
		same  bool // the run goes on
	}{
		"the pulse, being written":           {func(l *life) { l.claimPulse(ctx, "beat") }, time.Hour, true},
		"the pulse, being written long ago":  {func(l *life) { l.claimPulse(ctx, "beat") }, runIdle + 2*time.Minute, false},
		"the pulse, being begun":             {func(l *life) { l.claimPulse(ctx, "begin") }, time.Hour, false},
		"the pulse, being begun just before": {func(l *life) { l.claimPulse(ctx, "begin") }, 0, false},
		"the start": {func(l *life) {
			_, _ = l.store.Claim(ctx, l.startID, store.Claim{Owner: store.NewOwner(), Lease: runLease, Takeover: store.TakeSettled})
		}, time.Hour, false},
		"the start, just before": {func(l *life) {
			_, _ = l.store.Claim(ctx, l.startID, store.Claim{Owner: store.NewOwner(), Lease: runLease, Takeover: store.TakeSettled})
		}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory, err := store.NewMemory(store.MemoryConfig{})
				require.NoError(t, err)
				killed, next := lifeOn(memory), lifeOn(memory)
				require.NoError(t, killed.admit(t.Context()))
				tt.leave(killed)
				time.Sleep(tt.after)
				require.NoError(t, next.admit(t.Context()))
				require.Equal(t, tt.same, next.owner == killed.owner)
				start, err := memory.Get(t.Context(), "start")
				require.NoError(t, err)
				require.Equal(t, store.Completed, start.State)
				require.NoError(t, next.pulse(t.Context(), true))
				third := lifeOn(memory)
				require.NoError(t, third.admit(t.Context()))
				require.Equal(t, next.owner, third.owner)
				require.Equal(t, next.ttl(), third.ttl())
			})
		})
	}
}

// A store that forgets what it is told is not asked for ever.
func TestRun_StoreThatForgets(t *testing.T) {
	err := lifeOn(forgetful{}).admit(t.Context())
	require.ErrorIs(t, err, errRunUnsettled)
}

type forgetful struct{}

func (forgetful) Claim(_ context.Context, _ string, c store.Claim) (store.Record, error) {
	return store.Record{State: store.InFlight, Owner: c.Owner}, nil
}
func (forgetful) Renew(context.Context, string, store.Owner, time.Duration) error { return nil }
func (forgetful) Settle(context.Context, string, store.Owner, store.Outcome) error {
	return store.ErrLost
}
func (forgetful) Get(context.Context, string) (store.Record, error) { return store.Record{}, nil }
