package identity

import (
	"cmp"
	"encoding/binary"
	"math/bits"
)

// Names are ordered by UTF-16 code units (RFC 8785, section 3.2.3) and held as
// UTF-8. The two orders are one but for U+E000 to U+FFFF, which UTF-16 puts after
// the supplementary planes. They begin with EE and EF in UTF-8, the others with F0
// to F4; moved to FE and FF, bytes no UTF-8 text has, they compare as they should.
func rank(c byte) byte {
	if c == 0xee || c == 0xef {
		return c + 0x10
	}
	return c
}

// prefix returns the first eight bytes of a name as a number that orders as the
// names do; equal prefixes decide nothing.
func prefix[T string | []byte](name T) (p uint64) {
	if len(name) >= 8 {
		n := name[:8]
		p = uint64(n[0])<<56 | uint64(n[1])<<48 | uint64(n[2])<<40 | uint64(n[3])<<32 |
			uint64(n[4])<<24 | uint64(n[5])<<16 | uint64(n[6])<<8 | uint64(n[7])
		if p&highs == 0 {
			return p
		}
	}
	p = 0
	n := min(len(name), 8)
	for i := range n {
		p = p<<8 | uint64(rank(name[i]))
	}
	return p << (64 - 8*n)
}

// sieve returns one of 64 bits for the first name of a dotted path, from its first
// two bytes. Names with other bits are other names. The factors are such that the
// members of usual requests have other bits than those that are looked for.
func sieve[T string | []byte](path T) uint64 {
	if len(path) < 2 {
		return 1
	}
	c := path[1]
	if c == '.' {
		return 1
	}
	return 1 << ((path[0]*3 + c*5) & 63)
}

// plainName is plain for a name that begins at i, with the prefix of what lies
// before the end: most names end within the eight bytes that it looks at first.
func plainName(src []byte, i int) (end int, p uint64) {
	if i+8 > len(src) {
		end = plain(src, i)
		return end, prefix(src[i:end])
	}
	x := binary.LittleEndian.Uint64(src[i:])
	m := (stops(x) | x) & highs
	if m == 0 {
		return plain(src, i+8), bits.ReverseBytes64(x)
	}
	n := firstByte(m)
	return i + n, bits.ReverseBytes64(x & (1<<(8*n) - 1))
}

// compareText compares two names.
func compareText[A, B string | []byte](a A, b B) int {
	n := min(len(a), len(b))
	i := 0
	for i+8 <= n && string(a[i:i+8]) == string(b[i:i+8]) {
		i += 8
	}
	for ; i < n; i++ {
		if a[i] != b[i] {
			return cmp.Compare(rank(a[i]), rank(b[i]))
		}
	}
	return cmp.Compare(len(a), len(b))
}

func (s *scanner) compareName(m *member, p uint64, name string) int {
	if m.prefix != p {
		return cmp.Compare(m.prefix, p)
	}
	n := s.name(m)
	if string(n) == name { // as nearly always where the prefixes are one
		return 0
	}
	return compareText(n, name)
}

func (s *scanner) compare(a, b *member) int {
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}
	return compareText(s.name(a), s.name(b))
}
