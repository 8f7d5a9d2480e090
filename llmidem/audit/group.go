package audit

import (
	"time"
)

// group are records that are written together, and those who wait for that.
type group struct {
	buf    []byte
	n      int
	rotate bool     // the file before is full: this begins the next one
	after  position // what follows it continues

	full chan struct{} // closed when it takes no more
	done chan struct{} // closed when err says what became of it
	err  error
}

// mostBytes is how long a group may be before the next one begins.
const mostBytes = 1 << 20

// enqueue gives a record its number and hash, and a place in a group. That the chain
// goes through memory here, ahead of the file, lets one group be made while the one
// before is on its way to the disk. A group does not wait for more behind its last one.
func (l *Log) enqueue(body []byte, last bool) (*group, Head, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.broken != nil:
		return nil, Head{}, l.broken
	case l.closed:
		return nil, Head{}, ErrClosed
	case l.queued > l.mostQueued:
		return nil, Head{}, ErrBehind
	}
	now := l.now()
	g := l.gather(now, len(body))
	l.extend(g, now, body)
	if last || g.n >= l.sync.records || len(g.buf) >= mostBytes {
		g.shut()
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return g, l.next.head(), nil
}

// gather returns the group that takes a record now.
func (l *Log) gather(now time.Time, body int) *group {
	rotate := l.due(now, int64(body+maxBegin))
	if n := len(l.groups); n > 0 && !rotate && !l.groups[n-1].isFull() {
		return l.groups[n-1]
	}
	g := &group{buf: l.spare[:0], rotate: rotate, full: make(chan struct{}), done: make(chan struct{})}
	l.spare = nil
	if n := len(l.groups); n > 0 {
		l.groups[n-1].shut()
	}
	l.groups = append(l.groups, g)
	if rotate {
		l.turnOver(g, now)
	}
	return g
}

// due reports whether the file that the next record is for must be another one.
func (l *Log) due(now time.Time, more int64) bool {
	p := &l.next
	switch {
	case p.size == 0: // it was not begun, since there was no room
		return p.seq > 0
	case l.rotateSize > 0 && p.size+more > l.rotateSize && p.size > firstBytes:
		return true
	}
	return l.daily && dayOf(now) > p.day
}

// firstBytes is more than a file has that nobody has written into yet: rotating that
// makes no room.
const firstBytes = 1024

// turnOver writes the first record of a file.
func (l *Log) turnOver(g *group, now time.Time) {
	l.next.size = 0
	l.extend(g, now, appendBody(nil, &Record{Kind: KindRotated, File: rotatedName(l.path, l.next.first)}))
}

// extend writes a record behind a group's others.
func (l *Log) extend(g *group, now time.Time, body []byte) {
	p := &l.next
	begin := len(g.buf)
	g.buf = appendBegin(g.buf, p.seq+1, now, p.prev[:], l.secret.id)
	g.buf = append(g.buf, body...)
	copy(p.prev[:], l.sums.of(g.buf[begin:], l.sums.macs[l.secret.id]))
	g.buf = append(g.buf, hashBegin...)
	g.buf = append(g.buf, p.prev[:]...)
	g.buf = append(g.buf, lineEnd...)
	if p.size == 0 {
		p.first, p.day = p.seq+1, dayOf(now)
	}
	p.seq++
	p.size += int64(len(g.buf) - begin)
	l.queued += len(g.buf) - begin
	g.n++
	g.after = *p
}

func (g *group) isFull() bool {
	select {
	case <-g.full:
		return true
	default:
		return false
	}
}

func (g *group) shut() {
	if !g.isFull() {
		close(g.full)
	}
}
