package llmidem

import (
	"time"
)

// admission is what a newcomer to a stream in flight is told.
type admission uint8

const (
	admitted admission = iota
	admitLater
	admitNever
)

// admit lets a newcomer in who will read from the beginning.
func (l *live) admit() admission {
	l.mu.Lock()
	defer l.mu.Unlock()
	over := l.final != nil || l.done
	switch {
	case l.base > 0:
		return admitNever
	case over && !l.result.Terminal, !over && l.ctx.Err() != nil:
		return admitLater // it is being cut off, or was
	}
	l.promised++
	if l.limit != nil && !over {
		l.limit.Stop()
		l.limit = nil
	}
	l.cond.Broadcast()
	return admitted
}

// readerLeft notes that a caller has read all or wants no more.
func (l *live) readerLeft(*reader) {
	l.stopIdle()
	l.limitAlone()
}

// unclaimed reports, when nobody can join any more, whether nobody was or will be
// told what the stream cost. taken says that somebody was to pay.
func (l *live) unclaimed(taken bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.people() > 0 || taken && !l.unpaid {
		return false
	}
	l.unpaid = false
	return true
}

// stopIdle ends the watch over readers when there is none left. The caller holds
// mu.
func (l *live) stopIdle() {
	if l.done && l.people() == 0 && l.idle != nil {
		l.idle.Stop()
	}
}

// abandon closes a stream that nobody reads.
func (l *live) abandon() {
	l.mu.Lock()
	done := l.done
	var all []*reader
	for rd := range l.readers {
		rd.unread = done
		all = append(all, rd)
	}
	l.mu.Unlock()
	if !done {
		l.cancel(errUnread) // the readers learn it when they come back
		return
	}
	for _, rd := range all {
		rd.leave(errUnread)
	}
}

// limitAlone bounds a stream that nobody reads. The caller holds mu.
func (l *live) limitAlone() {
	drain := l.call.cfg.Drain
	switch {
	case l.people() > 0 || l.done || l.holding || l.final != nil:
	case l.finished:
		l.bound(tailTime, tailBytes, errTailOver)
	case drain.on() && l.call.recallMode != recallNone:
		drain = drain.withDefaults(l.call.cfg)
		l.bound(drain.Time, drain.Bytes, errDropped)
	default:
		l.cancel(errDropped)
	}
}

func (l *live) bound(d time.Duration, bytes int64, cause error) {
	if l.limit != nil {
		l.limit.Stop()
	}
	l.allowed = bytes
	l.limit = time.AfterFunc(d, func() { l.cancel(cause) })
}
