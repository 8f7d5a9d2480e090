package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// engine makes the items of a job: one goroutine feeds them, as many as there is
// concurrency make them, one writes the results.
type engine struct {
	*job
	ctx     context.Context // ends: stop now
	feeding context.Context // ends: begin no item any more
	halt    context.CancelFunc
	limit   *limiter

	tasks    chan task
	outcomes chan outcome
	room     chan struct{} // one for each item that was fed and is not written
	pending  sync.WaitGroup
	again    bits // what this pass makes; nil in the first: all
	deferred bits // what others make: for the next pass. The recorder's, while any is pending

	mu    sync.Mutex
	fault error // why it must end

	out recorder
}

// task is an item to be made.
type task struct {
	n     int
	item  Item
	await bool // if another process makes it, wait for that
}

func newEngine(ctx context.Context, j *job, w writer) *engine {
	ahead := 2
	if j.ordered {
		ahead = 16
	}
	e := &engine{job: j, ctx: ctx, limit: newLimiter(j.rpm, j.tpm),
		tasks: make(chan task), outcomes: make(chan outcome, j.concurrency), room: make(chan struct{}, ahead*j.concurrency),
		deferred: newBits(j.index.n)}
	e.feeding, e.halt = context.WithCancel(ctx)
	e.out = recorder{engine: e, w: w, waiting: map[int]outcome{}}
	return e
}

// run makes all items that have no line in the results.
func (e *engine) run() error {
	defer e.halt()
	defer context.AfterFunc(e.until, e.halt)()
	var workers, recording sync.WaitGroup
	for range e.concurrency {
		workers.Go(e.work)
	}
	recording.Go(e.out.run)
	for more := e.sum.Left > 0; more && e.feeding.Err() == nil; {
		if err := e.feed(); err != nil {
			e.fail(err)
		}
		e.pending.Wait()
		e.again, e.deferred = e.deferred, newBits(e.index.n)
		more = e.again.any()
	}
	close(e.tasks)
	workers.Wait()
	close(e.outcomes)
	recording.Wait()
	return e.verdict()
}

// verdict closes the sink and says what the batch ended in.
func (e *engine) verdict() error {
	err := e.fault
	if e.out.broken == nil {
		err = errors.Join(err, e.out.w.sync())
	}
	err = errors.Join(err, e.out.w.close())
	switch {
	case err != nil || e.sum.Left == 0 || e.collect && e.ctx.Err() == nil && e.until.Err() == nil:
		return err
	case e.ctx.Err() != nil:
		return fmt.Errorf("%w (%w)", ErrStopped, context.Cause(e.ctx))
	}
	return ErrStopped
}

// fail ends the batch when what is in flight is done.
func (e *engine) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fault == nil {
		e.fault = err
	}
	e.halt()
}

// feed hands out the items that have no line in the results; from the second pass on,
// those that were passed over.
func (e *engine) feed() error {
	if err := e.in.rewind(); err != nil {
		return err
	}
	l := newLines(e.in.file, e.maxLine)
	for n := 0; n < e.index.n; n++ {
		line, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return errChanged
		case err != nil:
			return fmt.Errorf("batch: read %s: %w", e.in.name, err)
		case e.index.done.has(n), e.again != nil && !e.again.has(n):
			continue
		}
		it, wrong := parse(line.text, e.rules)
		if i, ok := e.index.find(it.CustomID); wrong != "" || !ok || i != n {
			return errChanged
		}
		select {
		case e.room <- struct{}{}:
		case <-e.feeding.Done():
			return nil
		}
		e.pending.Add(1)
		select {
		case e.tasks <- task{n: n, item: it, await: e.again != nil || e.ordered}:
		case <-e.feeding.Done():
			e.pending.Done()
			return nil
		}
	}
	return nil
}

func (b bits) any() bool {
	for _, w := range b {
		if w != 0 {
			return true
		}
	}
	return false
}
