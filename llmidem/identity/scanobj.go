package identity

// object reads the object at i. One that is canonical as it stands joins the raw
// range around it; any other goes on record with its members in order.
func (s *scanner) object(i int) int {
	if !s.open(i, stepNone) {
		return -1
	}
	m := s.mark()
	s.cut(i)
	at := len(s.segs)
	s.segs = append(s.segs, seg{kind: segObject})
	i, sorted := s.list(i+1, m.mem)
	if i < 0 {
		return -1
	}
	s.depth--
	if sorted && s.dirty == m.dirty && !s.keep && !(s.top && s.depth == 0) {
		s.rewind(m)
		return i
	}
	n := len(s.mem) - m.mem
	first, ok := s.record(m.mem, sorted)
	if !ok {
		return -1
	}
	s.segs[at] = seg{kind: segObject, a: first, b: n, next: int32(len(s.segs))}
	s.last = at
	s.floor = len(s.segs)
	s.raw = i
	s.dirty++
	return i
}

// list reads members from i to the end of their object. Theirs are the descriptors
// from base on; sorted says whether those are in order.
func (s *scanner) list(i, base int) (end int, sorted bool) {
	sorted = true
	i = s.between(i)
	if i < len(s.src) && s.src[i] == '}' {
		return i + 1, true
	}
	for {
		if i = s.member(i); i < 0 {
			return -1, false
		}
		if n := len(s.mem); n-base > 1 && sorted {
			c := s.compare(&s.mem[n-2], &s.mem[n-1])
			if c == 0 {
				s.duplicate(&s.mem[n-2], &s.mem[n-1])
				return -1, false
			}
			sorted = c < 0
		}
		if i = s.between(i); i >= len(s.src) {
			return s.fail(CodeInvalidJSON, i, "the text ends inside an object"), false
		}
		switch s.src[i] {
		case ',':
			i = s.between(i + 1)
		case '}':
			return i + 1, sorted
		default:
			return s.fail(CodeInvalidJSON, i, "neither , nor } after a member"), false
		}
	}
}

// member reads name and value from i, and pushes their descriptor.
func (s *scanner) member(i int) int {
	if i >= len(s.src) || s.src[i] != '"' {
		return s.fail(CodeInvalidJSON, i, "no name where a member should be")
	}
	n := len(s.mem)
	s.raw, s.floor = i, len(s.segs)
	if i = s.key(i); i < 0 {
		return -1
	}
	m := &s.mem[n]
	if i = s.space(i); i >= len(s.src) || s.src[i] != ':' {
		return s.fail(CodeInvalidJSON, i, "no : after a name")
	}
	if s.top && s.depth == 1 {
		s.enter(s.name(m))
		m.prompt = s.lift
	}
	i = s.space(i + 1)
	m.val = i
	if i < len(s.src) && s.src[i] == '"' {
		i = s.text(i)
	} else {
		i = s.value(i)
	}
	if i < 0 {
		return -1
	}
	m = &s.mem[n] // the value's members may have moved it
	if s.keep && s.src[m.val] == '{' {
		m.obj = int32(s.last)
	}
	s.cut(i)
	m.end = int32(len(s.segs))
	return i
}

// enter decides what a top-level member is, before its value is read.
func (s *scanner) enter(name []byte) {
	s.lift, s.keep = false, false
	s.seen |= sieve(name)
	for _, p := range s.prompt {
		if string(name) == p {
			s.lift = true
		}
	}
	for _, h := range s.heads {
		if string(name) == h {
			s.keep = true
		}
	}
}

// key reads the name at i into a new descriptor. That is filled where it lies: a
// copy would have to wait for what was just written.
func (s *scanner) key(i int) int {
	n := len(s.mem)
	if n == cap(s.mem) {
		s.mem = grow(s.mem)
	}
	s.mem = s.mem[:n+1]
	m, at := &s.mem[n], &s.path[s.depth-1]
	*m = member{first: int32(len(s.segs)), obj: -1}
	end, p := plainName(s.src, i+1)
	if end < len(s.src) && s.src[end] == '"' {
		m.name, m.prefix = span{i + 1, end}, p
		*at = step{name: m.name, kind: stepSrc}
		return end + 1
	}
	next := s.str(i)
	if next < 0 {
		return -1
	}
	m.name = span{i + 1, next - 1}
	*at = step{name: m.name, kind: stepSrc}
	if hasEscape(s.src[i+1 : next-1]) {
		from := len(s.arena)
		s.arena = appendUnescaped(s.arena, s.src[i+1:next-1])
		m.name, m.inArena = span{from, len(s.arena)}, true
		*at = step{name: m.name, kind: stepArena}
	}
	m.prefix = prefix(s.name(m))
	return next
}
