package benchmarks

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// TestRandomTextsAgree has documents of all kinds of tokens, which a fuzzer of bytes
// takes long to come upon.
func TestRandomTextsAgree(t *testing.T) {
	accepted := 0
	for i := range uint64(20_000) {
		g := generator{rand.New(rand.NewPCG(i, 7))}
		text := g.space() + g.value(5) + g.space()
		if !t.Run("", func(t *testing.T) { agree(t, []byte(text)) }) {
			t.Fatalf("seed %d: %q", i, text)
		}
		if _, err := identity.Payload([]byte(text), []string{}...); err == nil {
			accepted++
		}
	}
	require.Greater(t, accepted, 10_000, "refusing is easy")
}

// generator writes JSON, and now and then what only looks like it.
type generator struct{ *rand.Rand }

func (g generator) of(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) space() string { return g.of("", "", "", " ", "\n\t", "\r\n") }

func (g generator) value(depth int) string {
	switch n := g.IntN(12); {
	case n < 3 && depth > 0:
		return g.list("{", "}", func() string { return g.text() + g.space() + ":" + g.space() + g.value(depth-1) })
	case n < 5 && depth > 0:
		return g.list("[", "]", func() string { return g.value(depth - 1) })
	case n < 8:
		return g.text()
	case n < 11:
		return g.number()
	}
	return g.of("true", "false", "null")
}

func (g generator) list(open, end string, element func() string) string {
	items := make([]string, g.IntN(6))
	for i := range items {
		items[i] = g.space() + element() + g.space()
	}
	return open + strings.Join(items, ",") + g.space() + end
}

func (g generator) text() string {
	var b strings.Builder
	b.WriteByte('"')
	for range g.IntN(8) {
		switch g.IntN(8) {
		case 0:
			b.WriteString(g.of(`\n`, `\"`, `\\`, `\/`, `\b`, `\f`, `\r`, `\t`))
		case 1:
			fmt.Fprintf(&b, `\u%04x`, g.IntN(0x300))
		case 2:
			r := g.IntN(0x100000)
			fmt.Fprintf(&b, `\u%04X\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case 3:
			b.WriteString(g.of("é", "\u20ac", "\ufb33", "\U0001F600", "\x7f", "\u2028", "한", "\ufffd"))
		case 4:
			b.WriteString(strings.Repeat(g.of("a", "€", "x y "), g.IntN(40)))
		default:
			b.WriteString(g.of("a", "b", "c", "A", "0", "1", " ", "z"))
		}
	}
	if g.IntN(400) == 0 {
		b.WriteString(g.of(`\ud800`, `\udc00`, `\x`, "\xff", "\x01", "\xed\xa0\x80", `\u12`, `"`))
	}
	return b.String() + `"`
}

func (g generator) number() string {
	switch g.IntN(6) {
	case 0:
		return g.of("0", "-0", "1e21", "1e-7", "1E400", "01", "-", "1.", "5e-324", "9007199254740992", "-9007199254740993", "0.0", "4.35")
	case 1:
		return fmt.Sprint(g.Int64() >> g.IntN(64))
	case 2:
		return fmt.Sprintf("%d.%de%d", g.IntN(2000)-1000, g.IntN(100000), g.IntN(60)-30)
	case 3:
		return fmt.Sprintf("%.*f", g.IntN(20), g.NormFloat64()*math.Pow(10, float64(g.IntN(24))))
	}
	f := math.Float64frombits(g.Uint64())
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "0.5"
	}
	return fmt.Sprint(f)
}
