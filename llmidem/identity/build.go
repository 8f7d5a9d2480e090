package identity

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// build makes the canonical document of a call in s.doc.
func (s *scratch) build(r *Rules, req Request, c *Call, detail *[]Member) *Refusal {
	path := req.Path
	if q := strings.IndexByte(path, '?'); q >= 0 {
		path = path[:q]
	}
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
	s.prompt, s.top = rt.Prompt, true
	s.setPlaces(r.Base64)
	s.handles, s.ctx = req.Attachments, req.Context
	if s.ctx == nil {
		s.ctx = context.Background()
	}
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
	s.operation = rt.Operation
	s.assemble(c, body)
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
	for i, e := range exclude {
		if i < len(defaultExclude) && e == defaultExclude[i] && !slices.Contains(prompt, e) {
			continue // as nearly always
		}
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

// setPlaces sets where strings are base64.
func (s *scratch) setPlaces(places []Place) {
	s.places = places
	for i := range places {
		s.placed |= sieve(places[i].Member)
	}
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
