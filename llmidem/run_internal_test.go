package llmidem

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
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
