package identity

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// Members in any number, with names that share their begin or not, come out in the
// order of their UTF-16 code units.
func TestMembersInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{2, 3, 15, 16, 17, 18, 64, 300, 5000} {
		for _, begin := range []string{"", "same beg", "same begin, and longer ", "\uff5e", "12345\U0001F600"} {
			var names []string
			for i := range n {
				tail := []rune("az09\u00e9\u20ac\ud7ff\ue000\uffff\U00010000\U0010ffff\x7f")
				name := begin + fmt.Sprint(r.IntN(3)) + string(tail[r.IntN(len(tail))]) + fmt.Sprintf("%x", i)
				names = append(names, name)
			}
			want := slices.Clone(names)
			slices.SortFunc(want, func(a, b string) int {
				return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
			})
			quoted := func(list []string) string {
				var b strings.Builder
				for _, name := range list {
					fmt.Fprintf(&b, ",%s:%d", appendString(nil, name), slices.Index(names, name))
				}
				return "{" + b.String()[1:] + "}"
			}
			d, err := Payload([]byte(quoted(names)))
			require.NoError(t, err)
			require.Equal(t, quoted(want), string(d.Canonical()))
			_, err = Payload([]byte(strings.TrimSuffix(quoted(names), "}") + "," + string(appendString(nil, names[n/2])) + ":0}"))
			require.ErrorContains(t, err, "duplicate_member")
		}
	}
}

// A name's end and prefix are the same in one look as in two, wherever the text ends.
func TestPlainName(t *testing.T) {
	for _, name := range []string{"", "a", "model", "messages", "temperature", "é", "1234567é", "12345678é", `a\n`, "a\x00"} {
		for _, rest := range []string{"", `"`, `":1}`, `":"and much more"`} {
			src := []byte(`{"` + name + rest)
			end, p := plainName(src, 2)
			require.Equal(t, plain(src, 2), end, "%q", src)
			require.Equal(t, prefix(src[2:end]), p, "%q", src)
		}
	}
}

func TestHex(t *testing.T) {
	r := rand.NewChaCha8([32]byte{7})
	var sum [32]byte
	for range 1000 {
		r.Read(sum[:])
		require.Equal(t, "-"+hex.EncodeToString(sum[:]), string(appendHex([]byte("-"), &sum)))
	}
}
