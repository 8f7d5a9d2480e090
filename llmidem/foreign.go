package llmidem

import (
	"bytes"
	"crypto/sha256"
	"io"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// recordBound is the first byte of a record that outlives the process: a digest
// that binds it to its place stands before what is recorded, so that no copy of
// another call's record, or of a part of this one, is read as this one. It is no
// protection from whoever can write to the store and knows how: that is
// store.Sealed's.
const recordBound = 3

const boundSize = 1 + sha256.Size

// encode writes an answer as the client's store keeps it.
func (c *call) encode(ans *answer) []byte {
	if !c.outlives {
		return encodeRecord(ans, 0)
	}
	b := encodeRecord(ans, boundSize)
	b[0] = recordBound
	sum := c.binding(b[boundSize:])
	copy(b[1:], sum[:])
	return b
}

// binding is the digest of a recorded answer and its place.
func (c *call) binding(payload []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(c.address))
	h.Write(c.finger[:])
	h.Write(payload)
	return [sha256.Size]byte(h.Sum(nil))
}

// payload is what is recorded, without the binding.
func (c *call) payload(body []byte) []byte {
	if c.outlives {
		return body[boundSize:]
	}
	return body
}

// decode reads a record of the client's store. One that others may have written is
// judged like an answer off the wire: it is whole, or it is in doubt.
func (c *call) decode(rec store.Record) (*answer, error) {
	if !c.outlives {
		return decodeRecord(rec)
	}
	if len(rec.Body) < boundSize || rec.Body[0] != recordBound ||
		c.binding(rec.Body[boundSize:]) != [sha256.Size]byte(rec.Body[1:boundSize]) {
		return nil, errRecord
	}
	rec.Body = c.payload(rec.Body)
	ans, err := decodeRecord(rec)
	if err != nil || !c.holds(ans) {
		return nil, errRecord
	}
	return ans, nil
}

// holds reports whether a recorded answer is one that this client would have kept.
func (c *call) holds(ans *answer) bool {
	switch {
	case c.result != "":
		return complete.Valid(ans.body)
	case ans.streamed:
		return c.holdsStream(ans)
	}
	plain := ans.body
	if decoded, ok := gunzip(ans.header, ans.body, c.cfg.MaxEntry); ok {
		plain = decoded
	}
	v := c.judge(ans, plain, true)
	return v.Terminal && v.Keep
}

// holdsStream is that for a recorded stream.
func (c *call) holdsStream(ans *answer) bool {
	f := c.newFeed(io.NopCloser(bytes.NewReader(ans.body)), ans.header)
	for {
		ev, err := f.next()
		switch {
		case err == io.EOF:
			v := f.judge.Result()
			return !f.blind && (v.Terminal && v.Keep || !f.ruled)
		case err != nil, ev.signal&complete.SignalError != 0:
			return false
		}
	}
}
