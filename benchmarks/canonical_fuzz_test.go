package benchmarks

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// FuzzCanonicalJCS holds the canonical form to another implementation of RFC 8785. The
// two are to accept the same texts and write the same bytes, except:
//
//   - Integer literals beyond ±2^53 keep their digits here (SPEC.md, section 2) and are
//     rounded there. Such texts must agree once the other one has rounded ours too.
//     Those that no double reaches keep their digits as well, and are refused there.
//   - 512 levels are the limit here, 10,000 there.
func FuzzCanonicalJCS(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(agree)
}

// agree compares the two over one text.
func agree(t *testing.T, text []byte) {
	if text == nil {
		text = []byte{} // which the oracle tells apart
	}
	d, err := identity.Payload(text, []string{}...)
	want, oracle := jcs.Transform(text)
	var refusal *identity.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code == identity.CodeTooDeep:
		require.Greater(t, strings.Count(string(text), "[")+strings.Count(string(text), "{"), 512)
	case err != nil:
		require.Error(t, oracle, "refused alone: %v", err)
	case largest(t, text) > 1<<53:
		if math.IsInf(largest(t, text), 1) {
			require.Error(t, oracle, "no double")
			return
		}
		require.NoError(t, oracle)
		ours, err := jcs.Transform(d.Canonical())
		require.NoError(t, err)
		require.Equal(t, string(want), string(ours))
	default:
		require.NoError(t, oracle, "accepted alone")
		require.Equal(t, string(want), string(d.Canonical()))
	}
}

// largest returns the absolute value of the largest integer literal of a JSON text, a
// little above 2^53 for those that round to it, and infinity for what no double reaches.
func largest(t *testing.T, text []byte) (size float64) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return size
		}
		n, ok := token.(json.Number)
		if !ok || strings.ContainsAny(string(n), ".eE") {
			continue
		}
		i, ok := new(big.Int).SetString(string(n), 10)
		require.True(t, ok)
		f, err := n.Float64() // infinite where it has an error
		require.Equal(t, math.IsInf(f, 0), err != nil)
		if i.CmpAbs(big.NewInt(1<<53)) > 0 {
			f = max(math.Abs(f), 1<<53+2)
		}
		size = max(size, math.Abs(f))
	}
}

func TestLargest(t *testing.T) {
	beyond := math.Nextafter(1<<53, math.Inf(1))
	for text, want := range map[string]float64{
		`9007199254740992`: 1 << 53, `-9007199254740992`: 1 << 53, `9007199254740993`: beyond, `[{"a":-9007199254740993,"b":1}]`: beyond,
		`9007199254740993.0`: 0, `1e300`: 0, `"9007199254740993"`: 0, ``: 0, `{"9007199254740993":1}`: 1,
		"[1,-" + strings.Repeat("9", 309) + "]": math.Inf(1),
	} {
		require.Equal(t, want, largest(t, []byte(text)), text)
	}
}

// seeds reach every kind of token and every known difference.
func seeds() []string {
	return []string{
		``, ` `, `null`, `true`, ` false `, `nul`, `{}`, `[]`, `[1,]`, `{"a":1,}`, `[,]`, `{"a"}`, `{"a":1} x`, `{"a":1}{}`, "\ufeff1", `/**/1`,
		`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`,
		`["\u0000\u001f\u007f\u2028\/\"\\\b\t\n\f\r<>&\u003c"]`, `"\ud800"`, `"\ude00\ud83d"`, `"\ud83d\u0041"`, `"\u12g4"`, `"\u+123"`, `"\x"`,
		"\"\x01\"", "\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc0\xaf\"", "\"\xf4\x90\x80\x80\"", "\"\U0001F600\"", "\xff", "\"\ufffd\"",
		`[0,-0,0.0,-0.0,1,1.0,1e0,10e-1,100,1e2,0.1,1e-6,1e-7,1e20,1e21,5e-324,1.7976931348623157e308,4.35,0.000001,333333333.33333329,1E30]`,
		`[1e400]`, `[-1e309]`, `1e-400`, `01`, `-`, `+1`, `.5`, `1.`, `1e`, `1e+`, `0x1`, `1_0`, `NaN`, `-Infinity`, `123456789012345680000.0`,
		`[9007199254740991,9007199254740992,9007199254740993,-9007199254740993,18446744073709551615,123456789012345678901234567890]`, `[` + strings.Repeat("9", 308) + `]`, `-` + strings.Repeat("9", 309),
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"b":{"d":1,"c":[{"f":1,"e":2}]},"a":"x"}`, `{"":1,"\u0000":2," ":3}`,
		strings.Repeat("[", 512) + strings.Repeat("]", 512), strings.Repeat("[", 513) + strings.Repeat("]", 513), strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}", 600),
		`{"timestamp":1,"trace_id":2}`, `"data:image/png;base64,MQ=="`, `{ "z" : [ 1 , 2 ] , "a" : "b" }`, `"a b c d e f g h i j k l m n o p\u00e9"`,
	}
}
