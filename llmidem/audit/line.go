package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
)

// shape is where the parts of a line are.
type shape struct {
	seq   uint64
	time  []byte
	prev  []byte // 64 bytes, whatever they are
	keyID []byte // nil in a line without one
	body  []byte // what is hashed
	hash  []byte // 64 bytes, whatever they are
}

// shapeOf splits a line, with its end, at the places that every line of this version
// has. It returns why it cannot.
func shapeOf(line []byte) (s shape, fault string) {
	n := len(line) - tailLen
	if n < 0 || string(line[len(line)-len(lineEnd):]) != lineEnd || string(line[n:n+len(hashBegin)]) != hashBegin {
		return s, "the line is no record: it does not end in a hash"
	}
	s.body, s.hash = line[:n], line[n+len(hashBegin):n+len(hashBegin)+hashLen]
	rest, ok := bytes.CutPrefix(s.body, []byte(lineBegin))
	if !ok {
		return s, versionFault(line)
	}
	digits := 0
	for digits < len(rest) && '0' <= rest[digits] && rest[digits] <= '9' {
		digits++
	}
	seq, err := strconv.ParseUint(string(rest[:digits]), 10, 64)
	if err != nil || rest[0] == '0' {
		return s, noBegin
	}
	s.seq = seq
	if rest, ok = bytes.CutPrefix(rest[digits:], []byte(timeBegin)); !ok {
		return s, noBegin
	}
	if s.time, rest, ok = bytes.Cut(rest, []byte(prevBegin)); !ok || len(s.time) > maxTime || len(rest) < hashLen {
		return s, noBegin
	}
	s.prev, rest = rest[:hashLen], rest[hashLen:]
	if after, ok := bytes.CutPrefix(rest, []byte(macBegin)); ok {
		if s.keyID, rest, ok = cutQuote(after); !ok {
			return s, noBegin
		}
	}
	if !bytes.HasPrefix(rest, []byte(kindBegin)) {
		return s, noBegin
	}
	return s, ""
}

const (
	noBegin = "the line is no record: it does not begin as one"
	maxTime = len("2006-01-02T15:04:05.999999999+00:00")
)

// cutQuote cuts b before its first quote.
func cutQuote(b []byte) (before, from []byte, ok bool) {
	i := bytes.IndexByte(b, '"')
	if i < 0 {
		return nil, nil, false
	}
	return b[:i], b[i:], true
}

// versionFault is why a line has another beginning.
func versionFault(line []byte) string {
	rest, ok := bytes.CutPrefix(line, []byte(`{"v":`))
	if n, _, more := bytes.Cut(rest, []byte(",")); ok && more && len(n) < 10 {
		if v, err := strconv.Atoi(string(n)); err == nil && v > Version {
			return fmt.Sprintf("the record has version %d: a later version of this package wrote it, or it was changed", v)
		}
	}
	return noBegin
}

// sums makes the hashes of lines. It is for one goroutine.
type sums struct {
	macs map[string]hash.Hash // by the id of the secret; nil in a log without secrets
	sum  [sha256.Size]byte
	text [hashLen]byte
}

func newSums(secrets []Secret) (s sums) {
	for _, k := range secrets {
		if s.macs == nil {
			s.macs = map[string]hash.Hash{}
		}
		s.macs[k.id] = k.mac()
	}
	return s
}

// of returns the hash of a body as it stands in a line, until it is called again; mac is
// nil for a hash without a secret.
func (s *sums) of(body []byte, mac hash.Hash) []byte {
	if mac == nil {
		s.sum = sha256.Sum256(body)
	} else {
		mac.Reset()
		mac.Write(body)
		mac.Sum(s.sum[:0])
	}
	hex.Encode(s.text[:], s.sum[:])
	return s.text[:]
}

// chain follows a log line by line.
type chain struct {
	sums
	unverified bool // take lines with an HMAC, for which there is no secret, as they are
	seq        uint64
	prev       [hashLen]byte // of the last line
	keyed      bool          // the first line had an HMAC, or there is a secret
	begun      bool
	anchor     Head // what the record of that number must be
}

func newChain(secrets []Secret, unverified bool, after Head) *chain {
	c := &chain{sums: newSums(secrets), unverified: unverified, seq: after.Sequence}
	hex.Encode(c.prev[:], after.Hash[:])
	c.keyed = c.macs != nil
	return c
}

// head is where the chain is.
func (c *chain) head() (h Head) {
	h.Sequence = c.seq
	_, _ = hex.Decode(h.Hash[:], c.prev[:]) // it was compared with one that we wrote, or is the caller's
	return h
}

// next takes the line that follows. It returns why that is not it, and says with
// secret that it lacks one to tell.
func (c *chain) next(line []byte) (s shape, fault string, secret error) {
	s, fault = shapeOf(line)
	if fault != "" {
		return s, fault, nil
	}
	if fault, secret = c.whole(&s); fault != "" || secret != nil {
		return s, fault, secret
	}
	switch {
	case s.seq != c.seq+1 && c.seq == 0 && !c.begun:
		return s, fmt.Sprintf("the log begins with record %d, after %s: the files before it are missing", s.seq, headText(s.seq-1, s.prev)), nil
	case s.seq != c.seq+1:
		return s, fmt.Sprintf("record %d is where record %d should be: one was left out, repeated or moved", s.seq, c.seq+1), nil
	case !bytes.Equal(s.prev, c.prev[:]):
		return s, fmt.Sprintf("record %d does not follow the record before it, which is another one now", s.seq), nil
	case s.seq == c.anchor.Sequence && string(s.hash) != c.anchor.Hash.String():
		return s, fmt.Sprintf("record %d is not the one that the head names: the log was written anew, or is another one", s.seq), nil
	}
	c.seq, c.begun = s.seq, true
	copy(c.prev[:], s.hash)
	return s, "", nil
}

// whole says whether a line has the hash that it should have.
func (c *chain) whole(s *shape) (fault string, secret error) {
	keyed := s.keyID != nil
	if !c.begun && c.macs == nil {
		c.keyed = keyed
	}
	if keyed != c.keyed {
		if keyed {
			return "the record has an HMAC, and those before have none", nil
		}
		return "the record has no HMAC, and every record of this log must have one", nil
	}
	mac := c.macs[string(s.keyID)]
	switch {
	case keyed && mac == nil && c.unverified:
		if !isHex(string(s.hash)) {
			return wrongHash, nil
		}
		return "", nil
	case keyed && mac == nil && c.macs == nil:
		return "", &secretError{string(s.keyID)}
	case keyed && mac == nil:
		return "the record names another secret than those that were given, or was changed", nil
	}
	if !bytes.Equal(c.of(s.body, mac), s.hash) {
		if keyed {
			return wrongHash + ", or the secret is not the one that it was made with", nil
		}
		return wrongHash, nil
	}
	return "", nil
}

const wrongHash = "the record does not have its hash: it was changed"

// headText is a Head of which the hash may be anything.
func headText(seq uint64, hash []byte) string {
	if !isHex(string(hash)) {
		return fmt.Sprintf("record %d", seq)
	}
	return fmt.Sprintf("%d:%s", seq, hash)
}
