package llmidem

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

const (
	// sharedMax is how much of a stream is held for those who read it together.
	sharedMax = 64 << 20
	// ahead is how far a stream that is not kept is read before its only reader.
	ahead = 256 << 10
	// unreadMax is how long a stream stays open that nobody reads.
	unreadMax = 5 * time.Minute
)

// recording is the bytes of a stream, as far as they have come. One goroutine
// adds to it, any number read it, each from the first byte and at its own pace.
// A recorded stream is one that has its end already.
type recording struct {
	mu   sync.Mutex
	cond sync.Cond // of mu: there are more bytes, room, fewer readers, or the end

	buf  []byte
	base int64 // of buf in the stream: what came before was let go
	done bool
	end  func(*reader) error // what a reader finds behind the last byte

	readers  map[*reader]struct{}
	promised int  // readers that are still to come
	shared   bool // there was more than one
	kept     bool // everything is held, to be recorded
	idle     *time.Timer
	waiting  int // readers that have read all there is
	lastRead time.Time
	left     func(*reader) // a reader is gone, called under mu
	unread   func()        // nobody has read for a while, called without mu
}

func (r *recording) init() {
	r.cond.L = &r.mu
	r.readers = map[*reader]struct{}{}
}

// newReplay is the recording of a stream that is over.
func newReplay(body []byte) *recording {
	r := &recording{buf: body, done: true, promised: 1, end: func(*reader) error { return io.EOF }}
	r.init()
	return r
}

// people is how many read or will.
func (r *recording) people() int { return len(r.readers) + r.promised }

// add appends bytes. The caller holds mu.
func (r *recording) add(b []byte) {
	r.buf = append(r.buf, b...)
	if !r.kept {
		r.trim()
	}
	r.cond.Broadcast()
}

// trim lets go of what nobody needs, and of the slowest readers when they need
// too much.
func (r *recording) trim() {
	if r.shared {
		if len(r.buf) <= sharedMax {
			return
		}
		for rd := range r.readers {
			rd.lost = rd.lost || r.base+int64(len(r.buf))-rd.pos > sharedMax/4*3
		}
	}
	low := r.base + int64(len(r.buf))
	for rd := range r.readers {
		if !rd.lost {
			low = min(low, rd.pos)
		}
	}
	if r.promised > 0 && !r.shared { // whoever comes starts at the beginning
		low = r.base
	}
	if n := low - r.base; n >= int64(len(r.buf))/4 {
		r.buf = r.buf[:copy(r.buf, r.buf[n:])]
		r.base = low
	}
}

// full reports whether there is enough for now: the one reader is far behind, and
// what it has read is not kept.
func (r *recording) full() bool {
	if r.kept || r.shared || r.people() == 0 {
		return false
	}
	lag := int64(len(r.buf))
	for rd := range r.readers {
		lag = r.base + int64(len(r.buf)) - rd.pos
	}
	return lag > ahead
}

// reader is one caller's part in a recording: the body of its response.
type reader struct {
	rec  *recording
	ctx  context.Context
	call *call
	ans  *answer

	stop   func() bool // ends the watch over ctx
	pays   bool        // what the stream costs is this caller's
	then   func(error) // once, when the caller has had all, or wants no more
	once   sync.Once
	pos    int64 // guarded by rec.mu, as is the rest
	lost   bool  // it was too slow
	unread bool  // it has not read for too long
	closed bool
}

// open gives a reader a place that was promised.
func (r *recording) open(rd *reader) {
	rd.rec = r
	r.mu.Lock()
	r.promised--
	r.readers[rd] = struct{}{}
	r.shared = r.shared || r.people() > 1
	r.cond.Broadcast() // one who joins must not wait for room that another makes
	r.mu.Unlock()
	rd.watch()
}

// watch ends the reading when the caller's context ends.
func (rd *reader) watch() {
	if rd.ctx.Done() != nil {
		stop := context.AfterFunc(rd.ctx, func() { rd.leave(nil) })
		rd.rec.mu.Lock()
		rd.stop = stop
		rd.rec.mu.Unlock()
	}
}

// Read gives out what has come, no more than one event at a time, and waits when
// there is nothing.
func (rd *reader) Read(p []byte) (int, error) {
	n, err := rd.read(p)
	if err != nil {
		rd.conclude(err)
	}
	return n, err
}

func (rd *reader) read(p []byte) (int, error) {
	r := rd.rec
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case rd.closed:
			return 0, rd.gone()
		case rd.lost || rd.pos < r.base:
			return 0, rd.call.failure(CodeInterrupted, "this caller reads so slowly that the stream was no longer held for it", nil)
		case len(p) == 0:
			return 0, nil
		case rd.pos < r.base+int64(len(r.buf)):
			from := r.buf[rd.pos-r.base:]
			n := copy(p, from[:eventEnd(from, len(p))])
			rd.pos += int64(n)
			if r.idle != nil {
				r.lastRead = time.Now()
			}
			if !r.kept && !r.done {
				r.cond.Broadcast() // there is room now
			}
			return n, nil
		case r.done:
			return 0, r.end(rd)
		}
		r.waiting++
		r.cond.Wait()
		r.waiting--
	}
}

// gone is what Read returns after Close, or after the end of the context.
func (rd *reader) gone() error {
	switch {
	case rd.ctx.Err() != nil:
		return rd.call.streamLeft(rd.ctx)
	case rd.unread:
		return rd.call.failure(CodeInterrupted, endReason(errUnread), errUnread)
	}
	return errClosedBody
}

// eventEnd is where the first event of b ends, its blank line included, or limit
// if that comes first.
func eventEnd(b []byte, limit int) int {
	b = b[:min(limit, len(b))]
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return len(b)
		}
		at += i + 1
		switch {
		case at < len(b) && b[at] == '\n':
			return at + 1
		case at+1 < len(b) && b[at] == '\r' && b[at+1] == '\n':
			return at + 2
		}
	}
}

// Close ends this caller's reading, and that of nobody else.
func (rd *reader) Close() error {
	rd.leave(errClosedBody)
	return nil
}

func (rd *reader) leave(err error) {
	if err == nil {
		err = context.Cause(rd.ctx)
	}
	rd.rec.mu.Lock()
	rd.closed = true
	rd.rec.cond.Broadcast()
	rd.rec.mu.Unlock()
	rd.conclude(err)
}

// conclude takes the reader out of the recording and says so, once.
func (rd *reader) conclude(err error) {
	rd.once.Do(func() {
		r := rd.rec
		r.mu.Lock()
		if rd.stop != nil {
			rd.stop()
		}
		delete(r.readers, rd)
		if r.left != nil {
			r.left(rd)
		}
		r.cond.Broadcast()
		r.mu.Unlock()
		rd.then(err)
	})
}

// guardUnread closes a stream that nobody reads. The caller holds mu.
func (r *recording) guardUnread() {
	r.lastRead = time.Now()
	r.idle = time.AfterFunc(unreadMax, func() {
		r.mu.Lock()
		since := time.Since(r.lastRead)
		if r.waiting > 0 { // for more to come
			since = 0
		}
		if since < unreadMax {
			r.idle.Reset(unreadMax - since)
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		r.unread()
	})
}
