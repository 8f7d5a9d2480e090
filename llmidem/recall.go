package llmidem

import (
	"context"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// recallMode is what the recall policy comes to for one call.
type recallMode uint8

const (
	// recallNone: the call is not looked up, shared or kept.
	recallNone recallMode = iota
	// recallOnce: an answer is kept until it was given out once.
	recallOnce
	// recallAll: an answer is given out until it expires.
	recallAll
)

// modeOf applies the policy to a call.
func (c *call) modeOf() recallMode {
	switch {
	case c.opts.noRecall, c.cfg.Recall == RecallOff, c.facts.stateful:
		return recallNone
	case c.cfg.Recall == RecallUndelivered && c.facts.sampled && !c.scoped:
		return recallOnce
	}
	return recallAll
}

// recall gives out the answer that this process has, if it has one. What a store
// beyond it has is met by the claim, in the same round trip that finds nothing.
func (k *core) recall(next handler) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		if c.recallMode == recallNone {
			return next(ctx, c)
		}
		if ans := c.state.again(c); ans != nil {
			return ans.from(SourceCache), nil
		}
		rec, err := k.memory().Get(ctx, c.address)
		if err == nil && c.outdated(ctx, rec) {
			return next(ctx, c)
		}
		switch {
		case err == nil && rec.State != store.Absent && rec.Fingerprint != c.finger:
			return nil, c.conflict()
		case err != nil || rec.State != store.Completed || c.stale(rec):
			return next(ctx, c) // claim meets the same store and says what to do
		case c.recallMode == recallOnce:
			return next(ctx, c) // taking it is a claim's matter: one caller gets it
		}
		ans, err := decodeRecord(rec)
		if err != nil {
			return next(ctx, c) // in doubt: what that means is a claim's matter
		}
		ans.source = SourceCache
		c.warnRecalled(ctx)
		return ans, nil
	}
}

// memory is what this process itself remembers.
func (k *core) memory() store.Store {
	if k.near != nil {
		return k.near
	}
	return k.store
}

// recorded makes an answer of a record of the store, if it is the answer to this
// call; the error is an *Error about a conflict, errStale or errRecord.
func (c *call) recorded(ctx context.Context, rec store.Record) (*answer, error) {
	if rec.Fingerprint != c.finger {
		return nil, c.conflict()
	}
	if c.stale(rec) {
		return nil, errStale
	}
	ans, err := c.decode(rec)
	if err != nil {
		return nil, err
	}
	ans.source = SourceCache
	if c.outlives {
		ans.source = SourceStore
		c.keepNear(rec, c.payload(rec.Body))
	}
	c.warnRecalled(ctx)
	return ans, nil
}

func (c *call) conflict() *Error {
	return c.failure(CodeConflict, "the key stands for another request; use another key, or none", nil)
}

// warnRecalled says once a client what surprises whoever draws several answers
// to one prompt, and how to get them.
func (c *call) warnRecalled(ctx context.Context) {
	if !c.facts.sampled || c.scoped || c.recallMode != recallAll {
		return
	}
	c.warnRecall.Do(func() {
		c.log(ctx, levelWarn, "an answer that is drawn was given a second time, since equal calls have one answer; "+
			"to draw again use llmidem.Occurrence(n) or llmidem.Fresh(), or WithRecall(RecallUndelivered)")
	})
}
