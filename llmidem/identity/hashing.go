package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

// readBlock is how much content is read at once.
const readBlock = 128 << 10

var readBlocks = sync.Pool{New: func() any { return new([readBlock]byte) }}

// hashFile hashes a file of the given size. Less are io.ErrUnexpectedEOF.
func hashFile(ctx context.Context, f *os.File, size int64) (*content, error) {
	if size >= window {
		if c, err := hashMapped(ctx, f, size); err != errNotMapped {
			return c, err
		}
	}
	return hashContent(ctx, f, size)
}

// hashContent reads size bytes. Less are io.ErrUnexpectedEOF.
func hashContent(ctx context.Context, r io.ReaderAt, size int64) (*content, error) {
	buf := readBlocks.Get().(*[readBlock]byte)
	defer readBlocks.Put(buf)
	c := &content{size: size, media: mediaOf(nil)}
	h := sha256.New()
	for at := int64(0); at < size; {
		if ctx.Err() != nil {
			return nil, &AttachmentError{context.Cause(ctx)}
		}
		p := buf[:min(readBlock, size-at)]
		if err := readFull(r, p, at); err != nil {
			return nil, err
		}
		if at == 0 {
			c.media = mediaOf(p)
		}
		h.Write(p)
		at += int64(len(p))
	}
	h.Sum(c.sum[:0])
	return c, nil
}

// newBytes hashes what lies in memory already, without moving it.
func newBytes(b []byte) *origin {
	o := &origin{from: bytes.NewReader(b)}
	o.state.Store(&content{sum: sha256.Sum256(b), size: int64(len(b)), media: mediaOf(b)})
	return o
}

// mediaOf is the media type of content by its first bytes.
func mediaOf(b []byte) string {
	return strings.ReplaceAll(http.DetectContentType(b), " ", "")
}

// readFull fills p from r at off. Nothing but io.EOF may come with a full p.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}
