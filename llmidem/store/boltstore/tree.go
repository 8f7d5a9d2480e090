package boltstore

import (
	"bytes"
	"encoding/binary"
)

var native = binary.NativeEndian

// element is an entry of a leaf page.
type element struct {
	flags      uint32
	key, value []byte
}

// span is where the keys of a page must be: from least to before end, nil: all.
type span struct{ least, end []byte }

// tree visits what is under a page in the order of the keys, and requires that
// there is one.
func (v *verifier) tree(number uint64, keys span, depth int, visit func(element)) {
	if depth > mostDepth {
		find("the tree is deeper than any")
	}
	p := v.page(number)
	switch native.Uint16(p[8:]) {
	case leafPage:
		leaf(p, keys, visit)
	case branchPage:
		v.branch(p, keys, depth, visit)
	default:
		find("page %d has the unknown type %#x", number, native.Uint16(p[8:]))
	}
}

func (v *verifier) branch(p []byte, keys span, depth int, visit func(element)) {
	n := elements(p)
	if n == 0 {
		find("page %d leads nowhere", native.Uint64(p))
	}
	at := func(i int) (key []byte, child uint64) {
		e := p[pageHeader+i*elementSize:]
		return within(e, uint64(native.Uint32(e)), uint64(native.Uint32(e[4:]))), native.Uint64(e[8:])
	}
	last := keys.least
	for i := range n {
		key, child := at(i)
		keys.ordered(key, last, i == 0)
		sub := span{key, keys.end}
		if i+1 < n {
			sub.end, _ = at(i + 1)
		}
		v.tree(child, sub, depth+1, visit)
		last = key
	}
}

func leaf(p []byte, keys span, visit func(element)) {
	last := keys.least
	for i := range elements(p) {
		e := p[pageHeader+i*elementSize:]
		at, ksize, vsize := uint64(native.Uint32(e[4:])), uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
		key := within(e, at, ksize)
		keys.ordered(key, last, i == 0)
		visit(element{native.Uint32(e), key, within(e, at+ksize, vsize)})
		last = key
	}
}

// elements is how many a page has, having room for them.
func elements(p []byte) int {
	n := int(native.Uint16(p[10:]))
	if pageHeader+n*elementSize > len(p) {
		find("page %d has %d entries and no room for them", native.Uint64(p), n)
	}
	return n
}

// within is what an element has at a distance from itself.
func within(e []byte, at, n uint64) []byte {
	if at+n > uint64(len(e)) {
		find("an entry leads out of its page")
	}
	return e[at : at+n]
}

// ordered requires that a key comes after the last one, or is the least.
func (s span) ordered(key, last []byte, first bool) {
	order := bytes.Compare(key, last)
	if len(key) == 0 || order < 0 || order == 0 && !first || s.end != nil && bytes.Compare(key, s.end) >= 0 {
		find("the key %x is out of order", key)
	}
}
