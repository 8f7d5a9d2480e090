package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/google/uuid"
)

// callOptions are the options of a call with the reference's defaults.
type callOptions struct {
	user, scope string
	occurrence  uint64
	exclude     []string // nil for the default list
	prefix      string
	namespace   [16]byte
	secret      []byte
}

// members are the members of an object, each as it stands in the line: encoding/json
// would replace lone surrogates in strings, and these have to be refused.
type members map[string]json.RawMessage

// text reads a member that is a string. Without it the result is the default's; a nil
// default means that it has to be there.
func (m members) text(name string, byDefault *string) (string, error) {
	raw, ok := m[name]
	switch {
	case !ok && byDefault != nil:
		return *byDefault, nil
	case !ok:
		return "", errors.New("there is no " + name)
	case raw[0] != '"':
		return "", errors.New(name + " is no text")
	}
	return unquote(raw), nil
}

// options reads the options of a call.
func (m members) options() (o callOptions, err error) {
	var opts members
	if raw, ok := m["options"]; ok {
		if err := json.Unmarshal(raw, &opts); err != nil {
			return o, errors.New("options is no object")
		}
	}
	none, prefix, space, secret := "", defaultPrefix, defaultNamespace, string(bytes.Repeat([]byte("00"), 32))
	for _, f := range []struct {
		name string
		into *string
		or   *string
	}{{"user", &o.user, &none}, {"scope", &o.scope, &none}, {"prefix", &o.prefix, &prefix}, {"namespace", &space, &space}, {"secret", &secret, &secret}} {
		if *f.into, err = opts.text(f.name, f.or); err != nil {
			return o, err
		}
	}
	if o.namespace, err = uuid.Parse(space); err != nil {
		return o, errors.New("namespace is not a UUID")
	}
	if o.secret, err = hex.DecodeString(secret); err != nil {
		return o, errors.New("secret is not hexadecimal")
	}
	if raw, ok := opts["occurrence"]; ok {
		if o.occurrence, err = occurrence(raw); err != nil {
			return o, err
		}
	}
	if raw, ok := opts["exclude"]; ok && string(raw) != "null" {
		if o.exclude, err = texts(raw); err != nil || raw[0] != '[' {
			return o, errors.New("exclude is no list of texts")
		}
	}
	return o, nil
}

// occurrence reads an integer literal from 0 to 2^63-1.
func occurrence(raw json.RawMessage) (uint64, error) {
	if string(raw) == "-0" {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(raw), 10, 63)
	if err != nil {
		return 0, errors.New("occurrence is no integer from 0 to 2^63-1")
	}
	return n, nil
}
