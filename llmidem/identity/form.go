package identity

import (
	"crypto/sha256"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// formPart is one part of a multipart form. Body shares the request's memory.
type formPart struct {
	name  string
	file  bool
	ext   string // of a file's name, in lower case
	media string
	body  []byte
	at    int // of body in the request's
}

// formBoundary returns the boundary if the headers say that the body is a form.
func formBoundary(h http.Header) (boundary string, form bool, ref *Refusal) {
	v := contentType(h)
	const kind = "multipart/form-data"
	if len(v) < len(kind) || !strings.EqualFold(v[:len(kind)], kind) {
		return "", false, nil
	}
	t, params, err := mime.ParseMediaType(v)
	if err == nil && t != kind {
		return "", false, nil
	}
	if err != nil || params["boundary"] == "" {
		return "", false, refuse(CodeInvalidJSON, "the Content-Type of the form names no boundary")
	}
	return params["boundary"], true, nil
}

func contentType(h http.Header) string {
	if len(h) == 0 {
		return ""
	}
	if v := h["Content-Type"]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	for name, v := range h {
		if len(v) > 0 && strings.EqualFold(name, "content-type") {
			return strings.TrimSpace(v[0])
		}
	}
	return ""
}

// readForm turns a form into the JSON object that stands for it (SPEC.md, section
// 3), which is then read as any other, and its files into attachments.
func (s *scratch) readForm(body []byte, boundary string) *Refusal {
	parts, ref := splitForm(body, boundary)
	if ref != nil {
		return ref
	}
	slices.SortStableFunc(parts, func(a, b formPart) int { return compareText(a.name, b.name) })
	b := append(s.form[:0], '{')
	for len(parts) > 0 {
		n := 1
		for n < len(parts) && parts[n].name == parts[0].name {
			n++
		}
		var ok bool
		if b, ok = s.addFiles(b, parts[:n]); !ok {
			return s.refusal()
		}
		b = s.addTexts(b, parts[:n])
		parts = parts[n:]
	}
	if len(b) > 1 {
		b = b[:len(b)-1] // the last comma
	}
	s.form = append(b, '}')
	s.src = s.form
	s.inForm = true
	return nil
}

// addTexts appends the text parts of one name as one member, an array if there are
// several.
func (s *scratch) addTexts(b []byte, parts []formPart) []byte {
	n := 0
	for i := range parts {
		if !parts[i].file {
			n++
		}
	}
	if n == 0 {
		return b
	}
	b = append(appendString(b, parts[0].name), ':')
	if n > 1 {
		b = append(b, '[')
	}
	for i := range parts {
		if !parts[i].file {
			s.texts = append(s.texts, textAt{len(b) + 1, parts[i].at})
			b = append(appendString(b, parts[i].body), ',')
		}
	}
	if n > 1 {
		b[len(b)-1] = ']'
		b = append(b, ',')
	}
	return b
}

// addFiles makes attachments of the files of one name, and appends a member for
// each that holds the extension of its name. It is not ok where the placeholder of
// an attachment is refused.
func (s *scratch) addFiles(b []byte, parts []formPart) (_ []byte, ok bool) {
	i := 0
	for j := range parts {
		p := &parts[j]
		if !p.file {
			continue
		}
		a, ok := s.fileOf(p)
		if !ok {
			return nil, false
		}
		from := len(s.arena)
		s.arena = appendText(s.arena, p.media)
		a.media = span{from, len(s.arena)}
		from = len(s.arena)
		s.arena = appendPointer(append(s.arena, '/'), p.name, true)
		s.arena = strconv.AppendInt(append(s.arena, '/'), int64(i), 10)
		a.pointer = span{from, len(s.arena)}
		s.order = append(s.order, len(s.atts))
		s.atts = append(s.atts, a)
		b = appendText(append(b, '"'), p.name)
		b = strconv.AppendInt(append(b, '@'), int64(i), 10)
		b = append(append(append(b, `":"`...), p.ext...), `",`...)
		i++
	}
	return b, true
}

// fileOf is the attachment of a file: its own content, or that of the handle whose
// placeholder it is.
func (s *scratch) fileOf(p *formPart) (attachment, bool) {
	if h, ok := readHolder(p.body); ok && h.kind == kindRaw {
		a, c := s.handle(p.at, h)
		if a == nil {
			return attachment{}, false
		}
		s.splices = append(s.splices, splice{from: int64(p.at), to: int64(p.at + len(p.body)), kind: kindRaw, origin: a.from, is: c})
		return attachment{sum: c.sum, size: c.size, encoding: encodingForm}, true
	}
	return attachment{sum: sha256.Sum256(p.body), size: int64(len(p.body)), encoding: encodingForm}, true
}

// extension returns the lower-case extension of a file name: a point, and letters
// and digits of ASCII to its end. A name is taken as a line, so that one line feed
// may end it.
func extension(name string) string {
	name = strings.TrimSuffix(name, "\n")
	i := len(name)
	for i > 0 && isAlnum(name[i-1]) {
		i--
	}
	if i == 0 || i == len(name) || name[i-1] != '.' {
		return ""
	}
	return strings.ToLower(name[i:])
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// place is the offset in the body of what lies at src[i]; a form has none.
func (s *scratch) place(i int) int64 {
	if s.inForm {
		return -1
	}
	return int64(i)
}

// valid checks the encoding of what goes into the document.
func (p *formPart) valid() bool {
	return utf8.ValidString(p.name) && utf8.ValidString(p.media) && (p.file || utf8.Valid(p.body))
}
