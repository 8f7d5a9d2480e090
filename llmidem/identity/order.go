package identity

import (
	"cmp"
	"encoding/binary"
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
	for i := range min(len(name), 8) {
		p |= uint64(rank(name[i])) << (56 - 8*i)
	}
	return p
}

// sieve returns one of 64 bits for the first name of a dotted path, from its first
// two bytes. Names with other bits are other names.
func sieve[T string | []byte](path T) uint64 {
	if len(path) < 2 {
		return 1
	}
	c := path[1]
	if c == '.' {
		return 1
	}
	return 1 << ((path[0] ^ c<<2) & 63)
}

// asciiPrefix is prefix for src[a:b] of ASCII alone.
func asciiPrefix(src []byte, a, b int) uint64 {
	if a+8 <= len(src) {
		p := binary.BigEndian.Uint64(src[a:])
		if n := b - a; n < 8 {
			p = p >> (64 - 8*n) << (64 - 8*n)
		}
		return p
	}
	return prefix(src[a:b])
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
	return compareText(s.name(m), name)
}

func (s *scanner) compare(a, b *member) int {
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}
	return compareText(s.name(a), s.name(b))
}
