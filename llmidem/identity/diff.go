package identity

import (
	"bytes"
	"fmt"
	"strings"
)

// A Difference is a place where two documents differ.
type Difference struct {
	Pointer string // RFC 6901, within the document
	A       string // what the first has there: the JSON of a number, true, false or null, else digest and size; "" for nothing
	B       string // likewise of the second
}

// Diff names the places in which two documents differ, in canonical order; there
// are none exactly when their canonical bytes are equal. It goes down to the
// parameter's innermost member. Where both documents were made with [Call.Detail]
// it goes down to the single message of the prompt too, otherwise it names /prompt
// as a whole. No text of prompt or parameters is in it.
func Diff(a, b Document) []Difference {
	var list []Difference
	switch {
	case bytes.Equal(a.text, b.text):
	case a.bare != b.bare || len(a.text) == 0 || len(b.text) == 0:
		list = append(list, Difference{"", sight(a.text), sight(b.text)})
	case a.bare:
		list = diffJSON(list, "", a.text, b.text)
	default:
		list = diffDocuments(a, b)
	}
	return list
}

// diffDocuments compares member by member, and the prompt by its elements.
func diffDocuments(a, b Document) (list []Difference) {
	other := map[string][]byte{}
	each(b.text, func(name, value []byte) { other[string(name)] = value })
	each(a.text, func(name, value []byte) {
		p := below("", name, 0)
		if p == "/prompt" && !bytes.Equal(value, other[string(name)]) {
			list = append(list, diffPrompts(a, b, textOf(value), textOf(other[string(name)]))...)
			return
		}
		list = diffJSON(list, p, value, other[string(name)])
	})
	return list
}

// diffPrompts compares two prompts by the digests of their elements. Fields are
// left out where their elements say more.
func diffPrompts(a, b Document, x, y string) []Difference {
	whole := []Difference{{"/prompt", x, y}}
	if a.more == nil || b.more == nil || len(a.more.elements) == 0 || len(b.more.elements) == 0 {
		return whole
	}
	if list := innermost(diffMembers(a.more.elements[1:], b.more.elements[1:])); len(list) > 0 {
		return list
	}
	return whole
}

// diffMembers merges two lists of elements by their pointers.
func diffMembers(a, b []Member) (list []Difference) {
	at := make(map[string]int, len(b))
	for i := range b {
		at[b[i].Pointer] = i
	}
	next := 0 // of b
	for i := range a {
		j, both := at[a[i].Pointer]
		if !both {
			list = append(list, Difference{Pointer: a[i].Pointer, A: a[i].sight()})
			continue
		}
		for ; next < j; next++ {
			list = append(list, Difference{Pointer: b[next].Pointer, B: b[next].sight()})
		}
		if a[i].Digest != b[j].Digest {
			list = append(list, Difference{a[i].Pointer, a[i].sight(), b[j].sight()})
		}
		next = j + 1
	}
	for ; next < len(b); next++ {
		list = append(list, Difference{Pointer: b[next].Pointer, B: b[next].sight()})
	}
	return list
}

// innermost leaves out what another difference lies within.
func innermost(list []Difference) []Difference {
	var kept []Difference
	for i, d := range list {
		if i+1 < len(list) && strings.HasPrefix(list[i+1].Pointer, d.Pointer+"/") {
			continue
		}
		kept = append(kept, d)
	}
	return kept
}

// diffJSON compares two canonical values; nil stands for none.
func diffJSON(list []Difference, pointer string, a, b []byte) []Difference {
	if bytes.Equal(a, b) {
		return list
	}
	if len(a) == 0 || len(b) == 0 || a[0] != b[0] || a[0] != '{' && a[0] != '[' {
		return append(list, Difference{pointer, sight(a), sight(b)})
	}
	var names, left [][]byte
	n := 0
	each(a, func(name, value []byte) { names, left = append(names, name), append(left, value) })
	each(b, func(name, value []byte) {
		if name == nil {
			if n < len(left) {
				list = diffJSON(list, below(pointer, nil, n), left[n], value)
			} else {
				list = diffJSON(list, below(pointer, nil, n), nil, value)
			}
			n++
			return
		}
		for n < len(names) && before(names[n], name) {
			list = diffJSON(list, below(pointer, names[n], 0), left[n], nil)
			n++
		}
		if n < len(names) && bytes.Equal(names[n], name) {
			list = diffJSON(list, below(pointer, name, 0), left[n], value)
			n++
			return
		}
		list = diffJSON(list, below(pointer, name, 0), nil, value)
	})
	for ; n < len(left); n++ {
		list = diffJSON(list, below(pointer, names[n], n), left[n], nil)
	}
	return list
}

// before orders two names that are given as JSON strings.
func before(a, b []byte) bool { return compareText(textOf(a), textOf(b)) < 0 }

// sight shows a value without its text.
func sight(value []byte) string {
	if len(value) == 0 {
		return ""
	}
	m := describe("", value)
	return m.sight()
}

func (m *Member) sight() string {
	if m.Value != "" {
		return m.Value
	}
	return fmt.Sprintf("%s (%d bytes)", m.Digest, m.Size)
}
