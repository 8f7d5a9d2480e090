package complete

import (
	"cmp"
	"slices"
)

// cutting is a string in an event of which some was given out.
type cutting struct {
	at, size int // where it is in the data, quotes included
	given    int // bytes of its text
}

// cut notes that so many bytes of a string were given out.
func (r *recorder) cut(value []byte, given int) {
	if given > 0 {
		r.cuts = append(r.cuts, cutting{r.event - cap(value), len(value), given})
	}
}

// Rest returns the last event's data, which must be what Event was given, in the
// same memory, without the text that [Stream.Resume] says was given out. All else
// in it is as it came. It is of use where the event is [OverlapPart]; the result
// is the caller's.
func (s *Stream) Rest(data []byte) []byte {
	if s.track == nil {
		return slices.Clone(data)
	}
	cuts := s.track.cuts
	slices.SortFunc(cuts, func(a, b cutting) int { return cmp.Compare(a.at, b.at) })
	out, done := make([]byte, 0, len(data)), 0
	for _, c := range cuts {
		if c.at < done || c.at+c.size > len(data) {
			continue // not the data that Event had
		}
		text := inner(data[c.at : c.at+c.size])
		out = append(out, data[done:c.at]...)
		out = quote(out, text[min(c.given, len(text)):])
		done = c.at + c.size
	}
	return append(out, data[done:]...)
}

// quote appends a text as a JSON string.
func quote(out, text []byte) []byte {
	const digits = "0123456789abcdef"
	out = append(out, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, '\\', 'n')
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
