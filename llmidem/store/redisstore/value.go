package redisstore

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// A value is a header and the body of a completed record. The scripts count the
// same offsets from one.
//
//	  0  version, 1
//	  1  state: f in flight, c completed, u unknown
//	  2  encoding of the body: r as it is, z zstd
//	  3  state that the claim replaced: a, c, u
//	  4  when it was claimed or settled, milliseconds since 1970
//	 12  when its lease or the record ends; 0: without end
//	 20  owner
//	 36  fingerprint
//	 68  origin: trace id, span id, flags
//	 93  length of what follows the header
//	 97  CRC-32C of that
//	101  body
//
// Numbers are big-endian; times are 64-bit floats since Lua has no other numbers.
const (
	version    = 1
	offSince   = 4
	offEnds    = 12
	offOwner   = 20
	offPrint   = 36
	offOrigin  = 68
	offSize    = 93
	offSum     = 97
	headerSize = 101
	originSize = offSize - offOrigin
)

// What stands for a state in values and replies.
const (
	isAbsent    = 'a'
	isInFlight  = 'f'
	isCompleted = 'c'
	isUnknown   = 'u'
	isBroken    = '?' // replies only
	isWon       = 'w' // replies only

	rawBody  = 'r'
	zstdBody = 'z'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// value is what is kept of a record.
type value struct {
	state, encoding byte
	since, ends     int64 // milliseconds
	owner           store.Owner
	fingerprint     store.Fingerprint
	origin          store.Origin
	body            []byte // encoded
}

// parse reads a value. It accepts what the scripts accept, and of that only what
// has the body it had when it was written.
func parse(b []byte) (value, bool) {
	if len(b) < headerSize || b[0] != version {
		return value{}, false
	}
	v := value{state: b[1], encoding: b[2], body: b[headerSize:len(b):len(b)]}
	since, ok1 := readTime(b[offSince:])
	ends, ok2 := readTime(b[offEnds:])
	ok3 := v.encoding == rawBody || v.encoding == zstdBody
	ok4 := b[3] == isAbsent || b[3] == isCompleted || b[3] == isUnknown
	ok5 := uint64(len(v.body)) == uint64(binary.BigEndian.Uint32(b[offSize:]))
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return value{}, false
	}
	v.since, v.ends = since, ends
	copy(v.owner[:], b[offOwner:])
	copy(v.fingerprint[:], b[offPrint:])
	copy(v.origin.TraceID[:], b[offOrigin:])
	copy(v.origin.SpanID[:], b[offOrigin+16:])
	v.origin.Flags = b[offSize-1]
	switch v.state {
	case isCompleted:
		return v, crc32.Checksum(v.body, castagnoli) == binary.BigEndian.Uint32(b[offSum:])
	case isInFlight:
		return v, len(v.body) == 0 && v.ends != 0
	}
	return v, v.state == isUnknown && len(v.body) == 0
}

// readTime reads a time in milliseconds; comparisons are false of what is no number.
func readTime(b []byte) (ms int64, ok bool) {
	f := math.Float64frombits(binary.BigEndian.Uint64(b))
	if !(f >= 0 && f < 9e15) {
		return 0, false
	}
	return int64(f), true
}

// claimant is what a claim says about itself in a value: owner, fingerprint, origin.
func claimant(c store.Claim) []byte {
	b := make([]byte, 0, offSize-offOwner)
	b = append(b, c.Owner[:]...)
	b = append(b, c.Fingerprint[:]...)
	return appendOrigin(b, c.Origin)
}

func appendOrigin(b []byte, o store.Origin) []byte {
	b = append(b, o.TraceID[:]...)
	b = append(b, o.SpanID[:]...)
	return append(b, o.Flags)
}

// seal fills in length and checksum of a tail: what follows the fingerprint, from
// origin to body.
func seal(tail []byte) {
	body := tail[headerSize-offOrigin:]
	binary.BigEndian.PutUint32(tail[offSize-offOrigin:], uint32(len(body)))
	binary.BigEndian.PutUint32(tail[offSum-offOrigin:], crc32.Checksum(body, castagnoli))
}

// record is what is given out of a value without its body, at the earliest and the
// latest time, in nanoseconds since 1970, that it may be at the server.
//
// Nobody is told of more time than is left: what remembers records relies on it.
// And never of none, which would mean that there is no end: whoever asks knows that
// the server had it.
func (v *value) record(state store.State, earliest, latest int64) store.Record {
	r := store.Record{State: state, Owner: v.owner, Fingerprint: v.fingerprint, Origin: v.origin}
	from := v.since
	if state == store.Unknown && v.state == isInFlight {
		from = v.ends // since when it is unknown
	} else if v.ends != 0 {
		r.Left = max(1, sub(v.ends, latest))
	}
	r.Age = max(0, -sub(from, earliest))
	return r
}

// sub is how long after ns a time in milliseconds is. Times far away are as far
// away as a Duration can be.
func sub(ms, ns int64) time.Duration {
	const far = math.MaxInt64 / int64(time.Millisecond)
	switch diff := ms - ns/int64(time.Millisecond); {
	case diff >= far:
		return math.MaxInt64
	case diff <= -far:
		return -math.MaxInt64
	default:
		return time.Duration(diff*int64(time.Millisecond) - ns%int64(time.Millisecond))
	}
}

// milliseconds is a lease or TTL as the scripts take it: at least one.
func milliseconds(d time.Duration) int64 {
	ms := d.Milliseconds()
	if time.Duration(ms)*time.Millisecond < d {
		ms++
	}
	return ms
}

func stateOf(c byte) store.State {
	switch c {
	case isInFlight:
		return store.InFlight
	case isCompleted:
		return store.Completed
	case isUnknown, isBroken:
		return store.Unknown
	}
	return store.Absent
}

func letterOf(s store.State) byte {
	switch s {
	case store.Completed:
		return isCompleted
	case store.Unknown:
		return isUnknown
	}
	return isAbsent
}
