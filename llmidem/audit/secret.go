package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"log/slog"
)

// Secret is what [WithHMAC] and [WithHashedUsers] make codes with. It is a value that
// may be copied and logged: what it prints as names the id only.
type Secret struct {
	id string
	// bytes is a function, since package fmt prints what is in the fields of any
	// struct and does not ask Format of those it cannot see.
	bytes func() []byte
}

const (
	minSecret = 32
	maxID     = 64
)

// NewSecret makes a Secret of at least 32 random bytes, which it copies; a password
// is none. The id is 1 to 64 letters, digits, '.', '_' and '-'. It is kept with each
// record in the clear, and says for ever which secret that was: a new secret needs a
// new id.
func NewSecret(id string, secret []byte) (Secret, error) {
	if fault := badToken(id, maxID); fault != "" {
		return Secret{}, fmt.Errorf("audit: the id of a Secret %s", fault)
	}
	if len(secret) < minSecret {
		return Secret{}, fmt.Errorf("audit: secret %s has %d bytes; use at least %d random ones", id, len(secret), minSecret)
	}
	own := bytes.Clone(secret)
	return Secret{id, func() []byte { return own }}, nil
}

// ID returns the id; "" of the zero Secret, which is none.
func (s Secret) ID() string { return s.id }

// String returns the id, without the secret.
func (s Secret) String() string { return "Secret(" + s.id + ")" }

// Format prints what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (s Secret) mac() hash.Hash { return hmac.New(sha256.New, s.bytes()) }

// userLabel keeps a code of a user apart from any other code under the same secret.
const userLabel = "llmidem/audit/user/v1\x00"

// HashUser returns what a log with [WithHashedUsers] has for a user: the secret's id, a
// colon and HMAC-SHA-256 in hexadecimal digits. Without the secret nobody can tell
// by trying which user that is, as one could with a plain hash.
func (s Secret) HashUser(user string) string {
	m := s.mac()
	_, _ = io.WriteString(m, userLabel+user) // never fails
	return s.id + ":" + hex.EncodeToString(m.Sum(nil))
}
