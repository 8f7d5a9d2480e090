package complete

// Overlap is how an event of a stream lies to what was given out of another one.
type Overlap uint8

// The ways in which an event can lie.
const (
	// OverlapNone: the event is new, all of it.
	OverlapNone Overlap = iota
	// OverlapWithin: all that it says was given out.
	OverlapWithin
	// OverlapPart: some of what it says was given out and some is new: the two
	// streams were cut into events in different places. [Stream.Rest] has the new.
	OverlapPart
	// OverlapDiffers: this event or one before it says something else.
	OverlapDiffers
)

// overlap is the state of a comparison.
type overlap struct {
	matched    int  // bytes that both said
	old, fresh bool // the event at hand says something given, something new
	whole      bool // it says something given that cannot be taken out of it
	differs    bool
}

// Resume makes the stream compare itself with what an earlier one for the same
// call gave out. It tracks the content too, and must be called before the first
// event.
func (s *Stream) Resume(given Content) {
	s.Track()
	s.track.given = &given
	s.track.seen.differs = given.over
}

// Overlap says how the last event lies to what [Stream.Resume] was given. An
// event that says nothing lies within as long as something is missing of that.
// Without Resume every event is new.
func (s *Stream) Overlap() Overlap {
	if s.track == nil || s.track.given == nil {
		return OverlapNone
	}
	switch seen := &s.track.seen; {
	case seen.differs, seen.whole && seen.fresh:
		return OverlapDiffers
	case seen.old && seen.fresh:
		return OverlapPart
	case seen.old, !seen.fresh && !s.Resumed():
		return OverlapWithin
	}
	return OverlapNone
}

// Resumed reports whether all of what [Stream.Resume] was given has come again. A
// stream that ends before that is another answer, or broke off.
func (s *Stream) Resumed() bool {
	return s.track == nil || s.track.given == nil || s.track.seen.matched == s.track.given.size
}
