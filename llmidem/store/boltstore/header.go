package boltstore

import (
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
)

// The buckets of a file.
var (
	headBucket    = []byte("head")    // one value, the header
	recordsBucket = []byte("records") // key → record, settled
	flightBucket  = []byte("flight")  // key → record, in flight
	bodiesBucket  = []byte("bodies")  // number → piece of a body

	headerKey = []byte("header")
)

// header says what has to be in a file. It changes with every commit.
type header struct {
	records, flight tally
	next            uint64 // the number of the next piece
}

// tally tells sets of keys apart: how many there are, and the sum of their hashes.
type tally struct{ count, sum uint64 }

func (t *tally) add(key []byte)    { t.count++; t.sum += keyHash(key) }
func (t *tally) remove(key []byte) { t.count--; t.sum -= keyHash(key) }

// keyHash is FNV-1a: of two keys that differ in one byte it differs for certain.
func keyHash(key []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(key) // never fails
	return h.Sum64()
}

const (
	headerVersion = 1
	headerSize    = 1 + 5*8 + 4
)

func (h *header) encode() []byte {
	v := []byte{headerVersion}
	for _, n := range []uint64{h.records.count, h.records.sum, h.flight.count, h.flight.sum, h.next} {
		v = binary.LittleEndian.AppendUint64(v, n)
	}
	return binary.LittleEndian.AppendUint32(v, crc32.Checksum(v, castagnoli))
}

// decodeHeader says why a header is none.
func decodeHeader(v []byte) (h header, fault string) {
	le := binary.LittleEndian
	switch {
	case len(v) != headerSize || le.Uint32(v[headerSize-4:]) != crc32.Checksum(v[:headerSize-4], castagnoli):
		return h, "its header fails its checksum"
	case v[0] != headerVersion:
		return h, "a later version of this package wrote it"
	}
	h.records = tally{le.Uint64(v[1:]), le.Uint64(v[9:])}
	h.flight = tally{le.Uint64(v[17:]), le.Uint64(v[25:])}
	h.next = le.Uint64(v[33:])
	return h, ""
}
