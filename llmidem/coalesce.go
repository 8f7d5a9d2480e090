package llmidem

import (
	"context"
	"errors"
	"time"
)

// errAlone tells a follower that the flight's answer cannot be shared.
var errAlone = errors.New("llmidem: the answer is too large to share")

// coalesce lets equal calls at the same time share one.
func (k *core) coalesce(next handler) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		c.outline(ctx)
		if c.recallMode == recallNone {
			return unshared(next(ctx, c))
		}
		if within(ctx, k, c.address) {
			return nil, c.failure(CodeInvalid, "the call waits for itself, since it is made inside of an equal call; give one of them a Scope", nil)
		}
		if ctx.Err() != nil {
			return nil, c.callerGone(ctx, false)
		}
		for {
			f, role := k.flights.join(ctx, c)
			switch role {
			case roleClosed:
				return nil, c.failure(CodeInvalid, "the client is closed", nil)
			case roleConflict:
				return nil, c.conflict()
			case roleAlone:
				if c.finance {
					return nil, c.failure(CodeUnavailable, "more calls are in flight than Config.MaxFlights, and ForFinance makes none without a record", nil)
				}
				return unshared(next(ctx, c.alone()))
			case roleLater: // an equal flight is being cut off: it must let go of its claim first
				select {
				case <-f.gone:
				case <-ctx.Done():
					return nil, c.callerGone(ctx, false)
				}
				continue
			case roleLeader:
				if ctx.Done() == nil && !c.facts.stream {
					f.fly(next) // this caller cannot leave
				} else {
					go f.fly(next)
				}
			}
			ans, err := f.wait(ctx, c, role)
			if errors.Is(err, errAlone) && c.finance {
				return nil, c.failure(CodeFailed, "the answer is larger than Config.MaxEntry, so that it is not recorded and one caller has it", nil)
			}
			if errors.Is(err, errAlone) {
				return unshared(next(ctx, c.alone()))
			}
			return ans, err
		}
	}
}

// unshared lets a stream run that only one caller can read.
func unshared(ans *answer, err error) (*answer, error) {
	if err == nil && ans.live != nil {
		ans.live.promised = 1
		go ans.live.run()
	}
	return ans, err
}

// alone is the call without record and without company.
func (c *call) alone() *call {
	d := *c
	d.recallMode = recallNone
	return &d
}

// fly is the life of a flight.
func (f *flight) fly(next handler) {
	ans, err := f.leader.guard(f.ctx, next)
	if ans != nil && ans.live != nil {
		wanted := f.show(ans)
		ans.live.run()
		alone := ans.live.unclaimed(f.retire())
		switch {
		case alone && !wanted:
			f.leader.landedAlone(f.ctx, ans.live.final, nil)
		case alone:
			f.leader.measureUsage(f.ctx, ans.live.final)
		}
		f.all.told()
		return
	}
	if ans == nil || ans.rest == nil {
		defer f.cancel(nil) // else it ends with the body
	}
	f.land(ans, err)
}

// guard turns a panic below into an answer that panics in the leader's own
// goroutine, where whoever recovers the caller's panics finds it.
func (c *call) guard(ctx context.Context, next handler) (ans *answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			ans, err = &answer{panicked: p}, nil
		}
	}()
	return next(ctx, c)
}

// wait waits for the flight on behalf of one caller.
func (f *flight) wait(ctx context.Context, c *call, role role) (*answer, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		switch l := f.leave(role); {
		case l.ans != nil:
			return f.take(ctx, c, role, l.ans)
		case !l.landed:
			return nil, c.callerGone(ctx, l.goesOn).heldBy(f.leader)
		}
	}
	if f.err != nil {
		f.first(role)
		return nil, asError(f.err, c).forCaller(c, role)
	}
	return f.take(ctx, c, role, f.ans)
}

// take gives one caller its part of an answer.
func (f *flight) take(ctx context.Context, c *call, role role, ans *answer) (*answer, error) {
	first := f.first(role)
	switch {
	case ans.panicked != nil && role == roleLeader:
		panic(ans.panicked)
	case ans.panicked != nil:
		return nil, c.failure(CodeAmbiguous, "the function that this call waited for panicked", nil)
	case first:
		return ans, nil
	case ans.rest != nil:
		return nil, errAlone
	}
	if ans.source == SourceStore { // it was recorded: nobody waited for a call
		return ans.from(SourceStore), nil
	}
	ans = ans.from(SourceCoalesced)
	ans.leader = originOf(f.leader.span.SpanContext())
	if !ans.failed() {
		c.warnRecalled(ctx)
	}
	return ans, nil
}

// callerGone says what a caller is told whose context has ended.
func (c *call) callerGone(ctx context.Context, goesOn bool) *Error {
	e := contextError(ctx, goesOn)
	if !goesOn && c.progress.sent() { // a stream: it is dropped
		e.Code, e.inDoubt, e.reason = CodeAmbiguous, true, "the caller's context ended before the answer began, and the call was dropped"
	}
	e.Key, e.Address, e.TraceID, e.Attempts = c.key, c.address, traceID(c.span.SpanContext()), c.progress.count()
	return e
}

// heldBy says of a caller's end that another client makes the call, if it does.
func (e *Error) heldBy(leader *call) *Error {
	if left := leader.progress.held.Load(); left > 0 && e.Code == CodeFailed {
		e.Code, e.RetryAfter = CodeInProgress, time.Duration(left)
		e.reason = "the caller's context ended while another client makes the call; ask again"
	}
	return e
}

// forCaller is a flight's failure as one of its callers is told it.
func (e *Error) forCaller(c *call, role role) *Error {
	told := *e
	told.TraceID = traceID(c.span.SpanContext())
	if role != roleLeader {
		told.Attempts = 0
	}
	return &told
}

// path is the chain of calls that a context is inside of.
type path struct {
	core    *core
	address string
	outer   *path
}

// inside marks a context as that of a call at an address.
func inside(ctx context.Context, k *core, address string) context.Context {
	outer, _ := ctx.Value(pathKey).(*path)
	return context.WithValue(ctx, pathKey, &path{core: k, address: address, outer: outer})
}

// within reports whether a context is that of a call at this address.
func within(ctx context.Context, k *core, address string) bool {
	p, _ := ctx.Value(pathKey).(*path)
	for ; p != nil; p = p.outer {
		if p.core == k && p.address == address {
			return true
		}
	}
	return false
}
