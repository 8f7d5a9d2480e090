package complete

import "bytes"

// Track makes the stream keep what it says, for [Stream.Content]. It must be
// called before the first event. Without it content is not looked at.
func (s *Stream) Track() {
	if s.track == nil {
		s.track = &recorder{}
	}
}

// Content is what the stream said so far; the zero value without [Stream.Track].
func (s *Stream) Content() Content {
	if s.track == nil {
		return Content{}
	}
	return s.track.said.snapshot()
}

// add notes a piece of text, or of something else that is told as it came.
func (s *Stream) add(choice int64, where channel, tool int64, value []byte) Signal {
	switch k := KindOf(value); {
	case k == KindInvalid || k == KindNull || len(value) == 2 && (k == KindString || k == KindArray || k == KindObject):
		return 0
	case s.track != nil && k == KindString:
		piece := inner(value)
		same := s.track.add(key{choice: choice, channel: where, tool: tool}, piece)
		s.track.cut(value, same)
	case s.track != nil:
		same := s.track.add(key{choice: choice, channel: where, tool: tool}, value)
		s.track.seen.whole = s.track.seen.whole || same > 0
	}
	return SignalText
}

// addOnce notes what may be sent more than once but is said once.
func (s *Stream) addOnce(choice int64, where channel, value []byte) {
	if s.track != nil {
		s.track.once(key{choice: choice, channel: where}, inner(value))
	}
}

// recorder puts together what a stream says and compares it with what another one
// said.
type recorder struct {
	said  Content
	given *Content // nil: there is nothing to compare with
	seen  overlap
	event int // capacity of the event at hand
	cuts  []cutting
}

// begin begins an event.
func (r *recorder) begin(data []byte) {
	r.seen.old, r.seen.fresh, r.seen.whole = false, false, false
	r.event, r.cuts = cap(data), r.cuts[:0]
}

// once notes a text unless there is one of its sort.
func (r *recorder) once(k key, text []byte) {
	if len(text) > 0 && r.said.find(k) < 0 {
		r.add(k, text)
	}
}

// mark notes a frame by its type.
func (r *recorder) mark(choice int64, typ []byte) {
	k := key{choice: choice, channel: channelMark}
	r.add(k, typ)
	r.add(k, []byte{'\n'})
}

// add appends to the text of a sort and returns how many bytes of that were given
// out already.
func (r *recorder) add(k key, piece []byte) (same int) {
	c := &r.said
	i := c.find(k)
	if c.over || len(piece) > maxSaid-c.size || i < 0 && len(c.parts) == maxParts {
		c.over = true
		r.seen.differs = true
		return 0
	}
	if i < 0 {
		i = len(c.parts)
		c.parts = append(c.parts, said{key: k})
	}
	p := &c.parts[i]
	if r.given != nil {
		same = r.compare(k, len(p.text), piece)
	}
	p.text = append(p.text, piece...)
	c.size += len(piece)
	return same
}

// compare holds a piece against what was said at that place by the other stream.
func (r *recorder) compare(k key, at int, piece []byte) int {
	was := r.given.text(k)
	was = was[min(at, len(was)):]
	same := min(len(piece), len(was))
	if !bytes.Equal(piece[:same], was[:same]) {
		r.seen.differs = true
	}
	r.seen.matched += same
	r.seen.old = r.seen.old || same > 0
	if same < len(piece) {
		r.seen.fresh = true
		r.seen.differs = r.seen.differs || r.short(k)
	}
	return same
}

// short reports whether the other stream said more of a choice than this one has
// by now. What goes on elsewhere in that choice then is another answer.
func (r *recorder) short(k key) bool {
	for _, p := range r.given.parts {
		if p.key.choice == k.choice && p.key != k && len(r.said.text(p.key)) < len(p.text) {
			return true
		}
	}
	return false
}
