package complete

import (
	"encoding/binary"
	"math/bits"
)

// MaxDepth is how deep JSON may nest, as in encoding/json. The bound is not a
// matter of taste: Go ends the process on a stack overflow.
const MaxDepth = 10000

// The negative results of the skip functions.
const (
	badSyntax = -1
	badDepth  = -2
)

// skipValue returns the index after the value that begins at b[i], or a negative
// failure. outer is how many objects and arrays are open around it.
func skipValue(b []byte, i, outer int) int {
	if i >= len(b) {
		return badSyntax
	}
	if c := b[i]; c == '{' || c == '[' {
		return skipNested(b, i, outer)
	}
	return skipScalar(b, i)
}

// skipNested skips an object or array. It keeps the kinds of up to 64 open ones
// in the bits of a word; what lies deeper is a call of its own, so that 10,000
// levels are 157 calls and no array has to be cleared for the ordinary answer.
func skipNested(b []byte, i, outer int) int {
	var objects uint64 // bit d: level d is an object
	for depth := 0; ; {
		if c := b[i]; c != '{' && c != '[' {
			i = skipScalar(b, i)
		} else if depth == 64 {
			i = skipNested(b, i, outer+64)
		} else {
			if outer+depth >= MaxDepth {
				return badDepth
			}
			if i = skipSpace(b, i+1); i < len(b) && b[i] != c+2 { // '{'+2 is '}', '['+2 is ']'
				objects = objects&^(1<<depth) | uint64(c>>5&1)<<depth
				depth++
				if c == '{' {
					i = skipName(b, i)
				}
				if i < 0 || i >= len(b) {
					return failure(i)
				}
				continue
			}
			i++ // an empty one is over already; at the end of the text it is none
		}
		if i, depth = closeNested(b, i, depth, objects); depth == 0 || i < 0 {
			return i
		}
	}
}

// closeNested goes on after a value: over the ends of what closes behind it, and
// the comma, to the next value. With depth 0 the outermost one is closed.
func closeNested(b []byte, i, depth int, objects uint64) (int, int) {
	if i < 0 || i > len(b) {
		return failure(i), depth
	}
	for depth > 0 {
		if i = skipSpace(b, i); i >= len(b) {
			return badSyntax, depth
		}
		object := objects>>(depth-1)&1 == 1
		switch c := b[i]; {
		case c == ',':
			if i = skipSpace(b, i+1); object {
				i = skipName(b, i)
			}
			if i >= len(b) {
				i = badSyntax
			}
			return i, depth
		case c == '}' && object, c == ']' && !object:
			depth--
			i++
		default:
			return badSyntax, depth
		}
	}
	return i, 0
}

// failure is i where that is a failure already, and otherwise bad syntax.
func failure(i int) int { return min(i, badSyntax) }

// skipName skips a member's name and the colon to the beginning of its value.
func skipName(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return badSyntax
	}
	if i = skipString(b, i); i < 0 {
		return i
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return badSyntax
	}
	return skipSpace(b, i+1)
}

// skipSpace returns the index of the next byte that is no white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

const (
	ones   = 0x0101010101010101
	highs  = 0x80 * ones
	quotes = '"' * ones
	slants = '\\' * ones
	spaces = ' ' * ones
)

// skipString skips the string whose opening quote is b[i], eight bytes at a time:
// of the bytes of a word that may matter (quote, backslash, control character)
// the lowest bit set is exact, which is the only one that is looked at.
func skipString(b []byte, i int) int {
	i++
	for {
		for ; i+8 <= len(b); i += 8 {
			w := binary.LittleEndian.Uint64(b[i:])
			q, s := w^quotes, w^slants
			if m := ((q-ones)&^q | (s-ones)&^s | (w-spaces)&^w) & highs; m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
		}
		for ; i < len(b) && b[i] != '"' && b[i] != '\\'; i++ {
			if b[i] < ' ' {
				return badSyntax
			}
		}
		switch {
		case i >= len(b):
			return badSyntax
		case b[i] == '"':
			return i + 1
		}
		if i = skipEscape(b, i); i < 0 {
			return i
		}
	}
}

// skipEscape skips the escape whose backslash is b[i].
func skipEscape(b []byte, i int) int {
	if i+1 >= len(b) {
		return badSyntax
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if _, ok := hex4(b[i+2:]); ok {
			return i + 6
		}
	}
	return badSyntax
}
