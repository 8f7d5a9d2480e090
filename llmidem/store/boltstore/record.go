package boltstore

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// record is a record as it is in the file. Its body is in pieces elsewhere.
type record struct {
	state        store.State
	owner        store.Owner
	fingerprint  store.Fingerprint
	origin       store.Origin
	since, until int64 // wall time
	body         body
}

// body says where the body of a record is, and what it has to be.
type body struct {
	first uint64 // the number of its first piece
	size  uint32
	sum   uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The layout of a record, little-endian. Numbers of states are those of package
// store, which are part of the file's format by that.
const (
	recordVersion = 1

	atVersion     = 0
	atState       = 1
	atFlags       = 2 // of the origin; the byte after it is zero
	atOwner       = 4
	atFingerprint = 20
	atTrace       = 52
	atSpan        = 68
	atSince       = 76
	atUntil       = 84
	atFirst       = 92
	atSize        = 100
	atBodySum     = 104
	atSum         = 108 // over the key and what is before it
	recordSize    = 112
)

func (r *record) encode(key []byte) []byte {
	v := make([]byte, recordSize)
	v[atVersion], v[atState], v[atFlags] = recordVersion, byte(r.state), r.origin.Flags
	copy(v[atOwner:], r.owner[:])
	copy(v[atFingerprint:], r.fingerprint[:])
	copy(v[atTrace:], r.origin.TraceID[:])
	copy(v[atSpan:], r.origin.SpanID[:])
	le := binary.LittleEndian
	le.PutUint64(v[atSince:], uint64(r.since))
	le.PutUint64(v[atUntil:], uint64(r.until))
	le.PutUint64(v[atFirst:], r.body.first)
	le.PutUint32(v[atSize:], r.body.size)
	le.PutUint32(v[atBodySum:], r.body.sum)
	le.PutUint32(v[atSum:], recordSum(key, v))
	return v
}

func recordSum(key, v []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, v[:atSum])
}

// decode reads a record; ok says whether it is one that was written under that key
// by this version.
func decode(key, v []byte) (r record, ok bool) {
	le := binary.LittleEndian
	if len(v) != recordSize || le.Uint32(v[atSum:]) != recordSum(key, v) || v[atVersion] != recordVersion {
		return r, false
	}
	r.state = store.State(v[atState])
	if r.state != store.InFlight && r.state != store.Completed && r.state != store.Unknown {
		return r, false
	}
	copy(r.owner[:], v[atOwner:])
	copy(r.fingerprint[:], v[atFingerprint:])
	copy(r.origin.TraceID[:], v[atTrace:])
	copy(r.origin.SpanID[:], v[atSpan:])
	r.origin.Flags = v[atFlags]
	r.since, r.until = int64(le.Uint64(v[atSince:])), int64(le.Uint64(v[atUntil:]))
	r.body = body{le.Uint64(v[atFirst:]), le.Uint32(v[atSize:]), le.Uint32(v[atBodySum:])}
	return r, true
}

// seen is the record as others see it at that wall time.
func (r *record) seen(wall int64, content []byte) store.Record {
	out := store.Record{
		State:       r.state,
		Owner:       r.owner,
		Fingerprint: r.fingerprint,
		Body:        content,
		Origin:      r.origin,
		Age:         time.Duration(max(0, wall-r.since)),
	}
	if r.until != forever {
		// Not more than it was given, also when the clock was set back.
		out.Left = time.Duration(min(r.until-wall, r.until-r.since))
	}
	return out
}

// claim is what this process holds, or held: its lease is by the monotonic clock.
type claim struct {
	record         // since: the wall time when it was claimed
	from, to int64 // the lease, in time passed
}

// seen is the claim as others see it.
func (c *claim) seen(m moment) store.Record {
	out := c.record.seen(0, nil)
	if m.passed < c.to {
		out.State, out.Age, out.Left = store.InFlight, time.Duration(m.passed-c.from), 0
		if c.to != forever {
			out.Left = time.Duration(c.to - m.passed)
		}
		return out
	}
	out.State, out.Age, out.Left = store.Unknown, time.Duration(m.passed-c.to), 0
	return out
}

// The first byte of a key: what follows is an id as it is, or an id of 64 lower
// case hexadecimal digits, as the client makes them, in half of the room.
const (
	plainID = 'p'
	hexID   = 'x'
)

func keyOf(id string) []byte {
	if len(id) == 64 {
		var raw [33]byte
		raw[0] = hexID
		if _, err := hex.Decode(raw[1:], []byte(id)); err == nil && hex.EncodeToString(raw[1:]) == id {
			return raw[:]
		}
	}
	return append([]byte{plainID}, id...)
}

// idOf is the id that has a key.
func idOf(key []byte) string {
	switch {
	case len(key) == 0:
		return ""
	case key[0] == hexID:
		return hex.EncodeToString(key[1:])
	}
	return string(key[1:])
}
