package redisstore

import (
	"errors"
	"runtime"

	"github.com/klauspost/compress/zstd"
)

// codec makes bodies smaller and reads them again. It is safe for concurrent use,
// starts no goroutine, and needs no end.
type codec struct {
	above int // bodies longer than that are compressed; negative: none
	enc   *zstd.Encoder
	dec   *zstd.Decoder
}

// newCodec returns a codec whose bodies have at most limit bytes: what claims to
// be longer when it is unpacked, or is, is not unpacked any further.
func newCodec(above int, limit int64) (*codec, error) {
	procs := runtime.GOMAXPROCS(0)
	// The level below, SpeedFastest, gives up on text between 700 and 1500 bytes.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(procs),
		zstd.WithEncoderCRC(false)) // the value has a checksum
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(procs), zstd.WithDecoderMaxMemory(uint64(max(limit, 1))))
	if err != nil {
		return nil, err
	}
	return &codec{above, enc, dec}, nil
}

// append appends a body to a header, compressed if that makes it shorter.
func (c *codec) append(header, body []byte) (b []byte, encoding byte) {
	if c.above >= 0 && len(body) > c.above {
		if b = c.enc.EncodeAll(body, header); len(b)-len(header) < len(body) {
			return b, zstdBody
		}
	}
	return append(header, body...), rawBody
}

var errEncoding = errors.New("redisstore: unknown encoding")

// body is the body of a completed record.
func (c *codec) body(v *value) ([]byte, error) {
	switch v.encoding {
	case rawBody:
		return v.body, nil
	case zstdBody:
		b, err := c.dec.DecodeAll(v.body, nil)
		return b[:len(b):len(b)], err
	}
	return nil, errEncoding
}
