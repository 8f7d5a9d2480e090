package identity

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"os"

	"github.com/segmentio/asm/base64"
)

// rawBlock is how much content is read at once: whole groups of base64, and little
// enough to stay in the second level of cache until it is encoded.
const rawBlock = 96 << 10

// contentReader reads one content in the form in which it goes out. No byte of its
// last block is given out before the whole was found to be what was hashed.
type contentReader struct {
	ctx   context.Context
	is    *content
	from  io.ReaderAt
	file  *os.File  // nil of what is no file
	hash  hash.Hash // nil where the file's stamp is proof enough
	plain bool      // no base64

	head   string // that is still to be given out
	raw    []byte
	lo, hi int     // of what is still to be given out of raw
	off    int64   // of what was read
	quad   [4]byte // a group that was cut by the end of somebody's buffer
	left   int     // of quad
}

func openContent(ctx context.Context, s *splice, raw []byte) (*contentReader, error) {
	r := &contentReader{ctx: ctx, is: s.is, from: s.origin.from, raw: raw, head: s.head(), plain: s.kind == kindRaw}
	if s.origin.path != "" {
		f, now, err := openFile(s.origin.path)
		if err != nil {
			return nil, withoutPath(err)
		}
		r.file, r.from = f, f
		if !now.same(s.is.stamp) {
			r.Close()
			return nil, &AttachmentError{ErrChanged}
		}
	}
	if r.file == nil || s.is.racy {
		r.hash = sha256.New()
	}
	if s.is.size == 0 {
		if err := r.verify(); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// Close closes the file.
func (r *contentReader) Close() {
	if r.file != nil {
		_ = r.file.Close() // it was read
	}
}

func (r *contentReader) Read(p []byte) (n int, err error) {
	if r.head != "" {
		n = copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if r.left > 0 {
		n = copy(p, r.quad[4-r.left:])
		r.left -= n
		return n, nil
	}
	if r.lo == r.hi {
		if r.off == r.is.size {
			return 0, io.EOF
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	if r.plain {
		n = copy(p, r.raw[r.lo:r.hi])
		r.lo += n
		return n, nil
	}
	return r.encode(p), nil
}

// encode gives out as many groups as there is room for, or a part of one.
func (r *contentReader) encode(p []byte) int {
	in := r.raw[r.lo:r.hi]
	groups := min(len(p)/4, len(in)/3)
	if groups > 0 {
		base64.StdEncoding.Encode(p[:groups*4], in[:groups*3])
		r.lo += groups * 3
		return groups * 4
	}
	in = in[:min(3, len(in))]
	base64.StdEncoding.Encode(r.quad[:], in)
	r.lo += len(in)
	n := copy(p, r.quad[:])
	r.left = 4 - n
	return n
}

// fill reads the next block.
func (r *contentReader) fill() error {
	if r.ctx.Err() != nil {
		return &AttachmentError{context.Cause(r.ctx)}
	}
	p := r.raw[:min(int64(len(r.raw)), r.is.size-r.off)]
	switch err := readFull(r.from, p, r.off); {
	case err == io.ErrUnexpectedEOF:
		return &AttachmentError{ErrChanged} // it was longer
	case err != nil:
		return withoutPath(err)
	}
	r.off += int64(len(p))
	if r.hash != nil {
		r.hash.Write(p)
	}
	if r.off == r.is.size {
		if err := r.verify(); err != nil {
			return err
		}
	}
	r.lo, r.hi = 0, len(p)
	return nil
}

// verify shows that what was read is what was hashed.
func (r *contentReader) verify() error {
	if r.file != nil && !unchanged(r.file, r.is.stamp) {
		return &AttachmentError{ErrChanged}
	}
	if r.hash != nil {
		var sum [sha256.Size]byte
		if r.hash.Sum(sum[:0]); sum != r.is.sum {
			return &AttachmentError{ErrChanged}
		}
	}
	return nil
}
