package identity

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every byte in every place of a block is found, or not, by all who look for it.
func TestStopsInEveryPlace(t *testing.T) {
	for c := range 256 {
		stop := c < 0x20 || c >= 0x80 || c == '"' || c == '\\'
		for place := range 70 {
			src := bytes.Repeat([]byte{'#'}, 110)
			src[place] = byte(c)
			want := len(src)
			if stop {
				want = place
			}
			require.Equal(t, want, plain(src, 0))
			if c >= 0x80 {
				want = len(src)
			}
			require.Equal(t, want, special(src, 0))
			for _, f := range []func([]byte, int) (int, uint32){block, blockPlain} {
				at, found := f(src, 0)
				require.Equal(t, stop, found != 0)
				if stop {
					require.Equal(t, place, at+bits.TrailingZeros32(found))
				}
			}
		}
	}
}

// Both ways to look for stops agree on random text, where they start and end
// anywhere, but for the bits above another that a borrow marks.
func TestBlocksAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		src := make([]byte, r.IntN(200))
		for i := range src {
			src[i] = "abcdefghijklmnop !#]\"\\\n\x1f\x20\x7f\x80\xff"[r.IntN(16+r.IntN(10)+1)%26]
		}
		i := r.IntN(len(src) + 1)
		at, found := block(src, i)
		atPlain, foundPlain := blockPlain(src, i)
		require.Equal(t, atPlain, at)
		require.Equal(t, found, found&foundPlain)
		require.Equal(t, bits.TrailingZeros32(found), bits.TrailingZeros32(foundPlain))
	}
}
