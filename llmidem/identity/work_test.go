package identity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tape scans a text and returns the room that its tape takes, in bytes.
func tape(t *testing.T, text string) int {
	s := getScratch()
	defer s.put()
	s.src, s.top = []byte(text), true
	require.True(t, s.scan(), s.reason)
	return 40*len(s.segs) + 80*len(s.ord) + len(s.arena)
}

// The tape of hostile text grows with the text alone, whatever is nested in it and
// however its members lie. Time is not asserted on: what is written is what costs.
func TestWorkIsLinear(t *testing.T) {
	build := map[string]func(n int) string{
		"text under nested objects out of order": func(n int) string {
			return strings.Repeat(`{"z":1,"a":`, 256) + `"` + strings.Repeat(`\u00e9text`, n) + `"` + strings.Repeat("}", 256)
		},
		"members out of order": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, `,"%08x":1`, i*7919%1000003)
			}
			return "{" + b.String()[1:] + "}"
		},
		"clean objects":     func(n int) string { return "[" + strings.Repeat(`{"a":{"b":[1,{}]}},`, n) + "1]" },
		"spaced objects":    func(n int) string { return "[" + strings.Repeat(`{ "b" : 1 , "a" : [ ] },`, n) + "1]" },
		"spaced integers":   func(n int) string { return "[" + strings.Repeat(`1, `, n) + "1]" },
		"escapes":           func(n int) string { return `"` + strings.Repeat(`\/`, n) + `"` },
		"attempted numbers": func(n int) string { return "[" + strings.Repeat(`1.50,`, n) + "1]" },
		"one long number":   func(n int) string { return "[0." + strings.Repeat(`1`, n) + "]" },
	}
	for name, f := range build {
		small, large := f(1000), f(16000)
		perByte := float64(tape(t, large)) / float64(len(large))
		require.Less(t, perByte, 24.0, name)
		require.Less(t, perByte, 1.5*float64(tape(t, small)+4096)/float64(len(small)), name)
	}
}

// What is too deep is refused where it becomes so; the rest is never looked at.
func TestDepthIsRefusedAtOnce(t *testing.T) {
	for _, text := range []string{strings.Repeat("[", 5<<20), strings.Repeat(`{"a":`, 120_000)} {
		s := getScratch()
		s.src = []byte(text)
		require.False(t, s.scan())
		require.Equal(t, CodeTooDeep, s.code)
		require.LessOrEqual(t, s.offset, 513*5)
		s.put()
	}
}

// Scratch that a huge call has grown is not kept.
func TestScratchIsBounded(t *testing.T) {
	s := getScratch()
	s.src = []byte("[" + strings.Repeat(`{"b":1,"a":"\u00e9"},`, 300_000) + "1]")
	require.True(t, s.scan())
	s.put()
	require.LessOrEqual(t, cap(s.arena), keepBytes)
	require.LessOrEqual(t, cap(s.segs)+cap(s.ord)+cap(s.mem), 3*keepCap)
}

// The first levels of base64 are read in chunks; each length around them must end
// where it ends.
func TestBase64AroundChunks(t *testing.T) {
	var d decoder
	for _, n := range []int{0, 4, 8, chunk - 4, chunk, chunk + 4, chunk + 8, 2 * chunk, 2*chunk + 4} {
		for _, last := range []string{"AAAA", "AA==", "AAA=", "AB==", "AAB=", "A===", "====", "AA\r\n", "AA=A", "AA", "A", "AAA", "!AAA"} {
			for _, escape := range []string{"A", `\u0041`} {
				text := strings.Repeat("A", max(n-1, 0))
				if n > 0 {
					text = escape + text
				}
				end, ok := d.payload([]byte(text+last+`" `), 0)
				want := last == "AAAA" || last == "AA==" || last == "AAA="
				require.Equal(t, want, ok, "%d %s", n, last)
				if ok {
					require.Equal(t, len(text+last)+1, end)
					require.EqualValues(t, n/4*3+3-strings.Count(last, "="), d.size)
				}
			}
		}
	}
}
