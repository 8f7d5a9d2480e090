package audit

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// A Hash is what a record is chained by: SHA-256, or HMAC-SHA-256 in a log with a
// secret. The zero Hash is what the first record has for the one before it.
type Hash [32]byte

// String returns 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText is String. It never fails.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads what String returns, and nothing else.
func (h *Hash) UnmarshalText(text []byte) error {
	var v Hash
	if n, err := hex.Decode(v[:], text[:min(len(text), 64)]); err != nil || n != len(v) || len(text) != 64 || v.String() != string(text) {
		return fmt.Errorf("audit: a hash is 64 hexadecimal digits in lower case")
	}
	*h = v
	return nil
}

// A Head is a place in a log: the number of a record and its hash, which stands for
// all that is before it. Kept elsewhere it is an anchor. It is comparable; the zero
// Head is the place before the first record.
type Head struct {
	// Sequence is the record's number; the first is 1.
	Sequence uint64
	// Hash is the record's.
	Hash Hash
}

// String returns the number and the hash, as in 1234:9f86d0…; [ParseHead] reads it.
func (h Head) String() string { return strconv.FormatUint(h.Sequence, 10) + ":" + h.Hash.String() }

// IsZero reports whether h is the zero Head.
func (h Head) IsZero() bool { return h == Head{} }

// MarshalText is String. It never fails.
func (h Head) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is [ParseHead].
func (h *Head) UnmarshalText(text []byte) error {
	v, err := ParseHead(string(text))
	if err == nil {
		*h = v
	}
	return err
}

// ParseHead reads what [Head.String] returns, but for the zero Head, which is no anchor.
func ParseHead(s string) (h Head, err error) {
	number, sum, ok := strings.Cut(s, ":")
	n, numErr := strconv.ParseUint(number, 10, 64)
	if !ok || numErr != nil || n == 0 || strconv.FormatUint(n, 10) != number || h.Hash.UnmarshalText([]byte(sum)) != nil {
		return Head{}, fmt.Errorf("audit: a head is of the form NUMBER:HASH, with 64 hexadecimal digits in lower case")
	}
	h.Sequence = n
	return h, nil
}
