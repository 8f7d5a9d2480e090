package identity_test

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// splitmix is the generator that testdata/numbers.js runs too.
type splitmix uint64

func (s *splitmix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// The checksum is that of the same 200,000 numbers as JavaScript's JSON.stringify
// writes them, made by testdata/numbers.js under Node.js.
func TestNumbersAsECMAScriptWritesThem(t *testing.T) {
	const want = "54c5d8b516d7a48de63a0bd3b842a5ac1192a6cf5a4908f549633822bea1ea79"
	s := splitmix(42)
	hash := sha256.New()
	for chunk := 0; chunk < 200; chunk++ {
		list := []byte{'['}
		for i := range 1000 {
			bits := s.next()
			f := float64(bits>>40) / []float64{1, 10, 1e3, 1e7, 1e12, 1e-5, 1e-15, 1e22}[bits&7]
			if i%2 == 0 {
				if f = math.Float64frombits(bits); math.IsNaN(f) || math.IsInf(f, 0) {
					f = 0
				}
			}
			// 17 digits name every double, and are hardly ever canonical
			list = append(strconv.AppendFloat(list, f, "eE"[i>>1&1], 17, 64), ',')
		}
		list[len(list)-1] = ']'
		d, err := identity.Payload(list)
		require.NoError(t, err)
		text := string(d.Canonical())
		hash.Write([]byte(strings.ReplaceAll(text[1:len(text)-1], ",", "\n") + "\n"))
	}
	require.Equal(t, want, hex.EncodeToString(hash.Sum(nil)))
}

// What is canonical must be told from what only looks so.
func TestNumbersAtTheEdges(t *testing.T) {
	for in, want := range map[string]string{
		"0.1": "0.1", "-0.1": "-0.1", "0.10": "0.1", "0.000001": "0.000001", "0.0000001": "1e-7", "0.0000010": "0.000001",
		"123456789.123456": "123456789.123456", "0.123456789012345": "0.123456789012345",
		"0.12345678901234567": "0.12345678901234566", "9007199254740993.0": "9007199254740992", "9007199254740993": "9007199254740993",
		"1e21": "1e+21", "1e20": "100000000000000000000", "100000000000000000000000": "100000000000000000000000",
		"1.0": "1", "-0.0": "0", "-0e5": "0", "0e400": "0", "-1E-7": "-1e-7", "123e-20": "1.23e-18", "2.5E+3": "2500",
		"1.7976931348623157e308": "1.7976931348623157e+308", "4.9e-324": "5e-324", "2e-324": "0",
	} {
		d, err := identity.Payload([]byte("[" + in + "]"))
		require.NoError(t, err, in)
		require.Equal(t, "["+want+"]", string(d.Canonical()), in)
	}
}

// The reader of integers takes eight bytes at a time; each place in the eight must
// notice what is none.
func TestIntegersInEveryPlace(t *testing.T) {
	for shift := range 24 {
		lead := "[" + strings.Repeat("1,", shift/2)[:shift/2*2] + strings.Repeat("7", shift%2+1)
		for tail, want := range map[string]string{
			",0,10,100]": ",0,10,100]", ",-0,5]": ",0,5]", ",12.50,3]": ",12.5,3]", ",1e2]": ",100]", ", 1 ,2]": ",1,2]",
			",01]": "", ",,1]": "", ",]": "", ",00,1,1,1,1,1]": "", ",1,1,1,1,1,1,1,1,1": "", ",1,2,3,4,5,6,x]": "", ",1\x80]": "",
			",[1,2],3,4,5,6,7,8,9]": ",[1,2],3,4,5,6,7,8,9]", ",123456789012345678901234567890,1]": ",123456789012345678901234567890,1]",
			",\"a\",1,2,3,4,5,6,7,01]": "", ",1,1,1,1,1,1,1,1,1,0]": ",1,1,1,1,1,1,1,1,1,0]", ",true,1,1,1]": ",true,1,1,1]",
		} {
			d, err := identity.Payload([]byte(lead + tail))
			if want == "" {
				require.Error(t, err, lead+tail)
				continue
			}
			require.NoError(t, err, lead+tail)
			require.Equal(t, lead+want, string(d.Canonical()))
		}
	}
}
