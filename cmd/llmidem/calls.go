package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// answer is what is written for one call: the canonical bytes and the keys, or the
// code of the refusal alone.
type answer struct {
	Canonical string `json:"canonical,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
	UUID5     string `json:"uuid5,omitempty"`
	HMAC      string `json:"hmac,omitempty"`
	Refused   string `json:"refused,omitempty"`
}

// answerCalls reads calls, one a line of any length, and writes the answer to each
// before it reads the next.
func answerCalls(name string, in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, 64<<10)
	enc := json.NewEncoder(out) // one Write a value: every line is out at once
	enc.SetEscapeHTML(false)
	var empty error // the first line without a call, which only the end of the input excuses
	for at, n := int64(0), 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return unread(name, err)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			if empty != nil {
				return empty
			}
			c, bad := parseCall(line)
			if bad != nil {
				return atLine(name, at, n, bad)
			}
			if err := enc.Encode(c.answer()); err != nil {
				return written(err)
			}
		} else if empty == nil {
			empty = atLine(name, at, n, errors.New("the line is empty"))
		}
		if err != nil {
			return nil
		}
		at += int64(len(line))
	}
}

// answer identifies the call.
func (c *call) answer() answer {
	d, err := c.identify()
	if err != nil {
		var r *identity.Refusal
		if errors.As(err, &r) {
			return answer{Refused: string(r.Code)}
		}
	}
	if !utf8.ValidString(c.options.prefix) {
		return answer{Refused: string(identity.CodeInvalidUTF8)}
	}
	return c.options.keys(d)
}

func (c *call) identify() (identity.Document, error) {
	o := &c.options
	of := identity.Call{User: o.user, Scope: o.scope, Occurrence: o.occurrence, Exclude: o.exclude}
	switch c.profile {
	case "payload":
		return identity.Payload(c.body, o.exclude...)
	case "do":
		return identity.Function(c.route, c.body, of)
	}
	rules, _, err := providerOf(c.profile)
	if err != nil {
		return identity.Document{}, err // parseCall knows the profiles
	}
	return rules.Identify(identity.Request{Path: c.route, Header: c.header, Body: c.body}, of)
}
