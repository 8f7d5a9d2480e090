package identity

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// attachment is content that was taken out of the prompt.
type attachment struct {
	sum      [32]byte
	size     int64
	encoding string
	media    span // in the arena, as the inside of a canonical JSON string
	pointer  span // likewise
}

const (
	encodingURI    = "data-uri"
	encodingBase64 = "base64"
	encodingForm   = "multipart"

	scheme    = "data:"
	marker    = ";base64"
	maxMedia  = 255
	maxHeader = maxMedia + len(marker) + 1 // with the comma, without the scheme
)

// attach reads the string at i if it is an attachment (SPEC.md, section 3). If
// not, nothing has changed, and the string is still to be read.
func (s *scanner) attach(i int) (end int, ok bool) {
	if i+1 < len(s.src) && (s.src[i+1] == 'd' || s.src[i+1] == '\\') {
		if end, ok = s.dataURI(i); ok {
			return end, true
		}
	}
	if !s.atPlace() {
		return 0, false
	}
	end, ok = s.b64.payload(s.src, i+1)
	if !ok || s.b64.size == 0 {
		return 0, false
	}
	s.lifted(i, end, encodingBase64, span{})
	return end, true
}

// atPlace reports whether the rules say that the string here is base64.
func (s *scanner) atPlace() bool {
	for i := range s.places {
		p := &s.places[i]
		if s.stepIs(s.depth-1, p.Member) && (p.Parent == "*" || s.stepIs(s.depth-2, p.Parent)) {
			return true
		}
	}
	return false
}

// stepIs compares the name of a level; an element of an array is called [], and
// what is above the prompt fields "".
func (s *scanner) stepIs(level int, name string) bool {
	if level < 0 {
		return name == ""
	}
	st := &s.path[level]
	if st.kind == stepIndex {
		return name == "[]"
	}
	return string(s.stepName(st)) == name
}

func (s *scanner) stepName(st *step) []byte {
	switch st.kind {
	case stepSrc:
		return s.src[st.name.a:st.name.b]
	case stepArena:
		return s.arena[st.name.a:st.name.b]
	}
	return nil
}

// dataURI reads the string at i if it is a base64 data URI.
func (s *scanner) dataURI(i int) (end int, ok bool) {
	media, payload, ok := s.header(i + 1)
	if !ok {
		return 0, false
	}
	if end, ok = s.b64.payload(s.src, payload); !ok {
		return 0, false
	}
	// media may lie in the arena's free room, which cut is about to use
	var buf [maxMedia]byte
	media = buf[:copy(buf[:], media)]
	s.cut(i)
	at := len(s.arena)
	s.arena = appendText(s.arena, media)
	s.lifted(i, end, encodingURI, span{at, len(s.arena)})
	return end, true
}

// header reads a data URI's begin at i and returns the unescaped media type and
// the offset of the payload.
func (s *scanner) header(i int) (media []byte, payload int, ok bool) {
	w := s.src[i:min(len(s.src), i+len(scheme)+maxHeader)]
	if len(w) < len(scheme) || string(w[:len(scheme)]) != scheme {
		if len(w) == 0 || w[0] != '\\' && !hasEscape(w[:min(len(w), len(scheme))]) {
			return nil, 0, false
		}
		return s.escapedHeader(i)
	}
	comma := bytes.IndexByte(w, ',')
	if comma < 0 {
		if hasEscape(w) {
			return s.escapedHeader(i)
		}
		return nil, 0, false
	}
	if hasEscape(w[:comma]) {
		return s.escapedHeader(i)
	}
	media, ok = mediaType(w[:comma])
	return media, i + comma + 1, ok && plainMedia(media)
}

// plainMedia reports whether a media type can stand in a JSON string as it is.
func plainMedia(m []byte) bool {
	for _, c := range m {
		if c < 0x20 || c == '"' {
			return false
		}
	}
	return true
}

// escapedHeader is header for text with escapes. It unescapes into the arena's
// free room.
func (s *scanner) escapedHeader(i int) (media []byte, payload int, ok bool) {
	b := s.arena[len(s.arena):]
	for len(b) <= len(scheme)+maxHeader && i < len(s.src) && s.src[i] != '"' {
		if c := s.src[i]; c < 0x20 {
			return nil, 0, false
		} else if c != '\\' {
			b = append(b, c)
			i++
		} else {
			next := s.probe(i)
			if next < 0 {
				return nil, 0, false
			}
			r, _ := decodeEscape(s.src[i:next])
			b = utf8.AppendRune(b, r)
			i = next
		}
		if b[len(b)-1] == ',' {
			media, ok = mediaType(b[:len(b)-1])
			return media, i, ok
		}
	}
	return nil, 0, false
}

// probe returns the offset after the escape at i, -1 without a refusal if it is
// none: a string that is no attachment is read again.
func (s *scanner) probe(i int) int {
	code, offset, reason := s.code, s.offset, s.reason
	_, next := s.escape(i)
	s.code, s.offset, s.reason = code, offset, reason
	return next
}

// mediaType returns the media type in the text of a data URI before its comma.
func mediaType(head []byte) ([]byte, bool) {
	n := len(head) - len(marker)
	if n < len(scheme) || string(head[:len(scheme)]) != scheme || string(head[n:]) != marker {
		return nil, false
	}
	m := head[len(scheme):n]
	return m, len(m) <= maxMedia && utf8.Valid(m)
}

// lifted takes input[i:end] out of the prompt, as an attachment that the decoder
// has just read.
func (s *scanner) lifted(i, end int, encoding string, media span) {
	s.cut(i)
	a := attachment{size: s.b64.size, encoding: encoding, media: media}
	s.b64.h.Sum(s.b64.sum[:0])
	a.sum = s.b64.sum
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
