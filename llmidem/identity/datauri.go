package identity

import (
	"bytes"
	"unicode/utf8"
)

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
