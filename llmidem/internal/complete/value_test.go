package complete

import (
	"encoding/json"
	"testing"
)

func TestString_AgreesWithEncodingJSON(t *testing.T) {
	for _, s := range append([]string{
		`"\ud83d\ude00"`, `"\ud83d\ud83d\ude00"`, `"\ude00"`, `"\ud83dx"`, `"\ud83d\n"`, "\"\xff\"", "\"a\xffb\\n\"", `"\u0000"`, `"\u00E9\b\f\r\t\/"`,
		`"a" `, ` "a"`, `"a""b"`, `"\ud83d\u0041"`,
	}, texts...) {
		var want string
		ok := json.Unmarshal([]byte(s), &want) == nil && s[0] == '"' && s[len(s)-1] == '"'
		if got, gotOK := String([]byte(s)); gotOK != ok || ok && got != want {
			t.Errorf("String(%q) = %q, %v; encoding/json: %q, %v", s, got, gotOK, want, ok)
		}
	}
}

func TestInt(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"7", 7, true}, {"-12", -12, true}, {"9223372036854775807", 1<<63 - 1, true},
		{"-9223372036854775808", -1 << 63, true}, {"9223372036854775808", 0, false}, {"-9223372036854775809", 0, false},
		{"18446744073709551616", 0, false}, {"99999999999999999999999", 0, false}, {"1.0", 0, false}, {"1e2", 0, false},
		{"01", 0, false}, {"--1", 0, false}, {"-", 0, false}, {"", 0, false}, {"null", 0, false}, {`"1"`, 0, false}, {"1 ", 0, false},
	} {
		if got, ok := Int([]byte(c.in)); ok != c.ok || ok && got != c.want {
			t.Errorf("Int(%q) = %d, %v; want %d, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func TestKindOf(t *testing.T) {
	for in, want := range map[string]Kind{
		"null": KindNull, "true": KindBool, "false": KindBool, "-1": KindNumber, "5": KindNumber, `"a"`: KindString,
		"[]": KindArray, "{}": KindObject, "": KindInvalid, "x": KindInvalid, " 1": KindInvalid,
	} {
		if got := KindOf([]byte(in)); got != want {
			t.Errorf("KindOf(%q) = %d, want %d", in, got, want)
		}
	}
}
