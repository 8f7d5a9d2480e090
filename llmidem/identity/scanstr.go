package identity

import (
	"bytes"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	asm "github.com/segmentio/asm/utf8"
)

// text reads the string at i, which may be an attachment.
func (s *scanner) text(i int) int {
	if s.lift {
		if end, ok := s.attach(i); ok {
			return end
		}
	}
	return s.str(i)
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
