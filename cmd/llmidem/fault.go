package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// A fault is input that cannot be used: which one, where and why. It never holds
// text of the input other than member names.
type fault struct {
	input  string
	at     int64 // byte of the input, counted from 0; -1 when no single one is at fault
	reason string
}

// Error returns input, offset and reason on one line.
func (f *fault) Error() string {
	if f.at < 0 {
		return f.input + ": " + f.reason
	}
	return fmt.Sprintf("%s: byte %d: %s", f.input, f.at, f.reason)
}

// refused makes a fault of what the library says of an input.
func refused(input string, err error) error {
	var r *identity.Refusal
	if !errors.As(err, &r) {
		return &fault{input, -1, err.Error()}
	}
	reason := string(r.Code) + ": " + r.Reason
	if r.Pointer != "" {
		reason += fmt.Sprintf(" (in %q)", r.Pointer)
	}
	return &fault{input, r.Offset, reason}
}

// printable returns text that a terminal shows on one line as it stands, and quotes
// all other: models, users and file names are whatever somebody sent.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// atLine places what is wrong with line n, which begins at the byte at, in the input.
func atLine(name string, at int64, n int, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	reason := err.Error()
	switch {
	case errors.As(err, &syntax):
		at += max(syntax.Offset-1, 0) // it counts the byte that was wrong
		reason = "it is not JSON"     // the decoder's words hold a character of the line
	case errors.As(err, &kind):
		reason = "it is no JSON object"
	}
	return &fault{name, at, fmt.Sprintf("line %d is no call: %s", n, reason)}
}
