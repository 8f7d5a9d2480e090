package identity

import (
	"encoding/binary"
	"math/bits"
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

// blockPlain is block for any machine. A bit above another may be set for nothing: a
// borrow marks it.
func blockPlain(src []byte, i int) (int, uint32) {
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

func firstByte(m uint64) int { return bits.TrailingZeros64(m) / 8 }
