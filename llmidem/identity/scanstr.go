package identity

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain returns the offset of the first byte from i that is a quote, a backslash,
// a control character or not ASCII; len(src) if there is none. It looks at eight
// bytes at a time: a subtraction borrows into the next byte only from one that is
// found itself, so the lowest byte found is right.
func plain(src []byte, i int) int {
	for ; i+8 <= len(src); i += 8 {
		x := binary.LittleEndian.Uint64(src[i:])
		if m := ((x - 0x20*ones) | ((x ^ '"'*ones) - ones) | ((x ^ '\\'*ones) - ones) | x) & highs; m != 0 {
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
func (s *scanner) str(i int) int {
	src := s.src
	at := -1 // where the rewritten text begins in the arena
	from := i
	j := i + 1
	for {
		j = plain(src, j)
		if j >= len(src) {
			return s.fail(CodeInvalidJSON, j, "the text ends inside a string")
		}
		switch c := src[j]; {
		case c == '"':
			j++
			if at >= 0 {
				s.arena = append(s.arena, src[from:j]...)
				s.pushLit(at)
				s.raw = j
				s.dirty++
			}
			return j
		case c == '\\':
			next, clean := s.escape(j)
			if next < 0 {
				return -1
			}
			if !clean {
				if at < 0 {
					s.cut(i)
					at = len(s.arena)
				}
				s.arena = append(s.arena, src[from:j]...)
				s.arena = appendRune(s.arena, src[j:next])
				from = next
			}
			j = next
		case c < 0x20:
			return s.fail(CodeInvalidJSON, j, "a control character in a string")
		default:
			if j = s.utf8(j); j < 0 {
				return -1
			}
		}
	}
}

// escape checks the escape at i and says whether it is canonical as it stands.
func (s *scanner) escape(i int) (next int, clean bool) {
	if i+1 >= len(s.src) {
		return s.fail(CodeInvalidJSON, i, "the text ends inside a string"), false
	}
	switch s.src[i+1] {
	case 'n', '"', '\\', 't', 'r', 'b', 'f':
		return i + 2, true
	case '/':
		return i + 2, false
	case 'u':
		return s.unicode(i)
	}
	return s.fail(CodeInvalidJSON, i, "no such escape"), false
}

// unicode checks the \u at i, with its second half where it is half of a pair.
func (s *scanner) unicode(i int) (next int, clean bool) {
	u, ok := hex4(s.src, i+2)
	switch {
	case !ok:
		return s.fail(CodeInvalidJSON, i, "no four hexadecimal digits after \\u"), false
	case u < 0x20:
		return i + 6, isCanonicalEscape(s.src[i : i+6])
	case u < 0xd800 || u > 0xdfff:
		return i + 6, false
	case u < 0xdc00 && i+7 < len(s.src) && s.src[i+6] == '\\' && s.src[i+7] == 'u':
		if v, ok := hex4(s.src, i+8); ok && 0xdc00 <= v && v <= 0xdfff {
			return i + 12, false
		}
	}
	return s.fail(CodeLoneSurrogate, i, "half of a surrogate pair"), false
}

// utf8 checks the run of bytes beyond ASCII at i.
func (s *scanner) utf8(i int) int {
	for i < len(s.src) && s.src[i] >= 0x80 {
		r, n := utf8.DecodeRune(s.src[i:])
		if r == utf8.RuneError && n == 1 {
			return s.fail(CodeInvalidUTF8, i, "bytes that are not UTF-8")
		}
		i += n
	}
	return i
}

func hasEscape(b []byte) bool { return bytes.IndexByte(b, '\\') >= 0 }

func firstByte(m uint64) int { return bits.TrailingZeros64(m) / 8 }
