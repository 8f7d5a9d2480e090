package identity

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Fault says what is wrong with the text of a key.
type Fault string

// The faults that a [KeyError] names.
const (
	FaultForm     Fault = "form"     // neither prefix and digest nor a UUID
	FaultPrefix   Fault = "prefix"   // the prefix does not match [a-z0-9]+_
	FaultLength   Fault = "length"   // too short or too long
	FaultAlphabet Fault = "alphabet" // a character that must not be there
)

// A KeyError says why a text is no key. It never holds the text, which may be a
// credential that came to the wrong place.
type KeyError struct {
	Fault  Fault
	Offset int    // byte of the text, -1 when no single one is at fault
	Reason string // one plain sentence; may change between versions
}

// Error returns fault, reason and offset on one line.
func (e *KeyError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("identity: bad key (%s): %s", e.Fault, e.Reason)
	}
	return fmt.Sprintf("identity: bad key (%s): %s at byte %d", e.Fault, e.Reason, e.Offset)
}

const (
	defaultPrefix = "idem_"
	uuidLen       = 36
	maxForeign    = 255
)

// ParseKey reads a key that a [Scheme] made: any prefix that matches [a-z0-9]+_
// and 64 lower-case hexadecimal digits, or a UUID in the canonical lower-case form
// of RFC 9562. It also reads idem_<uuid>, the form of UUID keys in logs, as that
// UUID, so that a key copied from a log finds its record. It reads nothing else:
// no blanks around it, no upper case, no braces. The error is a [*KeyError].
func ParseKey(s string) (Key, error) {
	if rest, ok := strings.CutPrefix(s, defaultPrefix); ok && looksLikeUUID(rest) {
		return parseUUID(rest, len(defaultPrefix))
	}
	if looksLikeUUID(s) {
		return parseUUID(s, 0)
	}
	cut := strings.LastIndexByte(s, '_') + 1
	if cut == 0 {
		return Key{}, &KeyError{FaultForm, -1, "neither a prefix ending in _ with 64 hexadecimal digits, nor a UUID"}
	}
	if i := badPrefix(s[:cut]); i >= 0 {
		return Key{}, &KeyError{FaultPrefix, i, "a prefix is lower-case letters and digits and one _ at its end"}
	}
	digits := s[cut:]
	if len(digits) != 64 {
		return Key{}, &KeyError{FaultLength, -1, fmt.Sprintf("%d characters after the prefix, not 64", len(digits))}
	}
	k := Key{form: formDigest, text: internPrefix(s[:cut])}
	if i := lowerHex(k.sum[:], digits); i >= 0 {
		return Key{}, &KeyError{FaultAlphabet, cut + i, "not a lower-case hexadecimal digit"}
	}
	return k, nil
}

// Foreign takes a caller's own key: 1 to 255 bytes of visible ASCII without
// blanks, quotes and commas, as header values and their lists can carry. The text
// of a key that a scheme made gives that very key. The error is a [*KeyError].
func Foreign(s string) (Key, error) {
	if s == "" || len(s) > maxForeign {
		return Key{}, &KeyError{FaultLength, -1, fmt.Sprintf("%d bytes, not 1 to %d", len(s), maxForeign)}
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '`' || c == ',' {
			return Key{}, &KeyError{FaultAlphabet, i, "a blank, quote, comma, control character or one beyond ASCII"}
		}
	}
	// idem_<uuid> is a UUID's form in logs alone; as a caller's key it stays what it is.
	if k, err := ParseKey(s); err == nil && k.String() == s {
		return k, nil
	}
	return Key{form: formForeign, text: strings.Clone(s)}, nil
}

// internPrefix keeps the usual prefix out of the heap and any other one from
// holding on to the text it was cut from.
func internPrefix(p string) string {
	if p == defaultPrefix {
		return defaultPrefix
	}
	return strings.Clone(p)
}

// badPrefix returns where p stops to match [a-z0-9]+_, or -1.
func badPrefix(p string) int {
	for i := range len(p) {
		c := p[i]
		if last := i == len(p)-1; last && c == '_' && i > 0 || !last && ('a' <= c && c <= 'z' || '0' <= c && c <= '9') {
			continue
		}
		return i
	}
	if p == "" {
		return 0
	}
	return -1
}

func looksLikeUUID(s string) bool {
	return len(s) == uuidLen && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-'
}

func parseUUID(s string, off int) (Key, error) {
	k := Key{form: formUUID}
	at := 0
	for _, g := range [...][2]int{{0, 8}, {9, 13}, {14, 18}, {19, 23}, {24, 36}} {
		if i := lowerHex(k.sum[at:], s[g[0]:g[1]]); i >= 0 {
			return Key{}, &KeyError{FaultAlphabet, off + g[0] + i, "not a lower-case hexadecimal digit"}
		}
		at += (g[1] - g[0]) / 2
	}
	return k, nil
}

// lowerHex decodes s, which must have an even length, into dst and returns the
// index of the first character that is no lower-case hexadecimal digit, or -1.
func lowerHex(dst []byte, s string) int {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return i
		}
	}
	hex.Decode(dst, []byte(s)) //nolint:errcheck // checked above
	return -1
}
