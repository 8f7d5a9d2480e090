package identity

import (
	"encoding/hex"
	"log/slog"
)

// form is how a key is written.
type form uint8

const (
	formNone    form = iota
	formDigest       // prefix + 64 hex
	formUUID         // 36 characters, RFC 9562
	formForeign      // a caller's own text
)

// A Key is the fingerprint of an identity document, or a caller's own key. It is a
// small comparable value: == says whether two keys are equal on the wire, and it
// may be a map key. The zero Key is no key. Make one with [Rules.Key],
// [Scheme.Key], [ParseKey] or [Foreign].
type Key struct {
	form form
	text string   // the prefix of a digest, the whole of a foreign key
	sum  [32]byte // the digest; a UUID in the first 16 bytes
}

// String returns the form that goes on the wire; a UUID goes bare. The zero Key
// gives "".
func (k Key) String() string {
	var buf [128]byte
	return string(k.append(buf[:0]))
}

// LogString returns the form for logs: UUID keys as idem_<uuid>, all others as
// String does, so that one prefix finds every line. [ParseKey] reads both.
func (k Key) LogString() string {
	if k.form == formUUID {
		return defaultPrefix + k.String()
	}
	return k.String()
}

// IsZero reports whether k is no key at all. encoding/json's omitzero asks it.
func (k Key) IsZero() bool { return k.form == formNone }

// AppendText appends the form on the wire to b. It never fails, and appends
// nothing for the zero Key. See [encoding.TextAppender].
func (k Key) AppendText(b []byte) ([]byte, error) { return k.append(b), nil }

// MarshalText returns the form on the wire, empty for the zero Key. It never fails.
func (k Key) MarshalText() ([]byte, error) { return k.append(nil), nil }

// UnmarshalText reads what MarshalText writes: a key of a scheme, a foreign one,
// or nothing for the zero Key. Text that is none of them is a [*KeyError].
func (k *Key) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*k = Key{}
		return nil
	}
	v, err := Foreign(string(text))
	if err != nil {
		return err
	}
	*k = v
	return nil
}

// MarshalJSON writes the form on the wire as a JSON string, null for the zero Key.
// It never fails.
func (k Key) MarshalJSON() ([]byte, error) {
	if k.IsZero() {
		return []byte("null"), nil
	}
	return appendString(make([]byte, 0, 128), k.String()), nil
}

// UnmarshalJSON reads a JSON string as UnmarshalText does, and null as the zero
// Key. Anything else is a [*KeyError].
func (k *Key) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*k = Key{}
		return nil
	}
	s, ok := unquote(b)
	if !ok {
		return &KeyError{Fault: FaultForm, Offset: 0, Reason: "a key is a JSON string"}
	}
	return k.UnmarshalText(s)
}

// LogValue gives LogString to log/slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.LogString()) }

func (k Key) append(b []byte) []byte {
	switch k.form {
	case formDigest:
		b = append(b, k.text...)
		return hex.AppendEncode(b, k.sum[:])
	case formUUID:
		for i, end := range [...]int{4, 6, 8, 10, 16} {
			if i > 0 {
				b = append(b, '-')
			}
			b = hex.AppendEncode(b, k.sum[[...]int{0, 4, 6, 8, 10}[i]:end])
		}
		return b
	}
	return append(b, k.text...)
}
