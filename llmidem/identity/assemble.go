package identity

import (
	"crypto/sha256"
	"strconv"
)

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
		if m.gone || !m.prompt {
			continue
		}
		k.char(next)
		s.emit(&k, int(m.first), int(m.end))
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

// assemble writes the document. Without a body (-1) there are no parameters.
func (s *scratch) assemble(c *Call, body int) {
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
	b = appendString(b, s.operation)
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
		s.emit(&k, int(m.first), int(m.end))
		s.spans = append(s.spans, span{at, len(k.buf)})
	}
	return k.buf
}
