package main

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// kind is what became of one request.
type kind uint8

const (
	notAsked kind = iota // nothing was sent
	failed               // no answer that says anything about the key
	answered             // 200 and a whole answer
	denied               // turned away by a status that may be about the key
	busy                 // turned away since the key is in use
)

// outcome is what came back for one request. It holds the answer for comparison;
// nothing but status, code and why is ever shown.
type outcome struct {
	kind     kind
	status   int
	code     string // of the error, "" if it has none that can be shown
	why      string // of failed and notAsked
	mark     string // header that says that the answer was given before
	cached   string // header that says that it comes from a cache
	id, text string
	body     []byte
	aboutKey bool // the error speaks of the key
	aboutUse bool // … of a parameter that newer models refuse
	wait     time.Duration
}

// likeness is how far two answers are one.
type likeness uint8

const (
	different likeness = iota // another text
	sameText                  // the same text under another id, or without one
	sameCall                  // the same id and text
	identical                 // the same bytes
)

// like compares two answers.
func like(a, b outcome) likeness {
	switch {
	case bytes.Equal(a.body, b.body):
		return identical
	case a.text != b.text:
		return different
	case a.id != "" && a.id == b.id:
		return sameCall
	}
	return sameText
}

// seen is an outcome as a table shows it.
func (o outcome) seen() string {
	var b strings.Builder
	if o.status == 0 || o.status == http.StatusOK && o.why != "" {
		return o.why
	}
	b.WriteString(strconv.Itoa(o.status))
	for _, s := range []string{o.code, o.mark, o.cached} {
		if s != "" {
			b.WriteString(" " + s)
		}
	}
	if o.why != "" {
		b.WriteString(" (" + o.why + ")")
	}
	return b.String()
}
