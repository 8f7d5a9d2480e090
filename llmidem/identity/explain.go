package identity

import (
	"crypto/sha256"
	"encoding/hex"
)

// detail is what an explanation shows and the canonical bytes do not hold.
type detail struct {
	excluded []string // pointers of members that were there and left
	userFrom string   // pointer of the body member that gave the user
	elements []Member // prompt elements, with Call.Detail
}

// An Explanation says what a document is made of. It holds no prompt text and no
// text of parameters, only their digests and sizes.
type Explanation struct {
	Operation, Model, User, Scope string            // as the Document's methods return them
	Occurrence                    uint64            // likewise
	Bare                          bool              // a bare payload: only Members and Excluded are set beside it
	UserFrom                      string            // RFC 6901 pointer of the body member that named the user; "" if none did
	Members                       []Member          // what counted of the body, in canonical order
	Headers                       map[string]string // the headers that counted
	Attachments                   []Attached        // in the document's order
	Excluded                      []string          // RFC 6901 pointers of the body members that were there and did not count
}

// A Member is a part of the body that counted.
type Member struct {
	Pointer string // RFC 6901, within the document: /params/temperature, /prompt/messages/3
	Digest  string // "sha256:" and the hexadecimal SHA-256 of its canonical JSON; for /prompt the document's own
	Size    int64  // bytes of its canonical JSON; -1 for /prompt without Call.Detail, which keeps no size
	Value   string // its JSON where that is a number, true, false or null; "" for all else, which may be prompt text
}

// An Attached is content that the document holds by digest.
type Attached struct {
	Pointer   string // RFC 6901, within the object of prompt fields or the form
	Digest    string // "sha256:" and the hexadecimal SHA-256 of the decoded bytes
	Encoding  string // "data-uri", "base64" or "multipart"
	MediaType string // as the request gave it
	Size      int64  // decoded bytes
}

// Explain says what the document is made of, without any prompt text: of prompt and
// parameters it gives digests and sizes, and the values of numbers, true, false and
// null. With [Call.Detail] its members reach down to the single message; without,
// the prompt is one member. What it returns belongs to the caller.
func (d Document) Explain() Explanation {
	e := Explanation{
		Operation: d.operation, Model: d.model, User: d.user, Scope: d.scope,
		Occurrence: d.occurrence, Bare: d.bare,
	}
	if d.more != nil {
		e.UserFrom = d.more.userFrom
		e.Excluded = append(e.Excluded, d.more.excluded...)
	}
	switch {
	case len(d.text) == 0:
	case d.bare && d.text[0] == '{':
		e.Members = children(nil, "", d.text)
	case d.bare:
		e.Members = []Member{describe("", d.text)}
	default:
		d.explain(&e)
	}
	return e
}

// explain takes attachments, headers and members from the canonical text.
func (d Document) explain(e *Explanation) {
	each(d.text, func(name, value []byte) {
		switch string(name) {
		case `"attachments"`:
			each(value, func(_, a []byte) { e.Attachments = append(e.Attachments, readAttachment(a)) })
		case `"headers"`:
			e.Headers = map[string]string{}
			each(value, func(n, v []byte) { e.Headers[textOf(n)] = textOf(v) })
		case `"params"`:
			e.Members = children(e.Members, "/params", value)
		case `"prompt"`:
			e.Members = append(e.Members, Member{Pointer: "/prompt", Digest: textOf(value), Size: -1})
			if d.more != nil && len(d.more.elements) > 0 {
				e.Members[len(e.Members)-1].Size = d.more.elements[0].Size
				e.Members = append(e.Members, d.more.elements[1:]...)
			}
		}
	})
}

func readAttachment(text []byte) (a Attached) {
	each(text, func(name, value []byte) {
		switch string(name) {
		case `"digest"`:
			a.Digest = textOf(value)
		case `"encoding"`:
			a.Encoding = textOf(value)
		case `"media_type"`:
			a.MediaType = textOf(value)
		case `"pointer"`:
			a.Pointer = textOf(value)
		case `"size"`:
			for _, c := range value {
				a.Size = a.Size*10 + int64(c-'0')
			}
		}
	})
	return a
}

// describe makes a Member of a piece of canonical JSON.
func describe(pointer string, value []byte) Member {
	sum := sha256.Sum256(value)
	m := Member{Pointer: pointer, Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: int64(len(value))}
	if c := value[0]; c != '"' && c != '{' && c != '[' {
		m.Value = string(value)
	}
	return m
}

// children appends a Member for each member of an object or element of an array.
func children(list []Member, pointer string, value []byte) []Member {
	n := 0
	each(value, func(name, v []byte) {
		list = append(list, describe(below(pointer, name, n), v))
		n++
	})
	return list
}

// elements describes the prompt, its fields, and where a field is an array its
// elements, down to the message. The first is the prompt as a whole. Strings in it
// are described by digest, as all text is.
func elements(prompt []byte) []Member {
	list := []Member{describe("/prompt", prompt)}
	each(prompt, func(name, field []byte) {
		if name == nil {
			return // a function's payload that is an array
		}
		p := below("/prompt", name, 0)
		list = append(list, describe(p, field))
		if field[0] == '[' {
			list = children(list, p, field)
		}
	})
	if prompt[0] == '[' {
		list = children(list, "/prompt", prompt)
	}
	for i := range list {
		list[i].Value = "" // a number in a prompt is prompt as well
	}
	return list
}
