package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/google/uuid"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// keys returns the document with its key under each scheme.
func (o *callOptions) keys(d identity.Document) answer {
	text := d.Canonical()
	a := answer{Canonical: string(text)}
	var ok bool
	if a.SHA256, ok = keyOf(identity.SHA256(o.prefix), d); !ok {
		sum := sha256.Sum256(text)
		a.SHA256 = o.prefix + hex.EncodeToString(sum[:])
	}
	if a.UUID5, ok = keyOf(identity.UUID5(o.namespace), d); !ok {
		a.UUID5 = uuid.NewSHA1(o.namespace, text).String()
	}
	if a.HMAC, ok = keyOf(identity.HMAC(o.prefix, o.secret), d); !ok {
		m := hmac.New(sha256.New, o.secret)
		m.Write(text)
		a.HMAC = o.prefix + hex.EncodeToString(m.Sum(nil))
	}
	return a
}

// keyOf returns the scheme's key. It is not ok where the library will not have the
// scheme, as with a prefix that no log search would find or a secret that is short
// enough to guess. The specification defines those keys all the same, and calls in
// the vectors' form ask for what it defines, so keys works them out.
func keyOf(s identity.Scheme, d identity.Document) (text string, ok bool) {
	k, err := s.Key(d)
	return k.String(), err == nil
}
