package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzUnquote holds unquote to encoding/json, which reads all strings alike but those
// with half a surrogate pair: it has U+FFFD where unquote has bytes that are no UTF-8.
func FuzzUnquote(f *testing.F) {
	for _, s := range []string{`"a"`, `"\"\\\/\b\f\n\r\t"`, `"\u0041\u00e9\u20AC\ud83d\ude00"`, `"\ud83d"`, `"\ud83d\u0041"`, `"\ude00\ud83d\ud83d\ude00"`, `"é\u0000"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		var want string
		if !strings.HasPrefix(raw, `"`) || !utf8.ValidString(raw) || json.Unmarshal([]byte(raw), &want) != nil {
			return
		}
		got := unquote(json.RawMessage(strings.TrimRight(raw, " \t\r\n")))
		var shown strings.Builder
		for s := got; s != ""; {
			if r, n := utf8.DecodeRuneInString(s); r != utf8.RuneError || n == 3 {
				shown.WriteString(s[:n])
				s = s[n:]
				continue
			}
			require.GreaterOrEqual(t, len(s), 3)
			require.Equal(t, byte(0xed), s[0])
			shown.WriteRune(utf8.RuneError)
			s = s[3:]
		}
		require.Equal(t, want, shown.String())
	})
}

func TestLoneSurrogatesAreKept(t *testing.T) {
	for raw, want := range map[string]string{
		`"\ud800"`:             "\xed\xa0\x80",
		`"a\udfffb"`:           "a\xed\xbf\xbfb",
		`"\uD83D\uD83D\uDE00"`: "\xed\xa0\xbd😀",
		`"\ude00\ud83d"`:       "\xed\xb8\x80\xed\xa0\xbd",
		`"\ud83dx\ude00"`:      "\xed\xa0\xbdx\xed\xb8\x80",
	} {
		require.Equal(t, want, unquote(json.RawMessage(raw)), raw)
	}
}

func TestEscapeLone(t *testing.T) {
	for text, want := range map[string]string{
		`"é😀"`:                           `"é😀"`,
		"\"\xed\xa0\x80\"":               `"\udc00\udc00"`,
		"\"\xed\xa0\xbd\\ude00\"":        `"\udc00\udc00\ude00"`, // no pair
		"\"\\ud83d\xed\xb8\x80\"":        `"\ud83d\udc00\udc00"`, // a pair, and half of one
		"\"\\\xed\xa0\x80\"":             `"\x"`,
		"\"\\\\\xed\xa0\x80\\\\\"":       `"\\\udc00\udc00\\"`,
		"\ufffd\xed\xa0\x80\xed\xa0\x81": "\ufffd" + `\udc00\udc00\udc00\udc00`,
	} {
		require.Equal(t, want, string(escapeLone(text)))
	}
}
