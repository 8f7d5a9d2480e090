package llmidem

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// deadlines ends calls whose time budget is spent. All calls of a client have the
// same budget, so they run out in the order in which they began, and one timer
// serves them all: a timer a call would wake the network poller each time, which
// costs more than all else that is done for a call.
type deadlines struct {
	budget time.Duration

	mu    sync.Mutex
	calls list.List // of deadline, the oldest first
	timer *time.Timer
	armed bool
}

type deadline struct {
	at     time.Time
	cancel context.CancelCauseFunc
}

// begin bounds a call that begins now; end must be called when it has ended.
func (d *deadlines) begin(cancel context.CancelCauseFunc) *list.Element {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.calls.PushBack(deadline{time.Now().Add(d.budget), cancel})
	if !d.armed {
		d.armed = true
		if d.timer == nil {
			d.timer = time.AfterFunc(d.budget, d.expire)
		} else {
			d.timer.Reset(d.budget)
		}
	}
	return e
}

// end forgets a call. The timer stays as it is: it finds whoever is the oldest
// when it fires.
func (d *deadlines) end(e *list.Element) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls.Remove(e)
}

// expire ends the calls whose time has come, and waits for the next.
func (d *deadlines) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for e := d.calls.Front(); e != nil; e = d.calls.Front() {
		call := e.Value.(deadline)
		if left := time.Until(call.at); left > 0 {
			d.timer.Reset(left)
			return
		}
		d.calls.Remove(e)
		call.cancel(errElapsed)
	}
	d.armed = false
}

// stop gives the timer back; calls that are still under way keep their contexts.
func (d *deadlines) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && d.calls.Len() == 0 {
		d.timer.Stop()
		d.armed = false
	}
}
