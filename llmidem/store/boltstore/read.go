package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// pieceSize is how long the pieces of a body are, except the last: with their keys
// some of them fill a page well, whatever the length of the body.
const pieceSize = 484

// piecesOf is how many pieces a body of that size has.
func piecesOf(size uint32) uint64 { return (uint64(size) + pieceSize - 1) / pieceSize }

// pieceKey is the key of a piece: in the order of the numbers.
func pieceKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// cut divides a body, which it copies: it may be written after its owner has left.
func cut(b []byte) [][]byte {
	b = append([]byte(nil), b...)
	pieces := make([][]byte, 0, piecesOf(uint32(len(b))))
	for len(b) > pieceSize {
		pieces, b = append(pieces, b[:pieceSize]), b[pieceSize:]
	}
	if len(b) > 0 {
		pieces = append(pieces, b)
	}
	return pieces
}

// join puts a body together; ok says that it is the one that was written.
func join(bodies *bbolt.Bucket, b body) (content []byte, ok bool) {
	if b.size > mostEntry {
		return nil, false
	}
	content = make([]byte, 0, b.size)
	c := bodies.Cursor()
	number := b.first
	for k, v := c.Seek(pieceKey(number)); len(content) < int(b.size); k, v = c.Next() {
		if len(k) != 8 || binary.BigEndian.Uint64(k) != number || len(v) == 0 || len(v) > int(b.size)-len(content) {
			return nil, false
		}
		content = append(content, v...)
		number++
	}
	return content, crc32.Checksum(content, castagnoli) == b.sum
}

// read returns the settled record of a key. One that is damaged is in doubt: it
// was settled, and nobody knows as what.
func read(records, bodies *bbolt.Bucket, key []byte, now moment) (rec store.Record, damaged bool) {
	v := records.Get(key)
	if v == nil {
		return store.Record{}, false
	}
	r, ok := decode(key, v)
	switch {
	case !ok:
		return store.Record{State: store.Unknown}, true
	case now.wall >= r.until && r.until != forever:
		return store.Record{}, false
	case r.state != store.Completed:
		return r.seen(now.wall, nil), false
	}
	content, ok := join(bodies, r.body)
	if !ok { // whose it was is known: that has a checksum of its own
		r.state = store.Unknown
		return r.seen(now.wall, nil), true
	}
	return r.seen(now.wall, content), false
}

// claimed is the claim of an id that is in flight, if there is one.
func (s *Store) claimed(id string) (claim, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.flight[id]
	return c, ok
}

// find returns the record of an id. What is in flight is looked at first: see
// publish.
func (s *Store) find(id string, key []byte) (rec store.Record, err error) {
	now := s.clock.at()
	if err := s.fault(); err != nil {
		return rec, err
	}
	if c, ok := s.claimed(id); ok {
		return c.seen(now), nil
	}
	damaged := false
	err = guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			rec, damaged = read(tx.Bucket(recordsBucket), tx.Bucket(bodiesBucket), key, now)
			return nil
		})
	})
	if damaged {
		s.report(id)
	}
	switch {
	case err == nil:
		return rec, nil
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return store.Record{}, ErrClosed
	}
	return store.Record{}, s.misread(err)
}

// misread is what reading comes to where the file is damaged. Other records may be
// read still.
func (s *Store) misread(err error) error {
	return fmt.Errorf("%w: %s: read: %w", ErrDamaged, s.path, err)
}

// report counts a damaged record, and names the first one.
func (s *Store) report(id string) {
	s.counters.damaged.Add(1)
	s.counters.reported.Do(func() {
		s.log.Warn("a record is damaged and in doubt; further ones are only counted", "id", id)
	})
}
