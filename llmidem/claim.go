package llmidem

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// claim takes the right to send before anything is sent, and writes down what
// became of it.
func (k *core) claim(next handler) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		if c.recallMode == recallNone {
			return next(ctx, c)
		}
		h := &hold{call: c, owner: store.NewOwner()}
		standing, won, err := h.acquire(ctx)
		switch {
		case err != nil && k.cfg.StoreDown == Refuse:
			return nil, c.failure(CodeUnavailable, "the store failed before anything was sent", err)
		case err != nil:
			c.log(ctx, levelWarn, "the store failed; the call goes out without a record", slog.String("error", err.Error()))
			ans, failure := next(ctx, c)
			if failure != nil {
				return nil, failure
			}
			return ans.storeFailed(err), nil
		case !won:
			return standing.orError()
		}
		return h.run(ctx, next)
	}
}

// hold is a claim that a call has, or tries to get.
type hold struct {
	*call
	owner store.Owner
	heart *heart
}

// run makes the call under its claim.
func (h *hold) run(ctx context.Context, next handler) (*answer, error) {
	h.heart = h.beat(ctx, h.owner)
	settled := false
	defer func() {
		if !settled { // a panic passes through: what was sent is in doubt
			_ = h.settle(ctx, store.Outcome{State: h.progress.doubt(), TTL: h.doubtTTL()})
		}
	}()
	ans, err := next(ctx, h.call)
	settled = true
	if err == nil && ans.live != nil {
		ans.live.keep = h.finishStream
		return ans, nil
	}
	return h.finish(ctx, ans, err)
}

// finish writes down how the call ended and says so in the answer.
func (h *hold) finish(ctx context.Context, ans *answer, err error) (*answer, error) {
	if err == nil {
		h.flight.answered(ans)
	}
	out := h.outcome(ans, err)
	storeErr := h.settle(ctx, out)
	if err != nil {
		return nil, err // the first error survives a failing store
	}
	switch {
	case storeErr == nil:
		ans.kept = out.State == store.Completed
		return ans, nil
	case errors.Is(storeErr, store.ErrLost):
		return h.late(ctx, ans.storeFailed(storeErr)), nil
	}
	if !errors.Is(storeErr, store.ErrTooLarge) {
		h.log(ctx, levelWarn, "the store failed to keep an answer, which the caller has", slog.String("error", storeErr.Error()))
	}
	return ans.storeFailed(storeErr), nil
}

// finishStream writes down how a stream ended. What was given out stays as it is,
// whatever others have recorded meanwhile.
func (h *hold) finishStream(ctx context.Context, ans *answer) *answer {
	out := h.outcome(ans, nil)
	err := h.settle(ctx, out)
	ans.kept = err == nil && out.State == store.Completed
	if err == nil {
		return ans
	}
	if !errors.Is(err, store.ErrTooLarge) && !errors.Is(err, store.ErrLost) {
		h.log(ctx, levelWarn, "the store failed to keep a stream, which the caller has", slog.String("error", err.Error()))
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
	ans.sends, ans.storeErr, ans.dropped = own.sends, own.storeErr, own.cost()
	return ans
}

// outcome says what a record becomes (design of the states: package store).
func (c *call) outcome(ans *answer, err error) store.Outcome {
	doubt := store.Outcome{State: store.Unknown, TTL: c.doubtTTL()}
	free := store.Outcome{State: store.Absent}
	switch {
	case err != nil && asError(err, c).inDoubt:
		return doubt
	case err != nil, ans.tooLarge && !ans.streamed, c.progress.spoiled.Load():
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
	return store.Outcome{State: store.Completed, Body: c.encode(ans), TTL: c.keepFor(),
		Origin: originOf(c.span.SpanContext())}
}

// doubtTTL is how long a record stays in doubt: until Forget where that matters.
func (c *call) doubtTTL() time.Duration {
	if c.cfg.OnUnknown == Fail || c.batch {
		return 0
	}
	return c.cfg.CacheTTL
}

// settle ends the claim, even though the call's context may have ended, and keeps
// a copy of an answer at hand.
func (h *hold) settle(ctx context.Context, o store.Outcome) error {
	h.heart.stop()
	err := h.store.Settle(context.WithoutCancel(ctx), h.address, h.owner, o)
	if err == nil && o.State == store.Completed {
		h.keepNear(store.Record{State: o.State, Owner: h.owner, Fingerprint: h.finger, Origin: o.Origin, Left: o.TTL},
			h.payload(o.Body))
	}
	return err
}

func (a *answer) storeFailed(err error) *answer {
	a.storeErr, a.kept = err, false
	return a
}
