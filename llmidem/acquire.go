package llmidem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

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
// else the standing record says what to do. The error is the store's. While
// another client makes the call, it waits for what becomes of it.
func (h *hold) acquire(ctx context.Context) (s standing, won bool, err error) {
	claim := store.Claim{Owner: h.owner, Lease: h.leaseTime(), Fingerprint: h.finger, Origin: originOf(h.span.SpanContext())}
	until := time.Now().Add(h.cfg.Retry.Elapsed)
	for {
		rec, err := h.store.Claim(ctx, h.address, claim)
		if err != nil || rec.Owner == h.owner {
			return standing{}, err == nil, err
		}
		if claim.Takeover != store.TakeSettled && h.outdated(ctx, rec) {
			claim.Takeover = store.TakeSettled
			continue
		}
		unread := rec.State == store.Unknown && rec.Fingerprint == store.Fingerprint{} // a store could not read it
		if rec.Fingerprint != h.finger && !unread {
			return standing{err: h.conflict()}, false, nil
		}
		switch {
		case rec.State == store.Completed:
			return h.meet(ctx, claim, rec)
		case rec.State == store.InFlight:
			claim.Takeover = store.TakeAbsent
			if failure, err := h.attend(ctx, rec, until); failure != nil || err != nil {
				return standing{err: failure}, false, err
			}
		case rec.State == store.Unknown && h.cfg.OnUnknown == Retry && claim.Takeover == store.TakeAbsent:
			claim.Takeover = store.TakeDoubt
		default:
			return standing{err: h.inDoubt("an earlier try of this call may have been executed", nil)}, false, nil
		}
	}
}

// meet is what a completed record means to a claim.
func (h *hold) meet(ctx context.Context, claim store.Claim, rec store.Record) (standing, bool, error) {
	ans, bad := h.recorded(ctx, rec)
	switch {
	case errors.Is(bad, errStale):
		return h.takeOver(ctx, claim, nil)
	case errors.Is(bad, errRecord) && h.cfg.OnUnknown == Fail:
		return standing{err: h.inDoubt("the record of this call cannot be read", errRecord)}, false, nil
	case errors.Is(bad, errRecord): // in doubt
		return h.takeOver(ctx, claim, nil)
	case bad != nil:
		return standing{err: asError(bad, h.call)}, false, nil
	case h.recallMode == recallOnce: // given out once: whoever replaces the record has it
		return h.takeOver(ctx, claim, ans)
	}
	return standing{ans: ans}, false, nil
}

func (c *call) inDoubt(reason string, cause error) *Error {
	return c.failure(CodeAmbiguous, reason+"; find out what became of it, then Forget its address", cause)
}

// takeOver replaces a settled record. With an answer in hand the call is not
// sent when it was a completed record that was replaced: the answer is ours.
func (h *hold) takeOver(ctx context.Context, claim store.Claim, ans *answer) (standing, bool, error) {
	claim.Takeover = store.TakeSettled
	rec, err := h.store.Claim(ctx, h.address, claim)
	switch {
	case err != nil:
		return standing{}, false, err
	case rec.Owner != claim.Owner:
		return standing{err: h.held("another client took the record of this call", rec.Left)}, false, nil
	case ans == nil || rec.Prior != store.Completed:
		return standing{}, true, nil
	}
	return standing{ans: ans}, false, h.settle(ctx, store.Outcome{State: store.Absent})
}

// held is the error of a call that another client makes.
func (c *call) held(reason string, left time.Duration) *Error {
	e := c.failure(CodeInProgress, reason, nil)
	e.RetryAfter = left
	return e
}

var errHeldTooLong = fmt.Errorf("llmidem: another client held the claim for longer than Retry.Elapsed: %w", context.DeadlineExceeded)

// attend waits while another client has the claim, for as long as a call may take.
// Its callers leave when their contexts end, and what they are told is held too. A
// store that fails meanwhile is asked again until the lease would have run out:
// going out without a record now would pay for what is being paid for.
func (h *hold) attend(ctx context.Context, rec store.Record, until time.Time) (*Error, error) {
	h.progress.held.Store(int64(max(rec.Left, time.Millisecond)))
	ctx, cancel := context.WithDeadlineCause(ctx, until, errHeldTooLong)
	defer cancel()
	lastSeen := time.Now()
	for {
		_, err := store.Wait(ctx, h.store, h.address)
		switch {
		case ctx.Err() != nil:
			return h.held("another client holds the claim of this call", rec.Left), nil
		case err == nil:
			h.progress.held.Store(0)
			return nil, nil
		case time.Since(lastSeen) > rec.Left:
			h.progress.held.Store(0)
			return nil, err
		}
		select {
		case <-time.After(renewAgain / 4):
		case <-ctx.Done():
		}
	}
}
