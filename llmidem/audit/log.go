package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Log is an audit log that is open for writing. It is safe for concurrent use.
type Log struct {
	config
	path  string // of the file itself, without symbolic links
	lock  *os.File
	sums  sums // of the current secret; under mu
	close sync.Once
	ended error // of close

	mu      sync.Mutex
	next    position // what the next record continues
	groups  []*group // what waits to be written, in order
	queued  int      // bytes in groups
	spare   []byte   // the buffer of a group that is done
	broken  error    // why the log takes no more records
	closed  bool
	durable Head // the last record that is on the disk

	wake    chan struct{} // there is a group
	closing chan struct{}
	stopped sync.WaitGroup // the writer

	writer writer
}

// position is what a record needs to know of those before it.
type position struct {
	seq  uint64
	prev [hashLen]byte
	size int64 // of the file
	// first is the number of the file's first record, and day when that was made; of the
	// file before while this one is empty.
	first uint64
	day   string
}

func (p *position) head() (h Head) {
	h.Sequence = p.seq
	_, _ = hex.Decode(h.Hash[:], p.prev[:]) // we have encoded it
	return h
}

// Append adds a record of kind [KindIntent] or [KindOutcome] and returns its place in
// the log once it is as safe as [WithSync] says: by default, on the disk. The log
// does not keep the record's slice. The error is [ErrRecord], [ErrClosed], [ErrBehind], the
// operating system's (as when the disk is full: the record is not in the log then,
// and the log goes on when there is room), or [ErrUnusable], from which on no record is
// taken. An error that is [ErrInDoubt], as that of a context that ended while the record
// was on its way, says that nobody knows.
func (l *Log) Append(ctx context.Context, r Record) (Head, error) {
	if err := r.validate(); err != nil {
		return Head{}, err
	}
	switch {
	case r.User != "" && l.hashUsers:
		r.User, r.UserHash = "", l.userSecret.HashUser(r.User)
	case !l.plainUsers:
		r.User = ""
	}
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	*buf = appendBody((*buf)[:0], &r)
	if len(*buf)+maxBegin+tailLen > maxLine {
		return Head{}, fmt.Errorf("%w: its line would have more than %d bytes: it has %d attempts", ErrRecord, maxLine, len(r.Attempts))
	}
	return l.append(ctx, *buf, false)
}

// maxBegin is more than the beginning of any line.
const maxBegin = 512

var bodies = sync.Pool{New: func() any { return new([]byte) }}

// append has a record written and waits for that.
func (l *Log) append(ctx context.Context, body []byte, last bool) (Head, error) {
	if ctx.Err() != nil {
		return Head{}, fmt.Errorf("audit: nothing was logged: %w", context.Cause(ctx))
	}
	g, head, err := l.enqueue(body, last)
	if err != nil {
		return Head{}, err
	}
	select {
	case <-g.done:
	case <-ctx.Done():
		select {
		case <-g.done: // at the same time: then it is known
		default:
			return Head{}, fmt.Errorf("%w: %w", ErrInDoubt, context.Cause(ctx))
		}
	}
	if g.err != nil {
		return Head{}, g.err
	}
	return head, nil
}

// Durable reports whether a record is on the disk when its Append returns: under any
// policy but [SyncAsync].
func (l *Log) Durable() bool { return !l.sync.async }

// Head returns the place of the last record that is on the disk, for an anchor: kept
// where whoever can write the log cannot, it shows that the log was cut or made anew.
func (l *Log) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.durable
}

// Path returns the path of the file, as it is without symbolic links.
func (l *Log) Path() string { return l.path }

// Close writes what is on its way, brings all to the disk and gives the file back.
// Append fails with [ErrClosed] from then on. The error says that the last records, or
// all of them since the log became [ErrUnusable], may not be on the disk. Close may be
// called again and then returns what it did the first time.
func (l *Log) Close() error {
	l.close.Do(func() {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		close(l.closing)
		l.stopped.Wait()
		l.ended = errors.Join(l.fault(), l.writer.shut(), unlock(l.lock))
	})
	return l.ended
}

// fault is why the log takes no more records, or nil.
func (l *Log) fault() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// dayOf is the day of a time, such that days sort as they follow each other.
func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }
