package main

import (
	"fmt"
	"net/url"
	"strings"
)

// code is the provider to give to llmidem.New, in Go; "" where the class is unknown.
func (s *session) code() string {
	known := s.class.result == classReplay || s.class.result == classReject
	if !known && s.class.result != classIgnore {
		return ""
	}
	var notes string
	if s.class.result == classReplay {
		notes = "\n// Window, how long a key is remembered, was not probed: see the service's documentation"
	}
	if s.careless {
		notes += "\n// another body gets the old answer: never give it a key that is not made of the content and the tenant"
	}
	switch {
	case s.service.code == "" && known:
		return fmt.Sprintf("p := providers.Gateway(%q, %s)", s.name(), s.keysCode()) + notes
	case s.service.code == "":
		return fmt.Sprintf("p := providers.Gateway(%q, llmidem.Keys{})", s.name())
	}
	text := "p := providers." + s.service.code
	if s.provider.Dialect != s.service.make().Dialect {
		text = fmt.Sprintf("p, _ := providers.Detect(%q)", shown(s.base)) // it knows by the path which API is spoken
	}
	if known {
		text += "\np.Keys = " + s.keysCode() + notes
	}
	return text
}

// keysCode is the literal of what was found of the keys.
func (s *session) keysCode() string {
	members := "Class: llmidem.Replay"
	if s.class.result == classReject {
		members = "Class: llmidem.Reject"
	}
	if s.keyHeader != defaultKeyHeader {
		members += fmt.Sprintf(", Header: %q", s.keyHeader)
	}
	quoted, maxLen, pattern := s.keys()
	if quoted {
		members += ", Quoted: true"
	}
	if maxLen > 0 {
		members += fmt.Sprintf(", MaxLen: %d", maxLen)
	}
	if pattern != "" {
		members += fmt.Sprintf(", Pattern: %q", pattern)
	}
	return "llmidem.Keys{" + members + "}"
}

// name makes a provider's name of the host: a-z, 0-9, dot, underscore and hyphen.
func (s *session) name() string {
	u, err := url.Parse(s.url)
	if err != nil {
		return "gateway"
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_':
			return r
		}
		return '-'
	}, strings.ToLower(u.Hostname()))
	return name[:min(len(name), 64)]
}
