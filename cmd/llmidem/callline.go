package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// call is one line in the form of the vectors. Its texts may hold lone surrogates, in
// the three bytes that UTF-8 would have for them, for the library to refuse.
type call struct {
	profile, route string
	header         http.Header
	body           []byte
	options        callOptions
}

// parseCall reads a line. Its error says why the line is no call; it has no text of it.
func parseCall(line []byte) (*call, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("the line is not UTF-8")
	}
	var m members
	if err := json.Unmarshal(line, &m); err != nil {
		return nil, err
	}
	c := &call{}
	var err error
	if c.profile, err = m.text("profile", nil); err != nil {
		return nil, err
	}
	switch _, _, unknown := providerOf(c.profile); {
	case c.profile == "payload": // needs no route
	case c.profile != "do" && unknown != nil:
		return nil, errors.New("profile is none of payload, do, openai, anthropic, gemini, ollama")
	default:
		if c.route, err = m.text("route", nil); err != nil {
			return nil, err
		}
	}
	if c.header, err = m.headers(); err != nil {
		return nil, err
	}
	if err = c.readBody(m); err != nil {
		return nil, err
	}
	c.options, err = m.options()
	return c, err
}

// readBody takes the body as text, as base64 or as the parts of a form.
func (c *call) readBody(m members) (err error) {
	if _, ok := m["body_base64"]; ok {
		text, err := m.text("body_base64", nil)
		if err != nil {
			return err
		}
		c.body, err = base64.StdEncoding.DecodeString(text)
		if err != nil {
			return errors.New("body_base64 is not base64")
		}
		return nil
	}
	raw := m["body"]
	if len(raw) == 0 || raw[0] != '[' {
		text, err := m.text("body", nil)
		c.body = escapeLone(text)
		return err
	}
	if c.profile == "payload" || c.profile == "do" {
		return errors.New("body is a form, which a " + c.profile + " call has not")
	}
	var parts []members
	if err := json.Unmarshal(raw, &parts); err != nil {
		return errors.New("body is a list that is not of parts")
	}
	var kind string
	kind, c.body, err = buildForm(parts)
	c.header["Content-Type"] = []string{kind}
	return err
}

// headers reads the headers, each one line or a list of lines. Names in a call are in
// lower case, as in the document; others are other names. The kind of the body is the
// call's form to say, not a header's.
func (m members) headers() (http.Header, error) {
	h := http.Header{}
	raw, ok := m["headers"]
	if !ok {
		return h, nil
	}
	var named map[string]json.RawMessage
	if err := json.Unmarshal(raw, &named); err != nil {
		return nil, errors.New("headers is no object")
	}
	for name, value := range named {
		lines, err := texts(value)
		if err != nil {
			return nil, fmt.Errorf("headers: the value at %q is neither a line nor a list of lines", name)
		}
		if name == strings.ToLower(name) && name != "content-type" {
			h[name] = lines
		}
	}
	return h, nil
}

// texts reads a string or an array of strings.
func texts(raw json.RawMessage) ([]string, error) {
	if raw[0] == '"' {
		return []string{unquote(raw)}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || raw[0] != '[' {
		return nil, errors.New("no list")
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		if e[0] != '"' {
			return nil, errors.New("no text")
		}
		out = append(out, unquote(e))
	}
	return out, nil
}
