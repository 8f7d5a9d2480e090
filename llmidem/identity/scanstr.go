package identity

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	asm "github.com/segmentio/asm/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops marks, by their highest bits, the bytes of eight that cannot be in a string
// as they are: quotes, backslashes and control characters; and some that are not
// ASCII. Exchanging 20 and 22 makes one range of control characters and the quote.
// A subtraction borrows from the next byte only where it marks its own, so the
// lowest mark is always right.
func stops(x uint64) uint64 {
	return ((x ^ 0x02*ones) - 0x21*ones) | ((x ^ '\\'*ones) - ones)
}

// plain returns the offset of the first byte from i that is a quote, a backslash,
// a control character or not ASCII; len(src) if there is none.
func plain(src []byte, i int) int {
	for ; i+8 <= len(src); i += 8 {
		x := binary.LittleEndian.Uint64(src[i:])
		if m := (stops(x) | x) & highs; m != 0 {
			return i + firstByte(m)
		}
	}
	for ; i < len(src); i++ {
		if c := src[i]; c < 0x20 || c >= 0x80 || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// special is plain without a stop at what is not ASCII.
func special(src []byte, i int) int {
	for ; i+32 <= len(src); i += 32 {
		w := (*[32]byte)(src[i:])
		x, y := binary.LittleEndian.Uint64(w[0:]), binary.LittleEndian.Uint64(w[8:])
		z, u := binary.LittleEndian.Uint64(w[16:]), binary.LittleEndian.Uint64(w[24:])
		if (stops(x)&^x|stops(y)&^y|stops(z)&^z|stops(u)&^u)&highs != 0 {
			break
		}
	}
	for ; i+8 <= len(src); i += 8 {
		x := binary.LittleEndian.Uint64(src[i:])
		if m := stops(x) &^ x & highs; m != 0 {
			return i + firstByte(m)
		}
	}
	for ; i < len(src); i++ {
		if c := src[i]; c < 0x20 || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// text reads the string at i, which may be an attachment.
func (s *scanner) text(i int) int {
	if s.lift {
		if end, ok := s.attach(i); ok {
			return end
		}
	}
	return s.str(i)
}

// block finds the first 32 bytes from i on, in steps of 32, that hold a byte that
// plain stops at, and returns their offset and these bytes as bits. A bit above
// another may be set for nothing: a borrow marks it. Less than 33 bytes are left to
// strEnd, with no bits.
func block(src []byte, i int) (int, uint32) {
	const gather = 0x0102040810204080 // brings the highest bits of all bytes together
	for ; i+33 <= len(src); i += 32 {
		w := (*[32]byte)(src[i:])
		x, y := binary.LittleEndian.Uint64(w[0:]), binary.LittleEndian.Uint64(w[8:])
		z, u := binary.LittleEndian.Uint64(w[16:]), binary.LittleEndian.Uint64(w[24:])
		a, b, c, d := stops(x)|x, stops(y)|y, stops(z)|z, stops(u)|u
		if (a|b|c|d)&highs != 0 {
			return i, uint32(a&highs>>7*gather>>56 | b&highs>>7*gather>>56<<8 |
				c&highs>>7*gather>>56<<16 | d&highs>>7*gather>>56<<24)
		}
	}
	return i, 0
}

// str reads the string at i, quotes included, and rewrites what is not canonical.
// Most stops are escapes that are canonical as they stand; these are passed over
// without a new start of the search.
func (s *scanner) str(i int) int {
	src := s.src
	j := i + 1
search:
	for {
		var stop uint32
		if j, stop = block(src, j); stop == 0 {
			return s.strEnd(j)
		}
		for stop != 0 {
			k := bits.TrailingZeros32(stop)
			at := j + k
			switch c := src[at]; {
			case c == '\\' && isShort[src[at+1]]:
				stop &^= 3 << k
				if k == 31 {
					j++
				}
			case c == '"':
				return at + 1
			case c >= 0x20 && c < 0x80 && c != '\\':
				stop &^= 1 << k
			default:
				if j = s.stop(at); j < 0 {
					return -1
				}
				continue search
			}
		}
		j += 32
	}
}

// strEnd is str near the end of the input.
func (s *scanner) strEnd(j int) int {
	for {
		j = plain(s.src, j)
		if j < len(s.src) && s.src[j] == '"' {
			return j + 1
		}
		if j = s.stop(j); j < 0 {
			return -1
		}
	}
}

// stop reads on in a string at a byte that plain stopped at, a quote excepted, and
// returns the offset after it.
func (s *scanner) stop(j int) int {
	if j >= len(s.src) {
		return s.fail(CodeInvalidJSON, j, "the text ends inside a string")
	}
	switch c := s.src[j]; {
	case c == '\\':
		r, next := s.escape(j)
		if next >= 0 && r >= 0 {
			s.replace(j, next, r)
		}
		return next
	case c < 0x20:
		return s.fail(CodeInvalidJSON, j, "a control character in a string")
	}
	return s.utf8(j)
}

// replace puts r for the escape input[from:to].
func (s *scanner) replace(from, to int, r rune) {
	s.cut(from)
	at := len(s.arena)
	s.arena = appendRune(s.arena, r)
	s.pushLit(at)
	s.raw = to
	s.dirty++
}

// isShort tells the characters that make a canonical escape after a backslash.
var isShort = [256]bool{'n': true, '"': true, '\\': true, 't': true, 'r': true, 'b': true, 'f': true}

// asIs stands for an escape that is canonical as it stands.
const asIs = -1

// escape reads the escape at i: the character it stands for, or asIs.
func (s *scanner) escape(i int) (r rune, next int) {
	if i+1 >= len(s.src) {
		return asIs, s.fail(CodeInvalidJSON, i, "the text ends inside a string")
	}
	switch c := s.src[i+1]; {
	case isShort[c]:
		return asIs, i + 2
	case c == '/':
		return '/', i + 2
	case c == 'u':
		return s.unicode(i)
	}
	return asIs, s.fail(CodeInvalidJSON, i, "no such escape")
}

// unicode reads the \u at i, with its second half where it is half of a pair.
func (s *scanner) unicode(i int) (r rune, next int) {
	u := hex4(s.src, i+2)
	switch {
	case u < 0:
		return asIs, s.fail(CodeInvalidJSON, i, "no four hexadecimal digits after \\u")
	case u < 0x20 && isCanonicalEscape(s.src[i:i+6], u):
		return asIs, i + 6
	case u < 0xd800 || u > 0xdfff:
		return u, i + 6
	case u < 0xdc00 && i+7 < len(s.src) && s.src[i+6] == '\\' && s.src[i+7] == 'u':
		if v := hex4(s.src, i+8); 0xdc00 <= v && v <= 0xdfff {
			return utf16.DecodeRune(u, v), i + 12
		}
	}
	return asIs, s.fail(CodeLoneSurrogate, i, "half of a surrogate pair")
}

// utf8 checks the text from i, which is not ASCII, to the next byte that is special
// whatever the encoding, and returns that byte's offset.
func (s *scanner) utf8(i int) int {
	end := special(s.src, i)
	if asm.Valid(s.src[i:end]) {
		return end
	}
	for {
		r, n := utf8.DecodeRune(s.src[i:])
		if r == utf8.RuneError && n <= 1 {
			return s.fail(CodeInvalidUTF8, i, "bytes that are not UTF-8")
		}
		i += n
	}
}

func hasEscape(b []byte) bool { return bytes.IndexByte(b, '\\') >= 0 }

func firstByte(m uint64) int { return bits.TrailingZeros64(m) / 8 }
