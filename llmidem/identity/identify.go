package identity

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Identify returns the identity document of a call. The error is a [*Refusal].
func (r *Rules) Identify(req Request, call Call) (Document, error) {
	s := getScratch()
	defer s.put()
	s.want = true
	var elements *[]Member
	if call.Detail {
		elements = new([]Member)
	}
	if ref := s.build(r, req, &call, elements); ref != nil {
		return Document{}, ref
	}
	d := s.document(&call)
	d.model = string(s.model)
	d.params = slices.Clone(s.spans)
	d.splices = newSplices(s.splices)
	d.more = s.detail(elements)
	return d, nil
}

// Key returns the key of a call without building its document for the caller. It
// gives what s.Key gives for [Rules.Identify], and allocates nothing once its
// scratch memory has grown to the size of the calls. The error is a [*Refusal] or
// [Scheme.Err]'s.
func (r *Rules) Key(req Request, call Call, s Scheme) (Key, error) {
	x := getScratch()
	if ref := x.build(r, req, &call, nil); ref != nil {
		x.put()
		return Key{}, ref
	}
	k, err := s.of(x.doc)
	x.put()
	return k, err
}

// Function returns the document of a call of a named function that is no inference
// request. The payload may be any JSON value, and all of it counts. The error is a
// [*Refusal].
func Function(name string, json []byte, c Call) (Document, error) {
	if name == "" {
		return Document{}, refuse(CodeNoSuchRoute, "a function has a name")
	}
	if !utf8.ValidString(name) {
		return Document{}, refuse(CodeInvalidUTF8, "the function's name is not UTF-8")
	}
	if ref := checkCall(&c); ref != nil {
		return Document{}, ref
	}
	s := getScratch()
	defer s.put()
	s.src = json
	if !s.scan() {
		return Document{}, s.refusal()
	}
	var elements *[]Member
	if c.Detail {
		elements = new([]Member)
	}
	s.hashAll(elements)
	s.model, s.user = s.model[:0], append(s.user[:0], c.User...)
	s.operation = "do:" + name
	s.assemble(&c, -1)
	d := s.document(&c)
	d.more = s.detail(elements)
	return d, nil
}

// Payload returns the bare document of a payload: its canonical JSON less the
// excluded members, for keys agreed with services that know nothing of identity
// documents. Without a list the default members leave; an empty list that is not
// nil (Payload(b, []string{}...)) excludes nothing. The error is a [*Refusal].
func Payload(json []byte, exclude ...string) (Document, error) {
	if exclude == nil {
		exclude = defaultExclude[:]
	}
	if slices.ContainsFunc(exclude, hasEmptyName) {
		return Document{}, refuse(CodeBadExclusion, "an exclusion has an empty name")
	}
	s := getScratch()
	defer s.put()
	s.src, s.top, s.want = json, true, true
	for _, e := range exclude {
		if head, _, nested := cutPath(e); nested {
			s.heads = append(s.heads, head)
		}
	}
	if !s.scan() {
		return Document{}, s.refusal()
	}
	if len(s.segs) > 0 && s.segs[0].kind == segObject {
		for _, e := range exclude {
			s.exclude(0, e)
		}
	}
	k := sink{buf: s.doc[:0]}
	s.emit(&k, 0, len(s.segs))
	s.doc = k.buf
	return Document{text: bytes.Clone(s.doc), bare: true, more: s.detail(nil)}, nil
}

// hashAll makes the digest of the whole text the prompt's.
func (s *scratch) hashAll(detail *[]Member) {
	k := sink{h: s.h, buf: s.gath[:0]}
	if detail != nil {
		k.h = nil
	}
	s.emit(&k, 0, len(s.segs))
	s.finish(&k, detail)
}

// document copies what was built out of the scratch.
func (s *scratch) document(c *Call) Document {
	return Document{
		text:       bytes.Clone(s.doc),
		operation:  s.operation,
		user:       string(s.user),
		scope:      c.Scope,
		occurrence: c.Occurrence,
	}
}

// detail returns what an explanation needs beside the document, nil for nothing.
func (s *scratch) detail(elements *[]Member) *detail {
	if len(s.left) == 0 && s.from == "" && elements == nil {
		return nil
	}
	d := &detail{userFrom: pointerOf(s.from)}
	for _, p := range s.left {
		d.excluded = append(d.excluded, pointerOf(p))
	}
	if elements != nil {
		d.elements = *elements
	}
	return d
}
