package identity

import "slices"

// The scanner leaves a tape behind: the canonical text as a list of segments, in
// the order of the input, so that nothing is copied that is canonical as it
// stands. An object whose members must move becomes one segment with a list of
// descriptors in canonical order; its members' segments lie between that segment
// and the next. An object that is canonical already leaves no segment at all: it
// is a part of the raw range around it.

type segKind uint8

const (
	segRaw    segKind = iota // input[a:b]
	segLit                   // arena[a:b], text that had to be rewritten
	segObject                // b members from ord[a], the text goes on at segment next
	segAttach                // attachment a, which is "" in the text
)

// Segments are counted in 32 bits: more would take 48 GB for the tape alone.
type seg struct {
	a, b int
	next int32
	kind segKind
}

// member describes one member of an object.
type member struct {
	prefix     uint64 // the first bytes of the name, ordered as the names are
	name       span   // the unescaped name, in the input or the arena
	val        int    // where its value begins in the input
	first, end int32  // its segments, name and colon included
	obj        int32  // the segment of its value if that is an object on record, else -1
	inArena    bool   // the name lies in the arena
	prompt     bool   // a prompt field, where the member is one of the top
	gone       bool   // the member does not count, or no more
}

// small is the size below which a piece of text is copied to the arena rather
// than given a segment of its own, which would take more room than the text.
const small = 48

// cut ends the pending raw range before end.
func (s *scanner) cut(end int) {
	n := end - s.raw
	if n <= 0 {
		return
	}
	if n < small && len(s.segs) > s.floor {
		at := len(s.arena)
		s.arena = append(s.arena, s.src[s.raw:end]...)
		s.pushLit(at)
	} else {
		if len(s.segs) == cap(s.segs) {
			s.segs = grow(s.segs)
		}
		s.segs = append(s.segs, seg{a: s.raw, b: end, kind: segRaw})
	}
	s.raw = end
}

// pushLit puts arena[at:] on the tape, in the last segment if that ends there.
func (s *scanner) pushLit(at int) {
	if n := len(s.segs); n > s.floor && s.segs[n-1].kind == segLit && s.segs[n-1].b == at {
		s.segs[n-1].b = len(s.arena)
		return
	}
	s.segs = append(s.segs, seg{a: at, b: len(s.arena), kind: segLit})
}

// grow doubles a slice where append alone would add a quarter: hostile texts have
// many members, and these would be copied over and over.
func grow[T any](s []T) []T { return slices.Grow(s, max(len(s), 16)) }

// literal replaces input[from:to] by text.
func (s *scanner) literal(from, to int, text string) {
	s.cut(from)
	at := len(s.arena)
	s.arena = append(s.arena, text...)
	s.pushLit(at)
	s.raw = to
	s.dirty++
}

// mark is the state of the tape where an object begins.
type mark struct {
	segs, raw, arena, dirty, mem, floor int
}

func (s *scanner) mark() mark {
	return mark{len(s.segs), s.raw, len(s.arena), s.dirty, len(s.mem), s.floor}
}

// rewind forgets what was put on the tape since m. The text since then is
// canonical and goes back into the raw range that was pending.
func (s *scanner) rewind(m mark) {
	s.segs = s.segs[:m.segs]
	s.arena = s.arena[:m.arena]
	if m.segs > 0 && s.segs[m.segs-1].kind == segLit && s.segs[m.segs-1].b > m.arena {
		s.segs[m.segs-1].b = m.arena
	}
	s.mem = s.mem[:m.mem]
	s.raw, s.floor = m.raw, m.floor
}

// name returns the unescaped name of a member.
func (s *scanner) name(m *member) []byte {
	if m.inArena {
		return s.arena[m.name.a:m.name.b]
	}
	return s.src[m.name.a:m.name.b]
}

// members returns those of an object on record, in canonical order.
func (s *scanner) members(object int) []member {
	g := &s.segs[object]
	return s.ord[g.a : g.a+g.b]
}

// find returns the member of that name that counts, or nil.
func (s *scanner) find(object int, name string) *member {
	all := s.members(object)
	lo, hi := 0, len(all)
	p := prefix(name)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if c := s.compareName(&all[mid], p, name); c == 0 {
			if all[mid].gone {
				return nil
			}
			return &all[mid]
		} else if c < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return nil
}
