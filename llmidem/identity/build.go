package identity

import (
	"crypto/sha256"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// build makes the canonical document of a call in s.doc.
func (s *scratch) build(r *Rules, req Request, c *Call, detail *[]Member) *Refusal {
	path, _, _ := strings.Cut(req.Path, "?")
	i := r.match(path)
	if i < 0 {
		return refuse(CodeNoSuchRoute, "no route of the rules ends this path")
	}
	rt := &r.Routes[i]
	exclude := r.exclusions(c.Exclude)
	if ref := s.setHeads(exclude, r.UserFields, rt.Prompt); ref != nil {
		return ref
	}
	if ref := checkCall(c); ref != nil {
		return ref
	}
	if ref := s.headers(r, req.Header); ref != nil {
		return ref
	}
	s.prompt, s.places, s.top = rt.Prompt, r.Base64, true
	if ref := s.read(req.Header, req.Body); ref != nil {
		return ref
	}
	const body = 0 // the top-level object is the first segment
	for _, e := range exclude {
		if s.seen&sieve(e) != 0 {
			s.exclude(body, e)
		}
	}
	if ref := s.setModel(r, rt, path, body); ref != nil {
		return ref
	}
	s.setUser(r, c, body)
	s.hashPrompt(body, detail)
	s.assemble(rt.Operation, c, body)
	return nil
}

// checkCall checks what the caller says of the call.
func checkCall(c *Call) *Refusal {
	if !utf8.ValidString(c.User) || !utf8.ValidString(c.Scope) {
		return refuse(CodeInvalidUTF8, "user or scope is not UTF-8")
	}
	if c.Occurrence > math.MaxInt64 {
		return refuse(CodeBadOccurrence, "the occurrence is above 2^63-1")
	}
	return nil
}

// setHeads checks the exclusions and notes the first names of all dotted paths:
// these members are read so that something can be taken out of them.
func (s *scratch) setHeads(exclude, users, prompt []string) *Refusal {
	for _, e := range exclude {
		dot := strings.IndexByte(e, '.')
		if ref := checkExclusion(e, dot, prompt); ref != nil {
			return ref
		}
		if dot >= 0 {
			s.heads = append(s.heads, e[:dot])
		}
	}
	for _, u := range users {
		if head, _, nested := cutPath(u); nested {
			s.heads = append(s.heads, head)
		}
	}
	return nil
}

// read scans the body, JSON or a form.
func (s *scratch) read(h http.Header, body []byte) *Refusal {
	s.src = body
	if boundary, ok, ref := formBoundary(h); ref != nil {
		return ref
	} else if ok {
		if ref := s.readForm(body, boundary); ref != nil {
			return ref
		}
	}
	if !s.scan() {
		return s.refusal()
	}
	if len(s.segs) == 0 || s.segs[0].kind != segObject {
		return &Refusal{Code: CodeNotAnObject, Offset: 0, Reason: "the body is not a JSON object"}
	}
	return nil
}

// exclude takes one excluded member out.
func (s *scratch) exclude(object int, path string) {
	if s.take(object, path) && s.want {
		s.left = append(s.left, path)
	}
}

// setUser takes the user of the body, unless the call names one.
func (s *scratch) setUser(r *Rules, c *Call, body int) {
	s.user = append(s.user[:0], c.User...)
	if c.User != "" {
		return
	}
	for _, f := range r.UserFields {
		if s.seen&sieve(f) == 0 {
			continue
		}
		m := s.lookup(body, f)
		if m == nil {
			continue
		}
		if s.user, _ = s.stringAt(s.user, m.val); len(s.user) > 0 {
			s.take(body, f)
			s.from = f
			return
		}
	}
}

// hashPrompt leaves the digest of the prompt fields in s.sum, and takes them out.
func (s *scratch) hashPrompt(body int, detail *[]Member) {
	k := sink{h: s.h, buf: s.gath[:0]}
	if detail != nil {
		k.h = nil
	}
	next := byte('{')
	all := s.members(body)
	for i := range all {
		m := &all[i]
		if m.gone || !contains(s.prompt, s.name(m)) {
			continue
		}
		k.char(next)
		s.emit(&k, m.first, m.end)
		next = ','
		m.gone = true
	}
	if next == '{' {
		k.char('{')
	}
	k.char('}')
	s.finish(&k, detail)
}

// finish closes the hash of the prompt. With detail the text was gathered whole.
func (s *scratch) finish(k *sink, detail *[]Member) {
	if detail != nil {
		*detail = elements(k.buf)
	}
	if k.hashed {
		k.flush()
		s.h.Sum(s.sum[:0])
	} else {
		s.sum = sha256.Sum256(k.buf)
	}
	s.gath = k.buf
	trim(&s.gath, keepBytes)
}

func contains(list []string, name []byte) bool {
	for _, l := range list {
		if string(name) == l {
			return true
		}
	}
	return false
}

// assemble writes the document. Without a body (-1) there are no parameters.
func (s *scratch) assemble(operation string, c *Call, body int) {
	b := append(s.doc[:0], `{"attachments":[`...)
	for i, a := range s.order {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.appendAttachment(b, &s.atts[a])
	}
	b = append(b, `],"headers":`...)
	b = s.appendHeaders(b)
	b = append(b, `,"model":`...)
	b = appendString(b, s.model)
	b = append(b, `,"occurrence":`...)
	b = strconv.AppendUint(b, c.Occurrence, 10)
	b = append(b, `,"operation":`...)
	b = appendString(b, operation)
	b = append(b, `,"params":{`...)
	if body >= 0 {
		b = s.appendParams(b, body)
	}
	b = append(b, `},"prompt":"sha256:`...)
	b = appendHex(b, &s.sum)
	b = append(b, `","scope":`...)
	b = appendString(b, c.Scope)
	b = append(b, `,"user":`...)
	b = appendString(b, s.user)
	s.doc = append(b, `,"v":1}`...)
}

// appendParams appends the members of the body that are left.
func (s *scratch) appendParams(b []byte, body int) []byte {
	s.spans = s.spans[:0]
	all := s.members(body)
	k := sink{buf: b}
	for i := range all {
		m := &all[i]
		if m.gone {
			continue
		}
		if len(s.spans) > 0 {
			k.char(',')
		}
		at := len(k.buf)
		s.emit(&k, m.first, m.end)
		s.spans = append(s.spans, span{at, len(k.buf)})
	}
	return k.buf
}
