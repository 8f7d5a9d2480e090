package identity

import (
	"fmt"
	"strings"
)

// A Policy is the form of keys that services have agreed on, so that a key of one is
// never mistaken for that of another, and what is no key at all (a credential, a
// prompt) never becomes one. The zero Policy takes whatever [Foreign] takes. A
// Policy is a comparable value, safe for concurrent use.
type Policy struct {
	// Scheme is the scheme whose keys are taken: "sha256" or "hmac", which both are a
	// prefix and 64 hexadecimal digits and cannot be told apart, or "uuid5", a UUID
	// of version 5. Default: keys of any scheme, and callers' own.
	Scheme string
	// Prefix is what keys begin with; under sha256 and hmac it is the whole of what
	// stands before the digits, and must match [a-z0-9]+_ . A UUID has none.
	// Default: any.
	Prefix string
	// MinLen is the shortest key that is taken, in bytes. Default: 1.
	MinLen int
	// MaxLen is the longest key that is taken, in bytes. Default, and the most: 255.
	MaxLen int
}

// Parse reads a key off the wire, without the quotes that it may have there. The
// error is a [*KeyError] for a text that is not of the form, which it never holds,
// or that of [Policy.Err].
func (p Policy) Parse(s string) (Key, error) {
	if err := p.Err(); err != nil {
		return Key{}, err
	}
	k, err := Foreign(s)
	if err != nil {
		return Key{}, err
	}
	if err := p.checkScheme(k, s); err != nil {
		return Key{}, err
	}
	if p.Prefix != "" && (!strings.HasPrefix(s, p.Prefix) || k.form == formDigest && p.digest() && k.text != p.Prefix) {
		return Key{}, &KeyError{FaultPrefix, -1, fmt.Sprintf("it does not begin with %q", p.Prefix)}
	}
	if low, high := p.bounds(); len(s) < low || len(s) > high {
		return Key{}, &KeyError{FaultLength, -1, fmt.Sprintf("%d bytes, not %d to %d", len(s), low, high)}
	}
	return k, nil
}

// Check reports why a key is not of the form, as Parse does; the zero Key never is.
func (p Policy) Check(k Key) error {
	if p == (Policy{}) && !k.IsZero() {
		return nil
	}
	_, err := p.Parse(k.String())
	return err
}

// Err returns what is wrong with the policy itself, one that no key could meet among
// it, or nil.
func (p Policy) Err() error {
	low, high := p.bounds()
	fits := func(n int) bool { return low <= n && n <= high }
	switch {
	case p.MinLen < 0 || p.MaxLen < 0 || p.MinLen > maxForeign || p.MaxLen > maxForeign || low > high:
		return fmt.Errorf("identity: policy: keys of %d to %d bytes; a key has 1 to %d", low, high, maxForeign)
	case p.digest():
		if p.Prefix == "" {
			return nil
		}
		if err := prefixError(p.Prefix); err != nil {
			return err
		}
		if !fits(len(p.Prefix) + digestLen) {
			return fmt.Errorf("identity: policy: keys of %q have %d bytes, not %d to %d", p.Prefix, len(p.Prefix)+digestLen, low, high)
		}
	case p.Scheme == "uuid5":
		if p.Prefix != "" {
			return fmt.Errorf("identity: policy: the prefix %q is set, and uuid5 keys have none", p.Prefix)
		}
		if !fits(uuidLen) {
			return fmt.Errorf("identity: policy: uuid5 keys have %d bytes, not %d to %d", uuidLen, low, high)
		}
	case p.Scheme != "":
		return fmt.Errorf("identity: policy: no scheme %q; it is sha256, uuid5 or hmac, or empty for any key", p.Scheme)
	case p.Prefix != "":
		if _, err := Foreign(p.Prefix); err != nil || len(p.Prefix) > high {
			return fmt.Errorf("identity: policy: no key of %d to %d bytes can begin with the prefix %q", low, high, p.Prefix)
		}
	}
	return nil
}

// checkScheme reports why the key of a text is none of the policy's scheme.
func (p Policy) checkScheme(k Key, s string) error {
	switch {
	case p.Scheme == "":
		return nil
	case k.form == formUUID && !p.digest():
		if k.sum[6]>>4 != 5 || k.sum[8]>>6 != 2 {
			return &KeyError{FaultForm, -1, "a UUID, but none of version 5"}
		}
		return nil
	case k.form == formDigest && p.digest():
		return nil
	case k.form != formForeign:
		return &KeyError{FaultForm, -1, "a key of another scheme than " + p.Scheme}
	}
	if _, err := ParseKey(s); err != nil {
		return err // which says more precisely what
	}
	return &KeyError{FaultForm, -1, "the form that UUID keys have in logs; on the wire they go bare"}
}

// digestLen is the length of a digest key behind its prefix.
const digestLen = 64

func (p Policy) digest() bool { return p.Scheme == "sha256" || p.Scheme == "hmac" }

// bounds are the lengths of keys that are taken.
func (p Policy) bounds() (low, high int) {
	low, high = p.MinLen, p.MaxLen
	if low == 0 {
		low = 1
	}
	if high == 0 {
		high = maxForeign
	}
	return low, high
}
