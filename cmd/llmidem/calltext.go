package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// unquote decodes a string of valid JSON. Where encoding/json would replace half of a
// surrogate pair by U+FFFD, it keeps it, in the three bytes that no valid UTF-8 has:
// whoever reads the text must be able to refuse it.
func unquote(raw json.RawMessage) string {
	raw = raw[1 : len(raw)-1]
	i := bytes.IndexByte(raw, '\\')
	if i < 0 {
		return string(raw)
	}
	b := make([]byte, 0, len(raw))
	for ; i >= 0; i = bytes.IndexByte(raw, '\\') {
		b = append(b, raw[:i]...)
		raw = raw[i:]
		if raw[1] != 'u' {
			b = append(b, simpleEscape(raw[1]))
			raw = raw[2:]
			continue
		}
		r := hex4(raw[2:])
		raw = raw[6:]
		if utf16.IsSurrogate(r) && len(raw) >= 6 && raw[0] == '\\' && raw[1] == 'u' {
			if pair := utf16.DecodeRune(r, hex4(raw[2:])); pair != utf8.RuneError {
				r, raw = pair, raw[6:]
			}
		}
		b = appendRune(b, r)
	}
	return string(append(b, raw...))
}

// simpleEscape is what a backslash and c stand for.
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
	return c // a quote, a backslash, a slash
}

// hex4 reads four hexadecimal digits, which the JSON decoder has checked.
func hex4(b []byte) rune {
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// appendRune appends a character, or a lone surrogate as if it were one.
func appendRune(b []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(b, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(b, r)
}

// escapeLone writes every lone surrogate of a JSON body as an escape, so that the
// library finds there what the call has there, and not bytes that are no UTF-8. It
// writes two low halves: neither an escape before them nor one after them can make a
// pair of that. After a backslash that escapes it a surrogate is an escape that does
// not exist, which an x is as well.
func escapeLone(text string) []byte {
	b := []byte(text)
	if utf8.Valid(b) {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		if r, n := utf8.DecodeRune(b); r != utf8.RuneError || n != 1 {
			out = append(out, b[:n]...)
			b = b[n:]
			continue
		}
		if escapes(out) {
			out = append(out, 'x')
		} else {
			out = append(out, `\udc00\udc00`...)
		}
		b = b[3:] // of which none is valid by itself
	}
	return out
}

// escapes reports whether b ends in a backslash that no other one escapes.
func escapes(b []byte) bool {
	return (len(b)-len(bytes.TrimRight(b, `\`)))%2 == 1
}
