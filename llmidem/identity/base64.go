package identity

import (
	"bytes"
	"crypto/sha256"
	"hash"

	"github.com/segmentio/asm/base64"
)

// chunk is how much base64 is decoded at once: input and output stay in the first
// levels of cache until they are hashed.
const chunk = 32 << 10

// decoder hashes what base64 stands for without ever holding the whole of it.
type decoder struct {
	h    hash.Hash
	size int64
	sum  [sha256.Size]byte
	in   []byte // unescaped base64, for payloads that hold escapes
	out  []byte
}

func (d *decoder) reset() {
	if d.h == nil {
		d.h = sha256.New()
		d.out = make([]byte, chunk/4*3+8)
	}
	d.h.Reset()
	d.size = 0
}

// attachment is what was decoded.
func (d *decoder) attachment(encoding string, media span) attachment {
	d.h.Sum(d.sum[:0])
	return attachment{sum: d.sum, size: d.size, encoding: encoding, media: media}
}

// quads hashes p, whose length is a multiple of four, without padding. Libraries
// skip CR and LF; what is skipped shows in the length of the output, and so does
// padding.
func (d *decoder) quads(p []byte) bool {
	for len(p) > 0 {
		c := p[:min(len(p), chunk)]
		n, err := base64.StdEncoding.Decode(d.out, c)
		if err != nil || n != len(c)/4*3 {
			return false
		}
		d.h.Write(d.out[:n])
		d.size += int64(n)
		p = p[len(c):]
	}
	return true
}

// final hashes the last quad, which may be padded, and whose unused bits must be
// zero (RFC 4648, sections 3.2 and 3.5).
func (d *decoder) final(q []byte) bool {
	a, b, c, e := sextet(q[0]), sextet(q[1]), sextet(q[2]), sextet(q[3])
	n := 3
	if q[3] == '=' {
		n, e = 2, 0
		if q[2] == '=' {
			n, c = 1, 0
		}
	}
	if a|b|c|e > 63 || n == 2 && c&3 != 0 || n == 1 && b&15 != 0 {
		return false
	}
	d.out[0], d.out[1], d.out[2] = a<<2|b>>4, b<<4|c>>2, c<<6|e
	d.h.Write(d.out[:n])
	d.size += int64(n)
	return true
}

// sextet returns the value of a character of the alphabet, 255 of all others.
func sextet(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A'
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26
	case '0' <= c && c <= '9':
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return 255
}

// end hashes the last piece of a payload.
func (d *decoder) end(p []byte) bool {
	n := len(p)
	if n == 0 {
		return d.size == 0
	}
	return n%4 == 0 && d.quads(p[:n-4]) && d.final(p[n-4:])
}

// payload hashes the strict base64 from src[i] to the closing quote and returns
// the offset after that.
func (d *decoder) payload(src []byte, i int) (int, bool) {
	d.reset()
	start := i
	for {
		// four more than a chunk, so that the last quad is never within a chunk
		w := src[i:min(len(src), i+chunk+4)]
		if q := bytes.IndexByte(w, '"'); q >= 0 {
			if d.end(w[:q]) {
				return i + q + 1, true
			}
			return d.retry(src, start, w)
		}
		if len(w) < chunk+4 {
			return 0, false
		}
		if !d.quads(w[:chunk]) {
			return d.retry(src, start, w)
		}
		i += chunk
	}
}

// retry reads the payload once more if the window that failed holds an escape,
// such as the \/ that some encoders write.
func (d *decoder) retry(src []byte, start int, w []byte) (int, bool) {
	if !hasEscape(w) {
		return 0, false
	}
	return d.escaped(src, start)
}

// escaped is payload for text with escapes, of which only those of the alphabet
// can be in base64.
func (d *decoder) escaped(src []byte, i int) (int, bool) {
	d.reset()
	d.in = d.in[:0]
	for i < len(src) {
		c := src[i]
		i++
		switch {
		case c == '"':
			return i, d.end(d.in)
		case c == '\\':
			var ok bool
			if c, i, ok = escapedByte(src, i); !ok {
				return 0, false
			}
		}
		if len(d.in) == chunk+4 {
			if !d.quads(d.in[:chunk]) {
				return 0, false
			}
			d.in = append(d.in[:0], d.in[chunk:]...)
		}
		d.in = append(d.in, c)
	}
	return 0, false
}

// escapedByte reads the escape whose backslash lies before i, if it is of one
// ASCII character.
func escapedByte(src []byte, i int) (c byte, next int, ok bool) {
	if i < len(src) && src[i] == '/' {
		return '/', i + 1, true
	}
	if i < len(src) && src[i] == 'u' {
		if u := hex4(src, i+1); 0 <= u && u < 0x80 {
			return byte(u), i + 5, true
		}
	}
	return 0, i, false
}
