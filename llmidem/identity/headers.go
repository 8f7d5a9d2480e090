package identity

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// header is one header that counts.
type header struct {
	name   string // as the request spells it
	values []string
}

// headers gathers the request's headers that count, in canonical order. Requests
// set by hand may spell a name in any case, so all names are looked at.
func (s *scratch) headers(r *Rules, h http.Header) *Refusal {
	if len(r.Headers) == 0 || len(h) == 0 {
		return nil
	}
	for name, values := range h {
		if r.counts(name) {
			s.head = append(s.head, header{name, values})
		}
	}
	if len(s.head) > 1 {
		slices.SortFunc(s.head, func(a, b header) int {
			if c := compareFold(a.name, b.name); c != 0 {
				return c
			}
			return strings.Compare(a.name, b.name) // one name in two spellings
		})
	}
	for _, h := range s.head {
		if !utf8.ValidString(h.name) || slices.ContainsFunc(h.values, func(v string) bool { return !utf8.ValidString(v) }) {
			return refuse(CodeInvalidUTF8, "a header that counts is not UTF-8")
		}
	}
	return nil
}

// counts reports whether a header is a part of the document.
func (r *Rules) counts(name string) bool {
	pattern := false
	for _, h := range r.Headers {
		if len(h) == len(name) && strings.EqualFold(h, name) {
			return true
		}
		pattern = pattern || covers(h, name)
	}
	if !pattern || slices.ContainsFunc(neverCounted[:], func(n string) bool { return strings.EqualFold(n, name) }) {
		return false
	}
	return !slices.ContainsFunc(r.Delivery, func(d string) bool { return strings.EqualFold(d, name) || covers(d, name) })
}

// covers reports whether the pattern ends in * and name begins as it does.
func covers(pattern, name string) bool {
	n := len(pattern) - 1
	return n >= 0 && pattern[n] == '*' && len(name) >= n && strings.EqualFold(pattern[:n], name[:n])
}

// compareFold compares header names without regard to the case of ASCII letters.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(rank(x)) - int(rank(y))
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// appendHeaders appends the document's member headers.
func (s *scratch) appendHeaders(b []byte) []byte {
	b = append(b, '{')
	for i := 0; i < len(s.head); {
		same := i + 1
		for same < len(s.head) && compareFold(s.head[i].name, s.head[same].name) == 0 {
			same++
		}
		s.line = s.line[:0]
		for _, h := range s.head[i:same] {
			s.line = appendList(s.line, h.values)
		}
		if len(s.line) > 0 {
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			at := len(b)
			b = appendString(b, s.head[i].name)
			for j := at; j < len(b); j++ {
				b[j] = lower(b[j])
			}
			b = append(b, ':')
			b = appendString(b, s.line)
		}
		i = same
	}
	return append(b, '}')
}

// appendList appends the elements of all lines of a header to those in b.
func appendList(b []byte, lines []string) []byte {
	for _, l := range lines {
		for l != "" {
			var e string
			e, l, _ = strings.Cut(l, ",")
			if e = strings.Trim(e, " \t"); e != "" {
				if len(b) > 0 {
					b = append(b, ',')
				}
				b = append(b, e...)
			}
		}
	}
	return b
}
