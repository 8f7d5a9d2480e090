package store

import (
	"crypto/rand"
	"encoding/hex"
)

// Owner names one claim: 128 random bits. The zero Owner is nobody.
type Owner [16]byte

// NewOwner returns an owner that nobody else has.
func NewOwner() Owner {
	var o Owner
	rand.Read(o[:]) // never fails: crypto/rand, since Go 1.24
	return o
}

// String returns the owner in hexadecimal.
func (o Owner) String() string { return hex.EncodeToString(o[:]) }
