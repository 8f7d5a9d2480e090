package identity

import "slices"

// sortKey stands for a member while many are sorted: it is a quarter of its size,
// and the prefix decides most comparisons without a look at the name.
type sortKey struct {
	prefix uint64
	index  int
}

// fewMembers is how many are sorted by insertion.
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
	default:
		s.sortMany(m)
		if !s.unique(s.ord[at:]) {
			return 0, false
		}
	}
	s.mem = s.mem[:from]
	return at, true
}

// insertion appends a few members to ord in order, and refuses two of one name.
func (s *scanner) insertion(m []member) bool {
	at := len(s.ord)
	s.ord = slices.Grow(s.ord, len(m))[:at+len(m)]
	o := s.ord[at:]
	for i := range m {
		j := i
		for ; j > 0; j-- {
			if c := s.compare(&o[j-1], &m[i]); c < 0 {
				break
			} else if c == 0 {
				s.duplicate(&o[j-1], &m[i])
				return false
			}
			o[j] = o[j-1]
		}
		o[j] = m[i]
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
