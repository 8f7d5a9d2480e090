package identity

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"
)

type schemeKind uint8

const (
	schemeSHA256 schemeKind = iota
	schemeUUID5
	schemeHMAC
)

// minSecret is the shortest secret that HMAC takes: 128 bits, below which a
// secret is guessable rather than secret.
const minSecret = 16

// A Scheme makes keys from documents (SPEC.md, section 5). Make one with [SHA256],
// [UUID5] or [HMAC]; the zero Scheme is SHA256("idem_"). A Scheme is a small value,
// safe for concurrent use. One that was made from bad arguments says so by
// [Scheme.Err], and makes no key.
type Scheme struct {
	kind   schemeKind
	prefix string
	space  [16]byte
	macs   *sync.Pool // of *mac, keyed
	err    error
}

// mac is one keyed hash and the room for its sum.
type mac struct {
	h   hash.Hash
	sum [sha256.Size]byte
}

// SHA256 is the default scheme: prefix and the hexadecimal SHA-256 of the
// document. The prefix must match [a-z0-9]+_ .
func SHA256(prefix string) Scheme {
	return Scheme{kind: schemeSHA256, prefix: prefix, err: prefixError(prefix)}
}

// UUID5 makes version 5 UUIDs of RFC 9562 in the given namespace, which must not
// be zero. A uuid.UUID fits as it is.
func UUID5(namespace [16]byte) Scheme {
	s := Scheme{kind: schemeUUID5, space: namespace}
	if namespace == [16]byte{} {
		s.err = errors.New("identity: scheme uuid5: the namespace is zero; generate one with uuid.New and keep it")
	}
	return s
}

// HMAC is for keys that appear in logs and must not let anybody test a guessed
// prompt: prefix and the hexadecimal HMAC-SHA-256 of the document. The prefix must
// match [a-z0-9]+_ , the secret must have at least 16 bytes; 32 random ones are
// right. The secret is copied.
func HMAC(prefix string, secret []byte) Scheme {
	s := Scheme{kind: schemeHMAC, prefix: prefix, err: prefixError(prefix)}
	if len(secret) < minSecret {
		s.err = fmt.Errorf("identity: scheme hmac: the secret has %d bytes, at least %d are needed", len(secret), minSecret)
	}
	if s.err == nil {
		own := bytes.Clone(secret)
		s.macs = &sync.Pool{New: func() any { return &mac{h: hmac.New(sha256.New, own)} }}
	}
	return s
}

// Err returns what is wrong with the arguments that the scheme was made from, or nil.
func (s Scheme) Err() error { return s.err }

// Name returns "sha256", "uuid5" or "hmac".
func (s Scheme) Name() string {
	return [...]string{"sha256", "uuid5", "hmac"}[s.kind]
}

// Key returns the document's key. The error is [Scheme.Err]'s, or says that the
// document is the zero one.
func (s Scheme) Key(d Document) (Key, error) {
	if len(d.text) == 0 {
		return Key{}, errors.New("identity: the zero Document has no key")
	}
	return s.of(d.text)
}

// of returns the key of the canonical bytes.
func (s *Scheme) of(doc []byte) (k Key, err error) {
	if s.err != nil {
		return Key{}, s.err
	}
	k = Key{form: formDigest, text: s.prefix}
	switch s.kind {
	case schemeUUID5:
		return Key{form: formUUID, sum: s.uuid5(doc)}, nil
	case schemeHMAC:
		m := s.macs.Get().(*mac)
		m.h.Reset()
		m.h.Write(doc)
		m.h.Sum(m.sum[:0])
		k.sum = m.sum
		s.macs.Put(m)
	default:
		if s.prefix == "" { // the zero Scheme; SHA256("") has an error
			k.text = defaultPrefix
		}
		k.sum = sha256.Sum256(doc)
	}
	return k, nil
}

// sha1s holds scratch hashes for uuid5.
var sha1s = sync.Pool{New: func() any { return &mac{h: sha1.New()} }}

// uuid5 is RFC 9562, section 5.5.
func (s *Scheme) uuid5(doc []byte) (id [32]byte) {
	m := sha1s.Get().(*mac)
	m.h.Reset()
	copy(m.sum[:], s.space[:])
	m.h.Write(m.sum[:16])
	m.h.Write(doc)
	m.h.Sum(m.sum[:0])
	copy(id[:16], m.sum[:16])
	sha1s.Put(m)
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

func prefixError(p string) error {
	if badPrefix(p) >= 0 {
		return fmt.Errorf("identity: the key prefix %q does not match [a-z0-9]+_", p)
	}
	return nil
}
