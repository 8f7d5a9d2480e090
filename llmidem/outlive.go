package llmidem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/store"
)

// setStore decides where records are kept. A store that outlives this process, or
// that others share, has a memory in front of it as a near cache: copies of what
// was found there or written there.
func (k *core) setStore(s store.Store) error {
	memory, err := store.NewMemory(store.MemoryConfig{
		Entries: k.cfg.CacheCapacity, Bytes: k.cfg.CacheBytes, MaxEntry: k.cfg.MaxEntry,
	})
	if err != nil {
		return err
	}
	if s == nil {
		k.store = memory
		return nil
	}
	traits := store.TraitsOf(s)
	k.store, k.shared, k.outlives = s, traits.Shared, traits.Shared || traits.Durable
	if k.outlives {
		k.near, k.store = memory, &bounded{below: s, limit: k.cfg.StoreTimeout}
	}
	return nil
}

// bounded is a store that is not waited for beyond a limit, whatever the contexts
// of its callers say: one that hangs has failed.
type bounded struct {
	below store.Store
	limit time.Duration
}

var errStoreTimeout = errors.New("llmidem: the store did not reply in time")

// call runs one operation within the limit.
func (b *bounded) call(ctx context.Context, op func(context.Context) error) error {
	inner, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	err := op(inner)
	if err != nil && ctx.Err() == nil && inner.Err() != nil {
		return fmt.Errorf("%w (Config.StoreTimeout is %v): %w", errStoreTimeout, b.limit, err)
	}
	return err
}

func (b *bounded) Claim(ctx context.Context, id string, c store.Claim) (rec store.Record, err error) {
	err = b.call(ctx, func(ctx context.Context) (err error) { rec, err = b.below.Claim(ctx, id, c); return err })
	return rec, err
}

func (b *bounded) Renew(ctx context.Context, id string, owner store.Owner, lease time.Duration) error {
	return b.call(ctx, func(ctx context.Context) error { return b.below.Renew(ctx, id, owner, lease) })
}

func (b *bounded) Settle(ctx context.Context, id string, owner store.Owner, o store.Outcome) error {
	return b.call(ctx, func(ctx context.Context) error { return b.below.Settle(ctx, id, owner, o) })
}

func (b *bounded) Get(ctx context.Context, id string) (rec store.Record, err error) {
	err = b.call(ctx, func(ctx context.Context) (err error) { rec, err = b.below.Get(ctx, id); return err })
	return rec, err
}

// Unwrap is [store.Wrapper].
func (b *bounded) Unwrap() store.Store { return b.below }

// keepNear copies an answer of the store into this process, for as long as the
// record lives and the memory's own time to live at most: other processes may
// forget it.
func (c *call) keepNear(rec store.Record, payload []byte) {
	if c.near == nil || c.recallMode != recallAll {
		return
	}
	rec.Body = payload
	if rec.Left == 0 || rec.Left > defaultTTL {
		rec.Left = defaultTTL
	}
	c.near.Keep(c.address, rec)
}
