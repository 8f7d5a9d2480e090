package identity

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendString appends s as a canonical JSON string (RFC 8785, section 3.2.2.2).
// s must be valid UTF-8.
func appendString[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	b = appendText(b, s)
	return append(b, '"')
}

// appendText appends s as the inside of a canonical JSON string.
func appendText[T string | []byte](b []byte, s T) []byte {
	from := 0
	for i := range len(s) {
		if c := s[i]; isSpecial[c] {
			b = append(b, s[from:i]...)
			b = appendEscape(b, c)
			from = i + 1
		}
	}
	return append(b, s[from:]...)
}

// isSpecial tells the bytes that cannot stand for themselves in a string.
var isSpecial = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// appendEscape appends the escape of a byte that cannot stand for itself.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\t':
		return append(b, '\\', 't')
	case '\n':
		return append(b, '\\', 'n')
	case '\f':
		return append(b, '\\', 'f')
	case '\r':
		return append(b, '\\', 'r')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// isCanonicalEscape reports whether the \u00xx of a control character is in the form
// that appendEscape gives it.
func isCanonicalEscape(e []byte, u rune) bool {
	var buf [8]byte
	return string(appendEscape(buf[:0], byte(u))) == string(e)
}

// hexValue maps hexadecimal digits to what they stand for, all else to -1.
var hexValue = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range 16 {
		t[hexDigits[i]] = int8(i)
		t["0123456789ABCDEF"[i]] = int8(i)
	}
	return t
}()

// hex4 reads four hexadecimal digits at b[i]; -1 if they are none.
func hex4(b []byte, i int) rune {
	if i+4 > len(b) {
		return -1
	}
	d := b[i : i+4]
	h, j, k, l := hexValue[d[0]], hexValue[d[1]], hexValue[d[2]], hexValue[d[3]]
	if h|j|k|l < 0 {
		return -1
	}
	return rune(h)<<12 | rune(j)<<8 | rune(k)<<4 | rune(l)
}

// appendHex appends a digest in lower-case hexadecimal, four bytes at a time.
func appendHex(b []byte, sum *[32]byte) []byte {
	for i := 0; i < len(sum); i += 4 {
		x := uint64(binary.LittleEndian.Uint32(sum[i:]))
		x = (x | x<<16) & 0x0000ffff0000ffff
		x = (x | x<<8) & 0x00ff00ff00ff00ff
		x = (x>>4 | x<<8) & (0x0f * ones) // a digit's value in each byte
		letters := (x + 0x06*ones) >> 4 & ones
		b = binary.LittleEndian.AppendUint64(b, x+'0'*ones+letters*('a'-'0'-10))
	}
	return b
}

// decodeEscape returns the character that the valid escape at the begin of e
// stands for, and the escape's length.
func decodeEscape(e []byte) (rune, int) {
	switch c := e[1]; c {
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'u':
		u := hex4(e, 2)
		if u < 0xd800 || u > 0xdfff {
			return u, 6
		}
		return utf16.DecodeRune(u, hex4(e, 8)), 12
	default:
		return rune(c), 2
	}
}

// appendRune appends a character as it stands in a canonical JSON string.
func appendRune(b []byte, r rune) []byte {
	switch {
	case r < 0x20 || r == '"' || r == '\\':
		return appendEscape(b, byte(r))
	case r < 0x80:
		return append(b, byte(r))
	case r < 0x800:
		return append(b, 0xc0|byte(r>>6), 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(b, r)
}

// appendUnescaped appends what the inside of a valid JSON string stands for.
func appendUnescaped(b, inside []byte) []byte {
	for {
		i := bytes.IndexByte(inside, '\\')
		if i < 0 {
			return append(b, inside...)
		}
		b = append(b, inside[:i]...)
		r, n := decodeEscape(inside[i:])
		b = utf8.AppendRune(b, r)
		inside = inside[i+n:]
	}
}

// unquote returns what the JSON text of one string stands for.
func unquote(b []byte) ([]byte, bool) {
	s := getScratch()
	defer s.put()
	s.src = b
	i := s.space(0)
	if i >= len(b) || b[i] != '"' || !s.scan() {
		return nil, false
	}
	b = bytes.TrimRight(b[i:], " \t\r\n")
	return appendUnescaped(nil, b[1:len(b)-1]), true
}
