package identity

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// content is what an origin was found to hold. Nothing changes it.
type content struct {
	sum   [sha256.Size]byte
	size  int64
	media string

	stamp stamp     // of a file
	begun time.Time // the hashing
	racy  bool      // stamp might not show a change
}

// origin is where the content of attachments lies.
type origin struct {
	path  string      // "" of what is no file
	from  io.ReaderAt // of what is no file
	now   func() time.Time
	turn  chan struct{} // who hashes
	state atomic.Pointer[content]
}

func newFile(path string) (*origin, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	o := &origin{path: path, now: time.Now, turn: make(chan struct{}, 1)}
	c, err := o.read(context.Background())
	if err != nil {
		return nil, err
	}
	o.state.Store(c)
	return o, nil
}

func newReader(r io.ReaderAt, size int64) (*origin, error) {
	c, err := hashContent(context.Background(), r, size)
	if err != nil {
		return nil, &AttachmentError{err}
	}
	o := &origin{from: r}
	o.state.Store(c)
	return o, nil
}

// last is what was found last, nothing of the origin that a zero Attachment has.
func (o *origin) last() *content {
	if o == nil {
		return &content{sum: sha256.Sum256(nil)}
	}
	return o.state.Load()
}

// current is what the origin holds now. Strict is for what goes into a document; a
// placeholder needs no hash of what only might have changed.
func (o *origin) current(ctx context.Context, strict bool) (*content, error) {
	c := o.last()
	if o.path == "" {
		return c, nil
	}
	asked := o.now()
	info, err := statFile(o.path)
	if err != nil {
		return nil, withoutPath(err)
	}
	now := stampOf(info)
	if now.same(c.stamp) && !(strict && c.racy) {
		return c, nil
	}
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return nil, &AttachmentError{context.Cause(ctx)}
	}
	if c = o.last(); c.begun.After(asked) && now.same(c.stamp) {
		return c, nil // somebody hashed it meanwhile
	}
	if c, err = o.read(ctx); err != nil {
		return nil, withoutPath(err)
	}
	o.state.Store(c)
	return c, nil
}

// rereads is how often a file is read that changes meanwhile.
const rereads = 3

// read hashes the file as it stands.
func (o *origin) read(ctx context.Context) (c *content, err error) {
	for range rereads {
		var whole bool
		if c, whole, err = o.readOnce(ctx); err != nil || whole {
			return c, err
		}
	}
	return nil, &AttachmentError{ErrChanged}
}

// readOnce reports whether the file stayed as it was while it was read.
func (o *origin) readOnce(ctx context.Context) (c *content, whole bool, err error) {
	begun := o.now()
	f, before, err := openFile(o.path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	c, err = hashFile(ctx, f, before.size())
	if err == io.ErrUnexpectedEOF {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if !unchanged(f, before) {
		return nil, false, nil
	}
	c.stamp, c.begun = before, begun
	c.racy = before.racy(begun, o.now())
	return c, true, nil
}

// unchanged reports whether a file that was read to the size in its stamp ends there
// and is as it was.
func unchanged(f *os.File, before stamp) bool {
	var more [1]byte
	if n, err := f.ReadAt(more[:], before.size()); n != 0 || err != io.EOF {
		return false
	}
	info, err := f.Stat()
	return err == nil && stampOf(info).same(before)
}
