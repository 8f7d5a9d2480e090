package identity

import (
	"cmp"
	"encoding/binary"
	"slices"
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

// sortKey stands for a member while many are sorted: it is a quarter of its size,
// and the prefix decides most comparisons without a look at the name.
type sortKey struct {
	prefix uint64
	index  int
}

// fewMembers is how many are sorted by insertion, in place.
const fewMembers = 16

// record moves the members since from into ord, in canonical order, and returns
// where they begin there. Sorted says that they are in order already.
func (s *scanner) record(from int, sorted bool) (int, bool) {
	m := s.mem[from:]
	at := len(s.ord)
	switch {
	case sorted:
		s.ord = append(s.ord, m...)
	case len(m) <= fewMembers:
		if !s.insertion(m) {
			return 0, false
		}
		s.ord = append(s.ord, m...)
	default:
		s.sortMany(m)
		if !s.unique(s.ord[at:]) {
			return 0, false
		}
	}
	s.mem = s.mem[:from]
	return at, true
}

// insertion sorts a few members, and refuses two of one name.
func (s *scanner) insertion(m []member) bool {
	for i := 1; i < len(m); i++ {
		j := i
		for ; j > 0; j-- {
			if c := s.compare(&m[j-1], &m[i]); c < 0 {
				break
			} else if c == 0 {
				s.duplicate(&m[j-1], &m[i])
				return false
			}
		}
		if j < i {
			x := m[i]
			copy(m[j+1:i+1], m[j:i])
			m[j] = x
		}
	}
	return true
}

// sortMany appends m to ord in order: by prefixes first, without a look at the
// names, and then what has one prefix.
func (s *scanner) sortMany(m []member) {
	keys := slices.Grow(s.keys[:0], 2*len(m))
	for i := range m {
		keys = append(keys, sortKey{m[i].prefix, i})
	}
	sorted := radix(keys, keys[len(m):2*len(m)])
	for i := 0; i < len(sorted); {
		j := i + 1
		for j < len(sorted) && sorted[j].prefix == sorted[i].prefix {
			j++
		}
		if j > i+1 {
			slices.SortFunc(sorted[i:j], func(a, b sortKey) int {
				return compareText(s.name(&m[a.index]), s.name(&m[b.index]))
			})
		}
		i = j
	}
	s.ord = slices.Grow(s.ord, len(m))
	for _, k := range sorted {
		s.ord = append(s.ord, m[k.index])
	}
	s.keys = keys[:0]
}

// radix sorts keys by prefix, a byte at a time from the last, and returns the one of
// keys and room, which are of one length, in which the result lies. It is linear,
// and passes over bytes in which all prefixes are one.
func radix(keys, room []sortKey) []sortKey {
	var counts [8][256]int
	for _, k := range keys {
		for b := range 8 {
			counts[b][byte(k.prefix>>(8*b))]++
		}
	}
	for b := range 8 {
		c := &counts[b]
		if c[byte(keys[0].prefix>>(8*b))] == len(keys) {
			continue
		}
		at := 0
		for i, n := range c {
			c[i], at = at, at+n
		}
		for _, k := range keys {
			to := &c[byte(k.prefix>>(8*b))]
			room[*to] = k
			*to++
		}
		keys, room = room, keys
	}
	return keys
}

// unique refuses two members of one name in a sorted list.
func (s *scanner) unique(m []member) bool {
	for i := 1; i < len(m); i++ {
		if s.compare(&m[i-1], &m[i]) == 0 {
			s.duplicate(&m[i-1], &m[i])
			return false
		}
	}
	return true
}

func (s *scanner) duplicate(a, b *member) {
	s.fail(CodeDuplicateMember, max(a.val, b.val), "this value's member name was there before")
}
