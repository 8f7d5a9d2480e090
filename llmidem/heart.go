package llmidem

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

const (
	// lease is how long a claim holds in a store that outlives this process: how
	// long others wait for a process that died.
	lease = 30 * time.Second
	// renewEvery is how often a lease is renewed, so that two renewals may fail.
	renewEvery = 10 * time.Second
	// renewAgain is how soon one that failed is tried again.
	renewAgain = 2 * time.Second
	// maxClaim bounds a claim with all its renewals: a call that hangs for ever
	// must not be waited for, for ever. It is also the lease in a memory of this
	// process's own, where nobody is left to wait when the claimant has died.
	maxClaim = 15 * time.Minute
)

// leaseTime is how long a claim holds without renewal.
func (k *core) leaseTime() time.Duration {
	if k.outlives {
		return lease
	}
	return maxClaim
}

// heart renews the lease of a claim while the call runs. A nil heart does not.
type heart struct {
	call   *call
	owner  store.Owner
	ctx    context.Context
	cancel context.CancelFunc
	end    time.Time

	mu      sync.Mutex // held while the lease is renewed
	timer   *time.Timer
	stopped bool
}

// beat begins to renew a claim.
func (c *call) beat(ctx context.Context, owner store.Owner) *heart {
	if !c.outlives {
		return nil
	}
	h := &heart{call: c, owner: owner, end: time.Now().Add(maxClaim)}
	h.ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer = time.AfterFunc(renewEvery, h.renew)
	return h
}

func (h *heart) renew() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return
	}
	next := renewEvery
	switch err := h.call.store.Renew(h.ctx, h.call.address, h.owner, lease); {
	case h.ctx.Err() != nil:
		return
	case errors.Is(err, store.ErrLost):
		h.call.log(h.ctx, levelWarn, "the claim of a call was lost while it ran; it is not attempted again")
		h.call.progress.lost.Store(true)
		return
	case err != nil:
		next = renewAgain
	}
	if time.Now().Add(next).After(h.end) {
		h.call.progress.lost.Store(true)
		return
	}
	h.timer.Reset(next)
}

// stop ends the renewing, and returns when no renewal is under way.
func (h *heart) stop() {
	if h == nil {
		return
	}
	h.cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	h.timer.Stop()
}
