package identity

import (
	"hash"
	"strings"
)

// sink takes canonical text in pieces: into a hash if there is one, else into buf.
// What fits into buf whole is left there, for the caller to hash in one go.
type sink struct {
	h      hash.Hash
	buf    []byte
	hashed bool // h was begun, and has all but what is in buf
}

// Pieces below direct are gathered in buf, so that the hash sees whole blocks and
// few calls; larger ones go to it from where they lie.
const (
	direct = 1 << 10
	gather = 8 << 10
)

func (k *sink) write(p []byte) {
	if k.h == nil {
		k.buf = append(k.buf, p...)
		return
	}
	if len(p) < direct && len(k.buf)+len(p) <= gather {
		k.buf = append(k.buf, p...)
		return
	}
	k.flush()
	if len(p) < direct {
		k.buf = append(k.buf, p...)
		return
	}
	k.h.Write(p)
}

// flush moves what is in buf into the hash.
func (k *sink) flush() {
	if !k.hashed {
		k.h.Reset()
		k.hashed = true
	}
	if len(k.buf) > 0 {
		k.h.Write(k.buf)
		k.buf = k.buf[:0]
	}
}

func (k *sink) char(c byte) {
	k.buf = append(k.buf, c)
}

// emit writes the segments from a on and before b, and notes the attachments in the
// order in which it comes across them, which is the document's.
func (s *scanner) emit(k *sink, a, b int) {
	for a < b {
		g := &s.segs[a]
		a++
		switch g.kind {
		case segRaw:
			k.write(s.src[g.a:g.b])
		case segLit:
			k.write(s.arena[g.a:g.b])
		case segAttach:
			k.write(empty)
			s.order = append(s.order, g.a)
		case segObject:
			s.emitObject(k, s.ord[g.a:g.a+g.b])
			a = int(g.next)
		}
	}
}

// empty is what stands in the text for an attachment.
var empty = []byte(`""`)

func (s *scanner) emitObject(k *sink, all []member) {
	next := byte('{')
	for i := range all {
		if m := &all[i]; !m.gone {
			k.char(next)
			s.emit(k, int(m.first), int(m.end))
			next = ','
		}
	}
	if next == '{' {
		k.char('{')
	}
	k.char('}')
}

// take removes the member at a dotted path from an object on record, and the
// objects that this empties. It reports whether the member was there.
func (s *scanner) take(object int, path string) bool {
	head, rest, nested := cutPath(path)
	m := s.find(object, head)
	if m == nil {
		return false
	}
	if !nested {
		m.gone = true
		return true
	}
	if m.obj < 0 || !s.take(int(m.obj), rest) {
		return false
	}
	m.gone = s.isEmpty(int(m.obj))
	return true
}

func (s *scanner) isEmpty(object int) bool {
	for _, m := range s.members(object) {
		if !m.gone {
			return false
		}
	}
	return true
}

// lookup returns the member at a dotted path that counts, or nil.
func (s *scanner) lookup(object int, path string) *member {
	for {
		head, rest, nested := cutPath(path)
		m := s.find(object, head)
		if m == nil || !nested {
			return m
		}
		if m.obj < 0 {
			return nil
		}
		object, path = int(m.obj), rest
	}
}

func cutPath(path string) (head, rest string, nested bool) {
	if i := strings.IndexByte(path, '.'); i >= 0 {
		return path[:i], path[i+1:], true
	}
	return path, "", false
}

// stringAt appends the text of the string at src[i], which was read before, to b.
func (s *scanner) stringAt(b []byte, i int) ([]byte, bool) {
	if s.src[i] != '"' {
		return b, false
	}
	end := plain(s.src, i+1)
	if s.src[end] == '"' { // as nearly always
		return append(b, s.src[i+1:end]...), true
	}
	for s.src[end] != '"' {
		if s.src[end] == '\\' {
			end++
		}
		end++
	}
	return appendUnescaped(b, s.src[i+1:end]), true
}
