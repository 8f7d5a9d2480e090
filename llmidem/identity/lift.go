package identity

import "strconv"

// lifted takes input[i:end] out of the prompt, as an attachment that still lacks
// its pointer.
func (s *scanner) lifted(i, end int, a attachment) {
	s.cut(i)
	from := len(s.arena)
	s.arena = s.appendPath(s.arena, true)
	a.pointer = span{from, len(s.arena)}
	s.segs = append(s.segs, seg{a: len(s.atts), kind: segAttach})
	s.atts = append(s.atts, a)
	s.raw = end
	s.dirty++
}

// appendPath appends the RFC 6901 pointer of where the scanner is; escaped makes it
// the inside of a JSON string.
func (s *scanner) appendPath(b []byte, escaped bool) []byte {
	for i := range s.depth {
		st := &s.path[i]
		switch st.kind {
		case stepNone:
			continue
		case stepIndex:
			b = append(b, '/')
			b = strconv.AppendInt(b, int64(st.index), 10)
		default:
			b = append(b, '/')
			b = appendPointer(b, s.stepName(st), escaped)
		}
	}
	return b
}

// appendPointer appends one name of an RFC 6901 pointer.
func appendPointer[T string | []byte](b []byte, name T, escaped bool) []byte {
	for i := range len(name) {
		switch c := name[i]; {
		case c == '~':
			b = append(b, "~0"...)
		case c == '/':
			b = append(b, "~1"...)
		case escaped && (c < 0x20 || c == '"' || c == '\\'):
			b = appendEscape(b, c)
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendAttachment appends the attachment as the document shows it.
func (s *scanner) appendAttachment(b []byte, a *attachment) []byte {
	b = append(b, `{"digest":"sha256:`...)
	b = appendHex(b, &a.sum)
	b = append(b, `","encoding":"`...)
	b = append(b, a.encoding...)
	b = append(b, `","media_type":"`...)
	b = append(b, s.arena[a.media.a:a.media.b]...)
	b = append(b, `","pointer":"`...)
	b = append(b, s.arena[a.pointer.a:a.pointer.b]...)
	b = append(b, `","size":`...)
	b = strconv.AppendInt(b, a.size, 10)
	return append(b, '}')
}
