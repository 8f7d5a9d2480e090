package llmidem

import (
	"context"
	"errors"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// lease is how long a claim holds. A flight is bounded well below it, so that a
// claim in this process's own memory needs no renewal.
const lease = 15 * time.Minute

// claim takes the right to send before anything is sent, and writes down what
// became of it.
func (k *core) claim(next handler) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		if c.recallMode == recallNone {
			return next(ctx, c)
		}
		owner := store.NewOwner()
		standing, won, err := c.acquire(ctx, owner)
		switch {
		case err != nil && k.cfg.StoreDown == Refuse:
			return nil, c.failure(CodeUnavailable, "the store failed before anything was sent", err)
		case err != nil:
			c.log(ctx, levelWarn, "the store failed; the call goes out without a record")
			ans, failure := next(ctx, c)
			if failure != nil {
				return nil, failure
			}
			return ans.storeFailed(err), nil
		case !won:
			return standing.orError()
		}
		settled := false
		defer func() {
			if !settled { // a panic passes through: what was sent is in doubt
				_ = c.settle(ctx, owner, store.Outcome{State: c.progress.doubt(), TTL: c.doubtTTL()})
			}
		}()
		ans, err := next(ctx, c)
		settled = true
		if err == nil && ans.live != nil {
			ans.live.keep = func(ctx context.Context, ans *answer) *answer { return c.finishStream(ctx, owner, ans) }
			return ans, nil
		}
		return c.finish(ctx, owner, ans, err)
	}
}

// standing is what acquire found in the way of a claim: an answer or an error.
type standing struct {
	ans *answer
	err *Error
}

func (s standing) orError() (*answer, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.ans, nil
}

// acquire claims the record of a call. won says that the call is ours to send;
// else the standing record says what to do. The error is the store's.
func (c *call) acquire(ctx context.Context, owner store.Owner) (s standing, won bool, err error) {
	claim := store.Claim{Owner: owner, Lease: lease, Fingerprint: c.finger, Origin: originOf(c.span.SpanContext())}
	if c.cfg.OnUnknown == Retry {
		claim.Takeover = store.TakeDoubt
	}
	rec, err := c.store.Claim(ctx, c.address, claim)
	if err != nil || rec.Owner == owner {
		return standing{}, err == nil, err
	}
	if rec.Fingerprint != c.finger {
		return standing{err: c.conflict()}, false, nil
	}
	switch rec.State {
	case store.Completed:
		ans, bad := c.recorded(ctx, rec)
		if errors.Is(bad, errRecord) {
			return c.acquireDoubtful(ctx, claim)
		}
		if bad != nil {
			return standing{err: asError(bad, c)}, false, nil
		}
		if c.recallMode == recallOnce {
			return c.acquireOnce(ctx, claim, ans)
		}
		return standing{ans: ans}, false, nil
	case store.InFlight:
		e := c.failure(CodeInProgress, "another client holds the claim of this call", nil)
		e.RetryAfter = rec.Left
		return standing{err: e}, false, nil
	}
	return standing{err: c.inDoubt("an earlier try of this call may have been executed", nil)}, false, nil
}

func (c *call) inDoubt(reason string, cause error) *Error {
	return c.failure(CodeAmbiguous, reason+"; find out what became of it, then Forget its address", cause)
}

// acquireDoubtful claims over a record that says it is complete and cannot be
// read: it is in doubt.
func (c *call) acquireDoubtful(ctx context.Context, claim store.Claim) (standing, bool, error) {
	if c.cfg.OnUnknown == Fail {
		return standing{err: c.inDoubt("the record of this call cannot be read", errRecord)}, false, nil
	}
	return c.takeOver(ctx, claim, nil)
}

// acquireOnce takes an answer that may be given out once: whoever replaces the
// record has it.
func (c *call) acquireOnce(ctx context.Context, claim store.Claim, ans *answer) (standing, bool, error) {
	return c.takeOver(ctx, claim, ans)
}

// takeOver replaces a settled record. With an answer in hand the call is not
// sent when it was a completed record that was replaced: the answer is ours.
func (c *call) takeOver(ctx context.Context, claim store.Claim, ans *answer) (standing, bool, error) {
	claim.Takeover = store.TakeSettled
	rec, err := c.store.Claim(ctx, c.address, claim)
	switch {
	case err != nil:
		return standing{}, false, err
	case rec.Owner != claim.Owner:
		e := c.failure(CodeInProgress, "another client took the record of this call", nil)
		e.RetryAfter = rec.Left
		return standing{err: e}, false, nil
	case ans == nil || rec.Prior != store.Completed:
		return standing{}, true, nil
	}
	return standing{ans: ans}, false, c.settle(ctx, claim.Owner, store.Outcome{State: store.Absent})
}

// finish writes down how the call ended and says so in the answer.
func (c *call) finish(ctx context.Context, owner store.Owner, ans *answer, err error) (*answer, error) {
	out := c.outcome(ans, err)
	storeErr := c.settle(ctx, owner, out)
	if err != nil {
		return nil, err // the first error survives a failing store
	}
	switch {
	case storeErr == nil:
		ans.kept = out.State == store.Completed
		return ans, nil
	case errors.Is(storeErr, store.ErrLost):
		return c.late(ctx, ans.storeFailed(storeErr)), nil
	}
	if !errors.Is(storeErr, store.ErrTooLarge) {
		c.log(ctx, levelWarn, "the store failed to keep an answer, which the caller has")
	}
	return ans.storeFailed(storeErr), nil
}

// finishStream writes down how a stream ended. What was given out stays as it is,
// whatever others have recorded meanwhile.
func (c *call) finishStream(ctx context.Context, owner store.Owner, ans *answer) *answer {
	out := c.outcome(ans, nil)
	err := c.settle(ctx, owner, out)
	ans.kept = err == nil && out.State == store.Completed
	if err == nil {
		return ans
	}
	if !errors.Is(err, store.ErrTooLarge) && !errors.Is(err, store.ErrLost) {
		c.log(ctx, levelWarn, "the store failed to keep a stream, which the caller has")
	}
	return ans.storeFailed(err)
}

// late is what a finisher returns that has lost its claim: the answer of the one
// who has it, so that all have the same one, else its own.
func (c *call) late(ctx context.Context, own *answer) *answer {
	rec, err := c.store.Get(ctx, c.address)
	if err != nil || rec.State != store.Completed || own.rest != nil {
		return own
	}
	ans, err := c.recorded(ctx, rec)
	if err != nil {
		return own
	}
	ans.sends, ans.storeErr = own.sends, own.storeErr
	return ans
}

// outcome says what a record becomes (design of the states: package store).
func (c *call) outcome(ans *answer, err error) store.Outcome {
	doubt := store.Outcome{State: store.Unknown, TTL: c.doubtTTL()}
	free := store.Outcome{State: store.Absent}
	switch {
	case err != nil && asError(err, c).inDoubt:
		return doubt
	case err != nil, ans.tooLarge && !ans.streamed:
		return free
	case ans.status != 200, ans.broken:
		if ans.end.class == classAmbiguous {
			return doubt
		}
		return free
	case !ans.verdict.Terminal:
		return doubt
	case !ans.verdict.Keep, ans.tooLarge:
		return free
	case c.recallMode == recallOnce && (ans.delivered || !ans.streamed && c.flight.deliver()):
		return free // it was given out: that was its once
	}
	return store.Outcome{State: store.Completed, Body: encodeRecord(ans), TTL: c.cfg.CacheTTL,
		Origin: originOf(c.span.SpanContext())}
}

// doubtTTL is how long a record stays in doubt: until Forget where that matters.
func (c *call) doubtTTL() time.Duration {
	if c.cfg.OnUnknown == Fail {
		return 0
	}
	return c.cfg.CacheTTL
}

// settle writes an outcome even though the call's context may have ended. The
// store is memory, which does not block, so that nothing has to bound the write.
func (c *call) settle(ctx context.Context, owner store.Owner, o store.Outcome) error {
	return c.store.Settle(context.WithoutCancel(ctx), c.address, owner, o)
}

func (a *answer) storeFailed(err error) *answer {
	a.storeErr, a.kept = err, false
	return a
}
