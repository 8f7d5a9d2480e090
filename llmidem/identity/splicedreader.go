package identity

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

var errClosed = errors.New("identity: the request's body is closed")

// splicedReader reads a body with content in place of its placeholders.
type splicedReader struct {
	ctx  context.Context
	body io.ReaderAt
	size int64
	list []splice // those that are still to come

	mu     sync.Mutex
	at     int64 // in body
	now    *contentReader
	raw    []byte // the room that contents share
	err    error
	closed atomic.Bool
}

func (r *splicedReader) Read(p []byte) (n int, err error) {
	n, err = r.read(p)
	if r.closed.Load() { // and Close may have left the rest to us
		r.mu.Lock()
		r.release()
		r.mu.Unlock()
		return 0, errClosed
	}
	return n, err
}

func (r *splicedReader) read(p []byte) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) && r.err == nil {
		var m int
		m, r.err = r.step(p[n:])
		n += m
	}
	if n > 0 {
		return n, nil
	}
	if r.err != nil {
		r.release()
	}
	return 0, r.err
}

// step reads from the body up to the next placeholder, or from the content there.
func (r *splicedReader) step(p []byte) (int, error) {
	if r.closed.Load() {
		return 0, errClosed
	}
	if r.now != nil {
		n, err := r.now.Read(p)
		if err == io.EOF {
			r.now.Close()
			r.now, r.at, r.list, err = nil, r.list[0].to, r.list[1:], nil
		}
		return n, err
	}
	limit := r.size
	if len(r.list) > 0 {
		limit = r.list[0].from
	}
	if n := min(int64(len(p)), limit-r.at); n > 0 {
		err := readFull(r.body, p[:n], r.at)
		if err != nil {
			return 0, err
		}
		r.at += n
		return int(n), nil
	}
	if len(r.list) == 0 {
		return 0, io.EOF
	}
	if r.raw == nil {
		r.raw = make([]byte, rawBlock)
	}
	var err error
	r.now, err = openContent(r.ctx, &r.list[0], r.raw)
	return 0, err
}

// release lets go of what is open. The lock is held.
func (r *splicedReader) release() {
	if r.now != nil {
		r.now.Close()
		r.now = nil
	}
}

// Close does not wait for a Read that waits for a disk; that one cleans up then.
func (r *splicedReader) Close() error {
	r.closed.Store(true)
	if r.mu.TryLock() {
		r.release()
		r.mu.Unlock()
	}
	return nil
}
