package store

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
)

// SealKey is a secret that [Sealed] seals and opens records with. It is a value
// that may be copied and logged: what it prints as names the id only.
type SealKey struct {
	id string
	// secret is a function, since package fmt prints what is in the fields of any
	// struct, also through pointers, and does not ask Format of those it cannot see.
	secret func() []byte
}

const (
	minSecret = 32
	maxKeyID  = 64
)

// NewSealKey makes a key of a secret of at least 32 random bytes, which it copies,
// such as 32 bytes of crypto/rand that every process reads from its secret
// manager; a password is none. The id is 1 to 64 printable ASCII characters, is
// kept with each record in the clear, and says for ever which secret that was: a
// new secret needs a new id.
func NewSealKey(id string, secret []byte) (SealKey, error) {
	if len(id) == 0 || len(id) > maxKeyID {
		return SealKey{}, fmt.Errorf("store: the id of a SealKey has %d characters; use 1 to %d", len(id), maxKeyID)
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return SealKey{}, fmt.Errorf("store: the id of a SealKey has the byte %#x; use printable ASCII without spaces", id[i])
		}
	}
	if len(secret) < minSecret {
		return SealKey{}, fmt.Errorf("store: the secret of SealKey %s has %d bytes; use at least %d random ones", id, len(secret), minSecret)
	}
	own := bytes.Clone(secret)
	return SealKey{id, func() []byte { return own }}, nil
}

// ID returns the id.
func (k SealKey) ID() string { return k.id }

// String returns the id, without the secret.
func (k SealKey) String() string { return "SealKey(" + k.id + ")" }

// Format prints what String returns, whatever the verb.
func (k SealKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue is what String returns.
func (k SealKey) LogValue() slog.Value { return slog.StringValue(k.String()) }
