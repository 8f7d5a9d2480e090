package llmidem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
)

const (
	// tailTime and tailBytes bound what is read of a stream whose choices are all
	// finished when nobody reads it any more: usage, [DONE].
	tailTime  = time.Second
	tailBytes = 64 << 10
	// doneGrace is how long [DONE] waits for the end of the body, which as a rule
	// comes with it, so that the record has every byte.
	doneGrace = 100 * time.Millisecond
)

// Why a stream's context ends.
var (
	errDropped  = fmt.Errorf("llmidem: the stream was closed before its end: %w", context.Canceled)
	errTailOver = fmt.Errorf("llmidem: what follows the answer is not waited for: %w", context.Canceled)
	errUnread   = fmt.Errorf("llmidem: nobody has read the stream for %s: %w", unreadMax, context.Canceled)
)

// live is a stream that is being answered: what is read from the provider, by one
// goroutine, goes into the recording that all its callers read.
type live struct {
	recording
	call   *call
	feed   *feed
	head   *answer // as the attempt began it
	first  event   // read while the headers were held
	before []byte  // what came before that
	ctx    context.Context
	cancel context.CancelCauseFunc
	pace   *pace // of the chunks behind the first

	again func(context.Context, ending) (*answer, error) // asks the provider again
	keep  func(context.Context, *answer) *answer         // settles the claim
	once  sync.Once                                      // settled
	over  bool                                           // the last event has come; known to run alone

	// The rest is guarded by mu.
	held     []byte // not given out before the record is settled
	holding  bool   // [DONE] has come
	finished bool   // every choice is
	result   complete.Result
	size     int64          // bytes so far
	final    *answer        // when it is settled
	late     []func()       // of readers who left when the choices were finished
	unpaid   bool           // the one who was to pay has left before the end
	limit    *time.Timer    // nobody reads: it may go on until then
	allowed  int64          // … and for so many bytes
	tail     [2]*time.Timer // behind the last event: until the record, until the end
	failed   *Error         // why it broke off
}

func newLive(ctx context.Context, c *call, f *feed, head *answer, before []byte, first event) *live {
	l := &live{call: c, feed: f, head: head, ctx: ctx, first: first, before: before}
	l.init()
	l.kept = c.recallMode != recallNone
	l.left = l.readerLeft
	l.end = l.endOf
	l.unread = l.abandon
	return l
}

// run reads the stream to its end.
func (l *live) run() {
	l.mu.Lock()
	l.guardUnread()
	l.limitAlone()
	l.mu.Unlock()
	if len(l.before) > 0 {
		l.put(l.before)
	}
	end := l.take(l.first)
	l.pace = l.call.pace(l.ctx, l.head.firstChunk)
	runtime.Gosched() // whoever waits for the headers goes first
	for end == nil {
		l.waitForRoom()
		if l.ctx.Err() != nil { // a body need not know, and one that has bytes ahead gives them all
			_ = l.broken(l.ctx.Err())
			break
		}
		ev, err := l.feed.next()
		if err == nil {
			end = l.take(ev)
			continue
		}
		end = l.broken(err)
	}
	l.feed.close(l.head)
	l.settle()
	l.mu.Lock()
	l.done = true
	l.stopIdle()
	for _, timer := range append(l.tail[:], l.limit) { // else they hold the recording
		if timer != nil {
			timer.Stop()
		}
	}
	l.cond.Broadcast()
	l.mu.Unlock()
	l.call.body.release() // it cannot be asked for again
	l.cancel(nil)
}

// errEnd is the end of a stream that is no failure.
var errEnd = errors.New("llmidem: the stream is over")

// take looks at an event and hands it on; an error ends the stream.
func (l *live) take(ev event) error {
	done := ev.signal&complete.SignalDone != 0
	switch {
	case l.over: // nothing that comes now is a part of the answer
		if len(ev.raw) > 0 {
			l.put(ev.raw)
		}
		return nil
	case ev.signal&complete.SignalError != 0:
		return l.takeError(ev)
	case done && l.judged() && !l.feed.whole():
		return l.truncated(io.EOF, ev.raw) // forged
	}
	l.feed.pass(ev)
	if ev.real && !done {
		l.pace.chunk()
	}
	if done || ev.signal&complete.SignalFinished != 0 && !l.finished {
		l.note(done)
	}
	if len(ev.raw) > 0 {
		l.put(ev.raw)
	}
	return nil
}

// judged reports whether the stream has to say that it is whole.
func (l *live) judged() bool { return l.feed.ruled && !l.feed.blind }

// note keeps that the choices are finished. With [DONE] there is nothing left to
// come but the end of the body.
func (l *live) note(done bool) {
	result := l.verdict()
	l.over = l.over || done
	l.mu.Lock()
	defer l.mu.Unlock()
	l.result = result
	if done && !l.holding && l.final == nil {
		l.holding = true
		l.tail[0] = time.AfterFunc(doneGrace, l.settle)
		l.tail[1] = time.AfterFunc(tailTime, func() { l.cancel(errTailOver) })
	}
	if result.Terminal && !l.finished {
		l.finished = true
		l.limitAlone()
	}
}

// put hands bytes on.
func (l *live) put(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.size += int64(len(b))
	if l.size > l.call.cfg.MaxEntry {
		l.kept = false
	}
	if l.limit != nil {
		if l.allowed -= int64(len(b)); l.allowed < 0 {
			l.cancel(errDropped)
		}
	}
	if l.holding {
		l.held = append(l.held, b...)
		return
	}
	l.add(b)
}

// waitForRoom waits while the only reader is far behind.
func (l *live) waitForRoom() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.full() {
		return
	}
	stop := context.AfterFunc(l.ctx, func() { l.mu.Lock(); l.cond.Broadcast(); l.mu.Unlock() })
	defer stop()
	for l.full() && l.ctx.Err() == nil {
		l.cond.Wait()
	}
}
