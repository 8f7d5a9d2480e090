package complete

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is what a JSON value is.
type Kind uint8

// The kinds of JSON values; KindInvalid is the zero value.
const (
	KindInvalid Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
)

// KindOf returns the kind of a value by its first byte, white space not
// expected: what [Members], [Elements] and [Get] give out is valid otherwise.
func KindOf(value []byte) Kind {
	if len(value) == 0 {
		return KindInvalid
	}
	switch c := value[0]; {
	case c == 'n':
		return KindNull
	case c == 't', c == 'f':
		return KindBool
	case c == '-', isDigit(c):
		return KindNumber
	case c == '"':
		return KindString
	case c == '[':
		return KindArray
	case c == '{':
		return KindObject
	}
	return KindInvalid
}

// String decodes a JSON string. What is no Unicode, bytes that are not UTF-8 and
// lone surrogates, becomes U+FFFD, as in encoding/json.
func String(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' || skipString(value, 0) != len(value) {
		return "", false
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), true
	}
	return string(unescape(inner)), true
}

// Int reads a JSON number that is a whole number without point or exponent and
// fits.
func Int(value []byte) (int64, bool) {
	digits := bytes.TrimPrefix(value, []byte("-"))
	if len(digits) == 0 || !isDigit(digits[0]) || skipNumber(value, 0) != len(value) {
		return 0, false
	}
	var n int64 // negative throughout: there is one more negative number
	for _, c := range digits {
		if !isDigit(c) {
			return 0, false
		}
		d := int64(c - '0')
		if n < (minInt64+d)/10 {
			return 0, false
		}
		n = n*10 - d
	}
	if len(digits) < len(value) {
		return n, true
	}
	return -n, n != minInt64
}

const minInt64 = -1 << 63

// unescaped is the text between a string's quotes, decoded only if it must be.
func unescaped(inner []byte) []byte {
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	return unescape(inner)
}

// unescape decodes the text between the quotes of a valid string.
func unescape(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		var r rune
		switch c := s[0]; {
		case c == '\\' && s[1] == 'u':
			r, s = escapedRune(s)
		case c == '\\':
			r, s = rune(simpleEscape(s[1])), s[2:]
		default:
			var size int
			r, size = utf8.DecodeRune(s)
			s = s[size:]
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// escapedRune reads a \u escape, or a pair of them.
func escapedRune(s []byte) (rune, []byte) {
	r, _ := hex4(s[2:])
	s = s[6:]
	if !utf16.IsSurrogate(r) {
		return r, s
	}
	if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
		low, _ := hex4(s[2:])
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, s[6:]
		}
	}
	return utf8.RuneError, s
}

func simpleEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
