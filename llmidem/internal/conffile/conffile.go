// Package conffile reads files of settings, in YAML or JSON, into a flat list of
// names and values that know where they stand. It gives no meaning to either.
package conffile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxBytes is the largest file that is read. Settings fill a screen; the time that
// a parser takes over foreign bytes is bounded by their number.
const MaxBytes = 256 << 10

// maxDepth is how deep groups may nest.
const maxDepth = 8

// A Place is a line and a column of the file, both from 1; the column counts
// characters. The zero Place is the file as a whole.
type Place struct{ Line, Column int }

// A Kind is what a value is.
type Kind uint8

// The kinds of values.
const (
	Null   Kind = iota // no value
	Text               // a string
	Number             // Text is as it was written
	Bool               // Text is "true" or "false", or any other word for it
	List               // Items are its elements
)

// A Value is a value and where it begins.
type Value struct {
	Kind  Kind
	Text  string  // of what is no list, without quotes
	Items []Value // of a list
	At    Place   // where it begins
}

// An Entry is a setting of the file. Names of nested groups are joined by dots.
type Entry struct {
	Name  string // as in group.name
	At    Place  // of the name
	Value Value
}

// A Problem is what is wrong with the file, and where. It holds no value.
type Problem struct {
	At   Place
	Text string
}

// node is a value of either format, groups included.
type node struct {
	value Value
	keys  []key // of a group
	group bool
}

type key struct {
	name string
	at   Place
	node *node
}

// Read reads a file as JSON if asJSON, else as YAML. Entries come in the order of
// the file, without those that there is a problem with.
func Read(data []byte, asJSON bool) ([]Entry, []Problem) {
	if p := unreadable(data); p != nil {
		return nil, []Problem{*p}
	}
	r := &reader{data: data, seen: map[string]Place{}}
	var top *node
	if asJSON {
		top = r.json()
	} else {
		top = r.yaml()
	}
	switch {
	case top == nil: // said
	case !top.group:
		r.problem(top.value.At, "the file is no list of settings; write name: value, a line each")
	default:
		r.flatten("", top)
	}
	return r.entries, r.problems
}

// reader collects what one file holds.
type reader struct {
	data     []byte
	entries  []Entry
	problems []Problem
	seen     map[string]Place
}

func (r *reader) problem(at Place, format string, args ...any) {
	r.problems = append(r.problems, Problem{at, fmt.Sprintf(format, args...)})
}

// flatten makes entries of a group's members.
func (r *reader) flatten(prefix string, group *node) {
	for _, k := range group.keys {
		name := prefix + k.name
		if at, ok := r.seen[name]; ok {
			r.problem(k.at, "%s was set before, in line %d; keep one of them", Quote(name), at.Line)
			continue
		}
		r.seen[name] = k.at
		if k.node.group {
			r.flatten(name+".", k.node)
			continue
		}
		r.entries = append(r.entries, Entry{Name: name, At: k.at, Value: k.node.value})
	}
}

// unreadable reports bytes that no parser should see.
func unreadable(data []byte) *Problem {
	if len(data) > MaxBytes {
		return &Problem{Text: fmt.Sprintf("the file has more than %d KiB; this is no file of settings", MaxBytes>>10)}
	}
	at := Place{1, 1}
	for len(data) > 0 {
		c, n := utf8.DecodeRune(data)
		switch {
		case c == utf8.RuneError && n == 1:
			return &Problem{at, "the file is not UTF-8"}
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f:
			return &Problem{at, "a control character; settings are text"}
		}
		at = at.after(c)
		data = data[n:]
	}
	return nil
}

// after is the place behind a character.
func (p Place) after(c rune) Place {
	switch c {
	case '\n':
		return Place{p.Line + 1, 1}
	case '\ufeff':
		return p
	}
	return Place{p.Line, p.Column + 1}
}

// Quote shows a name in a message: short, on one line.
func Quote(name string) string {
	const most = 64
	if utf8.RuneCountInString(name) > most {
		name = string([]rune(name)[:most]) + "…"
	}
	plain := strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
	if plain && name != "" {
		return name
	}
	return strconv.Quote(name)
}
