package llmidem

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// flights are the calls in flight of one client, by address.
type flights struct {
	mu     sync.Mutex
	m      map[string]*flight
	closed bool
	ending int           // flights that are off the list and whose end is still being told
	idle   chan struct{} // made by close; closed when the last flight has ended
}

// flight is one call that any number of callers wait for. It runs on a goroutine
// and a context of its own, so that no caller's end is its end.
type flight struct {
	all    *flights
	ctx    context.Context
	cancel context.CancelCauseFunc
	leader *call // whose request it is
	end    time.Time

	done chan struct{} // closed when ans and err are set
	gone chan struct{} // closed when nobody can join any more
	ans  *answer
	err  error

	// The rest is guarded by all.mu.
	waiters    int
	givenUp    bool        // nobody waits and nothing was sent: it is being cut off
	leaderLeft bool        // so that the next one to take pays
	taken      bool        // somebody has the answer as the one who paid
	pending    *answer     // the answer, while its record is being settled
	delivering bool        // somebody has or will get the answer: see deliver
	detached   *time.Timer // nobody waits: it may go on until then
}

// role is what a caller is to a flight.
type role uint8

const (
	roleLeader   role = iota // started it
	roleFollower             // waits for it
	roleLater                // comes while it is being cut off
	roleAlone                // goes without one
	roleConflict             // has another request under the same key
	roleClosed               // comes after Close
)

// Why a flight's context ends.
var (
	errGivenUp     = fmt.Errorf("llmidem: every caller has left: %w", context.Canceled)
	errDetachLimit = fmt.Errorf("llmidem: the call went on for too long after its callers left: %w", context.DeadlineExceeded)
	errSettling    = errors.New("llmidem: the answer was given out while its record was being written")
	errClosed      = fmt.Errorf("llmidem: the client was closed: %w", context.Canceled)
)

// join finds the flight of a call, or makes it.
func (fs *flights) join(ctx context.Context, c *call) (*flight, role) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.closed {
		return nil, roleClosed
	}
	f := fs.m[c.address]
	switch {
	case f == nil && len(fs.m) >= c.cfg.MaxFlights:
		return nil, roleAlone
	case f == nil:
		return fs.start(ctx, c), roleLeader
	case f.leader.finger != c.finger:
		return nil, roleConflict
	case f.givenUp:
		return f, roleLater
	case f.ans != nil && (c.recallMode != recallOnce || f.waiters == 0):
		return f.joinStream()
	case c.recallMode == recallOnce && (f.waiters > 0 || f.delivering):
		return nil, roleAlone // its answer is somebody else's
	}
	f.waiters++
	if f.detached != nil {
		f.detached.Stop()
		f.detached = nil
	}
	return f, roleFollower
}

// start makes the flight of a leader.
func (fs *flights) start(ctx context.Context, c *call) *flight {
	f := &flight{all: fs, leader: c, waiters: 1, done: make(chan struct{}), gone: make(chan struct{}),
		end: time.Now().Add(c.cfg.Retry.Elapsed)}
	f.ctx, f.cancel = context.WithCancelCause(inside(context.WithoutCancel(ctx), c.core, c.address))
	if fs.m == nil {
		fs.m = map[string]*flight{}
	}
	fs.m[c.address] = f
	c.flight = f
	c.body.hold()
	return f
}

// leave takes a caller off a flight. The flight goes on while others wait; when
// nobody does it goes on if anything was sent, for a bounded time, else it ends.
// An answer that waits for nothing but its record is taken along.
func (f *flight) leave(role role) leaving {
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	select {
	case <-f.done:
		return leaving{landed: true}
	default:
	}
	f.waiters--
	if f.pending != nil {
		f.delivering = true
		ans := *f.pending
		return leaving{ans: ans.storeFailed(errSettling)}
	}
	f.leaderLeft = f.leaderLeft || role == roleLeader
	if f.waiters > 0 {
		return leaving{goesOn: true}
	}
	if !f.leader.progress.sent() {
		f.givenUp = true
		f.cancel(errGivenUp)
		return leaving{}
	}
	left := min(time.Until(f.end), f.leader.cfg.DetachLimit)
	if f.leader.facts.stream { // no answer is waiting to be had
		drain := f.leader.cfg.Drain
		if !drain.on() {
			f.givenUp = true
			f.cancel(errGivenUp)
			return leaving{}
		}
		left = min(left, drain.withDefaults(f.leader.cfg).Time)
	}
	f.detached = time.AfterFunc(left, func() { f.cancel(errDetachLimit) })
	return leaving{goesOn: true}
}

// leaving is what a caller finds that leaves a flight.
type leaving struct {
	landed bool    // there is nothing to leave: it has ended
	ans    *answer // this is its answer
	goesOn bool    // the call goes on without it
}

// answered lets those who leave from now on take the answer along, though its
// record is not settled yet: a store that hangs costs nobody an answer. One that is
// passed through is its reader's, and not here to be taken twice.
func (f *flight) answered(ans *answer) {
	if ans.rest != nil {
		return
	}
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	pending := *ans
	f.pending = &pending
}

// deliver reports whether a caller has the answer or is there to take it: what is
// given out once is not kept then. Whoever comes now is not given it.
func (f *flight) deliver() bool {
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	f.delivering = f.delivering || f.waiters > 0
	return f.delivering
}

// joinStream makes a caller one of those who read a stream that has begun.
func (f *flight) joinStream() (*flight, role) {
	switch f.ans.live.admit() {
	case admitLater:
		return f, roleLater
	case admitNever:
		return nil, roleAlone
	}
	f.waiters++
	return f, roleFollower
}

// show gives the beginning of a stream to all who wait for it, and reports whether
// there is anybody. Others can join until it has ended.
func (f *flight) show(ans *answer) bool {
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	f.ans, ans.live.promised = ans, f.waiters
	ans.live.shared = f.waiters > 1
	if f.detached != nil { // the stream itself bounds how long it goes on
		f.detached.Stop()
	}
	close(f.done)
	return f.waiters > 0
}

// retire ends the flight of a stream, and reports whether somebody has it as the one
// who pays.
func (f *flight) retire() bool {
	fs := f.all
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.ending++
	f.remove()
	return f.taken
}

// told ends what retire or land began: whoever had to be told of the end was.
func (fs *flights) told() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.ending--
	fs.maybeIdle()
}

// remove takes the flight off the list. The caller holds all.mu.
func (f *flight) remove() {
	fs := f.all
	delete(fs.m, f.leader.address)
	f.leader.body.release()
	fs.maybeIdle()
	close(f.gone)
}

// maybeIdle tells close that nothing is in flight. The caller holds mu.
func (fs *flights) maybeIdle() {
	if fs.closed && len(fs.m) == 0 && fs.ending == 0 {
		close(fs.idle)
	}
}

// land ends the flight.
func (f *flight) land(ans *answer, err error) {
	fs := f.all
	fs.mu.Lock()
	f.ans, f.err = ans, err
	alone := f.waiters == 0 && !f.taken
	if alone {
		fs.ending++ // Close waits for what is said of it
	}
	f.remove()
	if f.detached != nil {
		f.detached.Stop()
	}
	if ans != nil { // nobody can join any more: one waiter need not share
		ans.ownHeader = f.waiters <= 1 && f.leader.recallMode == recallAll
	}
	close(f.done)
	fs.mu.Unlock()
	if alone {
		f.leader.landedAlone(f.ctx, ans, err)
		fs.told()
	}
}

// landedAlone closes and logs what nobody takes.
func (c *call) landedAlone(ctx context.Context, ans *answer, err error) {
	switch {
	case err != nil:
		e := asError(err, c)
		c.auditEnd(ctx, nil, e)
		c.logFailure(ctx, e)
	case ans.panicked != nil:
		c.log(ctx, levelWarn, "the function panicked after its callers had left")
	default:
		if ans.rest != nil {
			ans.rest.Close()
		}
		c.measureUsage(ctx, ans)
		c.auditEnd(ctx, ans, nil)
		c.logDone(ctx, ans)
	}
}

// first reports whether a caller is the one who gets the answer as paid for: the
// leader or, where that has left, the first of the others to ask.
func (f *flight) first(role role) bool {
	f.all.mu.Lock()
	defer f.all.mu.Unlock()
	first := role == roleLeader || f.leaderLeft && !f.taken
	f.taken = f.taken || first
	return first
}

func (fs *flights) isClosed() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.closed
}

// close ends the taking of new calls and waits for those in flight.
func (fs *flights) close(ctx context.Context) error {
	fs.mu.Lock()
	if !fs.closed {
		fs.closed = true
		fs.idle = make(chan struct{})
		fs.maybeIdle()
	}
	idle := fs.idle
	fs.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if len(fs.m) == 0 {
		return nil
	}
	for _, f := range fs.m {
		f.cancel(errClosed)
	}
	return fmt.Errorf("llmidem: %d calls were cut off: %w", len(fs.m), ctx.Err())
}
