package identity

import (
	"crypto/sha256"
	"hash"
	"sync"
)

// scratch is all the memory that one call needs; it is pooled, and nothing of it
// is given out.
type scratch struct {
	scanner
	h         hash.Hash
	gath      []byte // what sink gathers for h
	sum       [sha256.Size]byte
	doc       []byte // the canonical document
	spans     []span // the parameters in doc
	operation string
	model     []byte
	user      []byte
	form      []byte // a form as JSON
	inForm    bool   // src is form, and its offsets are none of the body
	head      []header
	line      []byte // values of headers

	left []string // pointers of excluded members, where wanted
	from string   // the member that named the user
	want bool     // an explanation may be asked for
}

// keepCap is the size, in elements, up to which a slice stays in the pool: a call
// of 100 MB must not hold on to its memory for good.
const (
	keepBytes = 1 << 20
	keepCap   = 1 << 14
)

var pool = sync.Pool{New: func() any { return &scratch{h: sha256.New()} }}

func getScratch() *scratch { return pool.Get().(*scratch) }

// put returns the scratch to the pool without anything of the call in its reach.
func (s *scratch) put() {
	s.src, s.prompt, s.places = nil, nil, nil
	trim(&s.segs, keepCap)
	trim(&s.mem, keepCap)
	trim(&s.ord, keepCap)
	trim(&s.keys, keepCap)
	trim(&s.atts, keepCap)
	trim(&s.order, keepCap)
	trim(&s.spans, keepCap)
	trim(&s.arena, keepBytes)
	trim(&s.doc, keepBytes)
	trim(&s.form, keepBytes)
	trim(&s.model, keepBytes)
	trim(&s.user, keepBytes)
	trim(&s.line, keepBytes)
	clear(s.heads)
	s.heads = s.heads[:0]
	clear(s.head)
	s.head = s.head[:0]
	s.seen, s.placed = 0, 0
	s.raw, s.floor, s.dirty, s.depth, s.last = 0, 0, 0, 0, 0
	s.top, s.lift, s.keep, s.want, s.inForm = false, false, false, false, false
	s.code, s.offset, s.reason, s.cause = "", 0, "", nil
	s.handles, s.ctx = nil, nil
	clear(s.splices)
	trim(&s.splices, keepCap)
	trim(&s.texts, keepCap)
	s.left, s.from, s.operation = nil, "", ""
	pool.Put(s)
}

// trim empties a slice and lets go of one that has grown beyond limit.
func trim[T any](s *[]T, limit int) {
	if cap(*s) > limit {
		*s = nil
		return
	}
	*s = (*s)[:0]
}

// refusal returns what the scanner refused, with its place.
func (s *scratch) refusal() *Refusal {
	return &Refusal{Code: s.code, Offset: s.place(s.offset), Reason: s.reason, Err: s.cause,
		Pointer: shorten(string(s.appendPath(nil, false)))}
}

const maxPointer = 256

// shorten cuts a pointer that would fill a log line, between two characters.
func shorten(p string) string {
	if len(p) <= maxPointer {
		return p
	}
	n := maxPointer
	for n > 0 && p[n]&0xc0 == 0x80 {
		n--
	}
	return p[:n] + "…"
}
