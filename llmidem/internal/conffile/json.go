package conffile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// json parses JSON. YAML would read nearly all of it, but not tabs before a name,
// not every escape, and it would let pass what is no JSON.
func (r *reader) json() *node {
	r.data = bytes.TrimPrefix(r.data, []byte("\ufeff"))
	if len(bytes.TrimSpace(r.data)) == 0 {
		r.problem(Place{1, 1}, "the file is empty; JSON without settings is {}")
		return nil
	}
	j := &jsonReader{reader: r, at: Place{1, 1}, dec: json.NewDecoder(bytes.NewReader(r.data))}
	j.dec.UseNumber()
	top := j.value(0)
	if top == nil || j.failed {
		return nil
	}
	behind := j.next()
	if _, err := j.dec.Token(); !errors.Is(err, io.EOF) {
		r.problem(behind, "something follows the JSON value; settings are one object")
	}
	return top
}

// jsonReader walks the tokens of a file.
type jsonReader struct {
	*reader
	dec    *json.Decoder
	failed bool
	at     Place // of the byte pos
	pos    int
}

// next is the place of the token that comes next.
func (j *jsonReader) next() Place {
	to := int(j.dec.InputOffset())
	for to < len(j.data) && strings.IndexByte(" \t\r\n,:", j.data[to]) >= 0 {
		to++
	}
	return j.place(to)
}

// place is the place of a byte, which is none before the last one asked for.
func (j *jsonReader) place(to int) Place {
	for j.pos < min(to, len(j.data)) {
		c, n := utf8.DecodeRune(j.data[j.pos:])
		j.at = j.at.after(c)
		j.pos += n
	}
	return j.at
}

// token reads one token and says where it begins. What is no JSON ends the reading.
func (j *jsonReader) token() (json.Token, Place, bool) {
	at := j.next()
	t, err := j.dec.Token()
	if err == nil {
		return t, at, true
	}
	j.failed = true
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		j.problem(j.place(len(j.data)), "this is no JSON: it ends too early")
	} else {
		j.problem(at, "this is no JSON")
	}
	return nil, at, false
}

// value reads one value; nil for one with a problem.
func (j *jsonReader) value(depth int) *node {
	t, at, ok := j.token()
	if !ok {
		return nil
	}
	switch t := t.(type) {
	case json.Delim:
		if depth > maxDepth {
			j.problem(at, "this is nested too deeply")
			j.failed = true
			return nil
		}
		if t == '{' {
			return j.object(at, depth)
		}
		return j.list(at, depth)
	case string:
		return &node{value: Value{Kind: Text, Text: t, At: at}}
	case json.Number:
		return &node{value: Value{Kind: Number, Text: t.String(), At: at}}
	case bool:
		text := "false"
		if t {
			text = "true"
		}
		return &node{value: Value{Kind: Bool, Text: text, At: at}}
	}
	return &node{value: Value{Kind: Null, At: at}}
}

// object reads the members of an object and its end.
func (j *jsonReader) object(at Place, depth int) *node {
	out := &node{group: true, value: Value{At: at}}
	for j.dec.More() && !j.failed {
		t, at, ok := j.token()
		name, text := t.(string)
		if !ok || !text {
			return nil
		}
		if v := j.value(depth + 1); v != nil {
			out.keys = append(out.keys, key{name, at, v})
		}
	}
	return j.end(out)
}

// list reads the elements of an array and its end.
func (j *jsonReader) list(at Place, depth int) *node {
	out := &node{value: Value{Kind: List, At: at, Items: []Value{}}}
	for j.dec.More() && !j.failed {
		if v := j.value(depth + 1); v != nil {
			j.addItem(out, v)
		}
	}
	return j.end(out)
}

// end reads the closing bracket.
func (j *jsonReader) end(n *node) *node {
	if j.failed {
		return nil
	}
	if _, _, ok := j.token(); !ok {
		return nil
	}
	return n
}
