package llmidem

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// runWarnings are said once a client.
type runWarnings struct{ unordered, memory sync.Once }

// inRun lets a call of a run be made, or be recalled, while the run lasts.
func (k *core) inRun(next handler) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		if c.scope == nil {
			return next(ctx, c)
		}
		c.warnUnordered(ctx)
		c.warnMemory(ctx)
		life := c.scope.run.lives.of(k, c.home.namespace)
		err := life.admit(ctx)
		switch {
		case err == nil:
			c.life = life // before anybody shares the call
			return next(ctx, c)
		case errors.Is(err, errRunOver):
			return nil, c.runOver()
		case ctx.Err() != nil:
			return nil, c.callerGone(ctx, false)
		case k.cfg.StoreDown == Refuse:
			return nil, c.failure(CodeUnavailable, "the store failed before anything was sent", err)
		}
		c.log(ctx, levelWarn, "the store failed to say how old the run is; the call goes out without a record")
		c.storeErr = err
		return next(ctx, c.alone())
	}
}

func (c *call) runOver() *Error {
	return c.failure(CodeInvalid, "run expired: some of its answers are gone, or soon will be, and others are not, so that going on would mix old with new; "+
		"begin a run with another id, or the same again 7 days after its last call", nil)
}

// goOn keeps a run going by a call that is about to be sent, so that it does not
// end meanwhile. What is only recalled keeps no run.
func (k *core) goOn(next handler) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		if c.life != nil && c.recallMode != recallNone {
			if err := c.keepRun(ctx); errors.Is(err, errRunOver) {
				return nil, c.runOver()
			}
		}
		return next(ctx, c)
	}
}

// wrote keeps a run going by the answer of a call that took long: that it was
// written down is the last write.
func (k *core) wrote(next handler) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		ans, err := next(ctx, c)
		switch {
		case c.life == nil || err != nil:
		case ans.live != nil && ans.live.keep != nil:
			keep := ans.live.keep
			ans.live.keep = func(ctx context.Context, ans *answer) *answer {
				ans = keep(ctx, ans)
				c.keepRunAfter(ctx, ans)
				return ans
			}
		default:
			c.keepRunAfter(ctx, ans)
		}
		return ans, err
	}
}

// keepRun writes the pulse of the run, wherever it has records: those of its
// functions and those of each account end together.
func (c *call) keepRun(ctx context.Context) error {
	err := c.life.pulse(ctx, false)
	for _, other := range c.scope.run.lives.others(c.life) {
		if failed := other.pulse(ctx, false); err == nil && !errors.Is(failed, errRunOver) {
			err = failed
		}
	}
	if err != nil && !errors.Is(err, errRunOver) {
		c.log(ctx, levelWarn, "the store failed to note that the run goes on; it may end before its time")
	}
	return err
}

// keepRunAfter is keepRun for a call whose answer was kept now.
func (c *call) keepRunAfter(ctx context.Context, ans *answer) {
	if ans.kept && ans.source != SourceCache && ans.source != SourceStore {
		_ = c.keepRun(context.WithoutCancel(ctx))
	}
}

// keepFor is how long the call's answer is kept.
func (c *call) keepFor() time.Duration {
	if c.batch {
		return 0
	}
	ttl := c.cfg.CacheTTL
	if c.life != nil {
		ttl = c.life.ttl()
	}
	if c.facts.fleeting {
		ttl = min(ttl, fleetingTTL)
	}
	return ttl
}

// outdated reports whether a record is from a life of its run that is over, so
// that it is as good as absent. One in doubt stays so: what it says may have been
// executed.
func (c *call) outdated(ctx context.Context, rec store.Record) bool {
	return c.life != nil && rec.State == store.Completed && c.life.stale(ctx, rec.Age)
}

// warnMemory says once a client what a run cannot do there.
func (c *call) warnMemory(ctx context.Context) {
	if traits := store.TraitsOf(c.store); traits.Durable || traits.Shared {
		return
	}
	c.runs.memory.Do(func() {
		c.log(ctx, levelWarn, "a run is kept in memory alone, so that nothing is left of it after a restart; "+
			"give the client a store that lasts with llmidem.WithStore: boltstore for one process, pgstore or redisstore for several")
	})
}
