package identity

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// number reads the number at i. An integer literal is canonical as it stands,
// however long, but for -0; so is a short decimal fraction without needless
// zeros. All else is written anew as ECMAScript writes it (RFC 8785, 3.2.2.3).
func (s *scanner) number(i int) int {
	src := s.src
	j := i
	if src[j] == '-' {
		j++
	}
	lead := j
	j = digits(src, j)
	if j == lead || src[lead] == '0' && j > lead+1 {
		return s.fail(CodeInvalidJSON, i, "a number that JSON does not know")
	}
	if j >= len(src) || src[j] != '.' && src[j]|0x20 != 'e' {
		if src[lead] == '0' && lead > i {
			s.literal(i, j, "0")
		}
		return j
	}
	return s.float(i, lead, j)
}

// digits returns the offset after the decimal digits at i.
func digits(src []byte, i int) int {
	for i < len(src) && src[i]-'0' < 10 {
		i++
	}
	return i
}

// integers skips elements of an array that are plain integers with nothing but
// commas between them, eight bytes at a time, from the element at i. It returns
// where the first element begins that it did not skip whole, and how many commas
// lie before it. All bytes it looks at are below 0x80, so that no sum carries into
// the next byte and every mask is exact.
func integers(src []byte, i int) (next, commas int) {
	after := uint64(0x80) // whether a comma, or the array's begin, lies before
	for i+9 <= len(src) {
		x := binary.LittleEndian.Uint64(src[i:])
		if x&highs != 0 {
			break
		}
		y := x ^ '0'*ones
		digit := ^(y + 0x76*ones) & highs
		comma := ^((x ^ ','*ones) + 0x7f*ones) & highs
		zero := ^(y + 0x7f*ones) & highs
		first := comma<<8 | after // first bytes of elements
		follow := digit >> 8
		if src[i+8]-'0' < 10 {
			follow |= 1 << 63
		}
		if digit|comma != highs || first&comma != 0 || first&zero&follow != 0 {
			break
		}
		commas += bits.OnesCount64(comma)
		after = comma >> 56
		i += 8
	}
	if after == 0 { // within an element
		for src[i-1] != ',' && src[i-1] != '[' && src[i-1] > ' ' {
			i--
		}
	}
	return i, commas
}

// float reads on at a number with a fraction or an exponent: it begins at i, its
// first digit is at lead, and its integer part ends before j.
func (s *scanner) float(i, lead, j int) int {
	src := s.src
	whole := j
	short := false
	if src[j] == '.' {
		k := digits(src, j+1)
		if k == j+1 {
			return s.fail(CodeInvalidJSON, i, "a number that JSON does not know")
		}
		short = isShortest(src[lead:whole], src[whole+1:k])
		j = k
	}
	if j < len(src) && src[j]|0x20 == 'e' {
		short = false
		j++
		if j < len(src) && (src[j] == '+' || src[j] == '-') {
			j++
		}
		k := digits(src, j)
		if k == j {
			return s.fail(CodeInvalidJSON, i, "a number that JSON does not know")
		}
		j = k
	}
	if short {
		return j
	}
	return s.reformat(i, j)
}

// isShortest reports whether whole.fraction is canonical without a look at its value:
// 15 digits are always told apart by a double, so they are its shortest form.
func isShortest(whole, fraction []byte) bool {
	if fraction[len(fraction)-1] == '0' || len(whole)+len(fraction) > 15 {
		return false
	}
	if whole[0] != '0' {
		return true
	}
	zeros := 0
	for fraction[zeros] == '0' {
		zeros++
	}
	return zeros < 6
}

func (s *scanner) reformat(i, j int) int {
	f, err := strconv.ParseFloat(string(s.src[i:j]), 64)
	if err != nil || math.IsInf(f, 0) {
		return s.fail(CodeNumberOverflow, i, "a number beyond the range of a double")
	}
	var buf [32]byte
	if text := appendNumber(buf[:0], f); string(text) != string(s.src[i:j]) {
		s.cut(i)
		at := len(s.arena)
		s.arena = append(s.arena, text...)
		s.pushLit(at)
		s.raw = j
		s.dirty++
	}
	return j
}

// appendNumber appends a finite double as ECMAScript's Number::toString writes it
// (ECMA-262, 6.1.6.1.20), from the shortest digits that strconv finds.
func appendNumber(b []byte, f float64) []byte {
	if f == 0 {
		return append(b, '0')
	}
	var buf [32]byte
	e := strconv.AppendFloat(buf[:0], f, 'e', -1, 64) // -d.ddde±xx
	if e[0] == '-' {
		b = append(b, '-')
		e = e[1:]
	}
	mark := len(e) - 1
	for e[mark] != 'e' {
		mark--
	}
	exp, _ := strconv.Atoi(string(e[mark+1:]))
	d := e[:1]
	if mark > 1 {
		copy(e[1:], e[2:mark]) // over the point
		d = e[:mark-1]
	}
	return appendDigits(b, d, exp+1)
}

// appendDigits appends the digits d with the decimal point after the first n.
func appendDigits(b, d []byte, n int) []byte {
	k := len(d)
	switch {
	case k <= n && n <= 21:
		b = append(b, d...)
		for range n - k {
			b = append(b, '0')
		}
	case 0 < n && n <= 21:
		b = append(append(append(b, d[:n]...), '.'), d[n:]...)
	case -6 < n && n <= 0:
		b = append(b, "0.000000"[:2-n]...)
		b = append(b, d...)
	default:
		b = append(b, d[0])
		if k > 1 {
			b = append(append(b, '.'), d[1:]...)
		}
		b = append(b, 'e')
		if n > 0 {
			b = append(b, '+')
		}
		b = strconv.AppendInt(b, int64(n-1), 10)
	}
	return b
}
