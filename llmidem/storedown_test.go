package llmidem_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

// S13: a store that hangs at the claim has failed after StoreTimeout.
func TestS13_StoreHangsAtTheClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1)
		p[0].store.Inject(storetest.OpClaim, storetest.Fault{Hang: true})
		start := time.Now()
		_, r := p[0].text(t, "hangs")
		require.Equal(t, 5*time.Second, time.Since(start))
		require.True(t, r.Paid() && r.Complete && !r.Kept)
		require.ErrorContains(t, r.StoreErr, "StoreTimeout")
		require.Len(t, p[0].logs.with("without a record"), 1)

		_, q := processes(t, 1, llmidem.Config{StoreDown: llmidem.Refuse, StoreTimeout: time.Second})
		q[0].store.Inject(storetest.OpClaim, storetest.Fault{Hang: true})
		start = time.Now()
		_, err := q[0].ask(t.Context(), "hangs")
		require.Equal(t, llmidem.CodeUnavailable, llmidem.CodeOf(err))
		require.Equal(t, time.Second, time.Since(start))
		require.Zero(t, q[0].srv.Ledger().Executions())
	})
}

// No caller waits for the store beyond its own context.
func TestS13_CallerLeavesAHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1)
		p[0].store.Inject(storetest.OpClaim, storetest.Fault{Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := p[0].ask(ctx, "hangs")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
		synctest.Wait()
		require.Zero(t, p[0].srv.Ledger().Executions(), "nothing was sent, and nothing is")
	})
}

// S13: at completion the caller has its answer at the latest when its context ends.
func TestS13_StoreHangsAtCompletion(t *testing.T) {
	for name, c := range map[string]struct{ patience, waited time.Duration }{
		"until the store has failed":     {time.Minute, 6 * time.Second},
		"until the caller can no longer": {3 * time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, p := processes(t, 1)
				p[0].store.Inject(storetest.OpSettle, storetest.Fault{Hang: true})
				p[0].srv.Next(llmtest.Delay(time.Second))
				ctx, cancel := context.WithTimeout(t.Context(), c.patience)
				defer cancel()
				start := time.Now()
				o := <-p[0].asking(ctx, "paid for")
				require.NoError(t, o.err)
				require.Equal(t, c.waited, time.Since(start))
				require.NotEmpty(t, o.res.Value.Choices[0].Message.Content)
				require.True(t, o.res.Receipt.Paid() && o.res.Receipt.Complete && !o.res.Receipt.Kept)
				require.Error(t, o.res.Receipt.StoreErr)
				require.Positive(t, o.res.Receipt.Usage.OutputTokens)
			})
		})
	}
}

// The reply of the store was lost, not the request: the answer is kept.
func TestS13_ReplyLostAtCompletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].store.Inject(storetest.OpSettle, storetest.Fault{Err: errStoreDown, After: true})
		text, r := p[0].text(t, "reply lost")
		require.ErrorIs(t, r.StoreErr, errStoreDown)
		again, r := p[1].text(t, "reply lost")
		require.Equal(t, text, again)
		require.Equal(t, llmidem.SourceStore, r.Source)
	})
}

// The reply to the claim was lost: the call goes out without a record, and nobody
// is stuck for longer than the lease.
func TestS13_ReplyLostAtTheClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].store.Inject(storetest.OpClaim, storetest.Fault{Err: errStoreDown, After: true, Times: 1})
		_, r := p[0].text(t, "claim lost")
		require.True(t, r.Paid() && !r.Kept)
		start := time.Now()
		_, r = p[1].text(t, "claim lost")
		require.True(t, r.Paid() && r.Kept)
		require.LessOrEqual(t, time.Since(start), 31*time.Second)
	})
}

// A store that is restarted while a claim is waited for does not make the waiter
// pay for what is being paid for.
func TestS13_StoreRestartsWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].srv.Next(llmtest.Delay(20 * time.Second))
		first := p[0].asking(t.Context(), "restart")
		synctest.Wait()
		second := p[1].asking(t.Context(), "restart")
		time.Sleep(5 * time.Second)
		p[1].store.Inject(storetest.OpGet, storetest.Fault{Err: errStoreDown})
		time.Sleep(10 * time.Second)
		p[1].store.Inject(storetest.OpGet, storetest.Fault{})
		a, b := <-first, <-second
		require.NoError(t, a.err)
		require.NoError(t, b.err)
		require.Equal(t, a.res.Value.Choices, b.res.Value.Choices)
		require.Equal(t, 1, p[0].srv.Ledger().Executions())
	})
}

// … but one that stays away is a store that failed.
func TestS13_StoreStaysAwayWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].srv.Next(llmtest.Delay(2 * time.Minute))
		first := p[0].asking(t.Context(), "away")
		synctest.Wait()
		second := p[1].asking(t.Context(), "away")
		time.Sleep(5 * time.Second)
		p[1].store.Inject(storetest.OpGet, storetest.Fault{Err: errStoreDown})
		start := time.Now()
		b := <-second
		require.NoError(t, b.err)
		require.ErrorIs(t, b.res.Receipt.StoreErr, errStoreDown)
		require.LessOrEqual(t, time.Since(start), 31*time.Second)
		require.NoError(t, (<-first).err)
	})
}

// A renewal that fails now and then costs nothing.
func TestS13_RenewalsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].store.Inject(storetest.OpRenew, storetest.Fault{Err: errStoreDown, Times: 5})
		p[0].srv.Next(llmtest.Delay(2 * time.Minute))
		first := p[0].asking(t.Context(), "renew")
		synctest.Wait()
		second := <-p[1].asking(t.Context(), "renew")
		require.NoError(t, second.err)
		require.False(t, second.res.Receipt.Paid())
		require.NoError(t, (<-first).err)
		require.Equal(t, 1, p[0].srv.Ledger().Executions())
	})
}

// S13: the first error survives a store that fails at the release.
func TestS13_StoreHangsAtRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1)
		p[0].store.Inject(storetest.OpSettle, storetest.Fault{Hang: true})
		p[0].srv.Next(llmtest.Status(401))
		_, err := p[0].ask(t.Context(), "refused")
		require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(err))
		require.ErrorContains(t, err, "401")
	})
}

// A client that is closed while it waits for another process lets its callers go.
func TestClose_WhileAnotherProcessCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].srv.Next(llmtest.Delay(time.Minute))
		first := p[0].asking(t.Context(), "close")
		synctest.Wait()
		second := p[1].asking(t.Context(), "close")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, p[1].client.Close(ctx))
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf((<-second).err))
		require.NoError(t, (<-first).err)
	})
}

// S8: a state that this code does not know is in doubt.
func TestS8_UnknownState(t *testing.T) {
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	b := benchOver(t, llmtest.New(t, llmtest.InMemory()), llmidem.WithStore(strange{sharedMemory{memory}}))
	_, err = b.ask(t.Context(), "strange")
	require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
	require.Zero(t, b.srv.Ledger().Executions())
}

// strange gives records a state that does not exist yet.
type strange struct{ sharedMemory }

func (s strange) Claim(_ context.Context, _ string, c store.Claim) (store.Record, error) {
	return store.Record{State: 77, Owner: store.NewOwner(), Fingerprint: c.Fingerprint}, nil
}

// S7: the record goes between the look at it and the taking of it: another process
// has the answer that is given out once, so this one makes the call.
func TestS7_TakenByAnotherInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, err := store.NewMemory(store.MemoryConfig{})
		require.NoError(t, err)
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled())
		b := benchOver(t, srv, llmidem.WithStore(snatched{sharedMemory{memory}}), llmidem.WithRecall(llmidem.RecallUndelivered))
		srv.Next(llmtest.Delay(time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = b.ask(ctx, "snatched")
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		time.Sleep(2 * time.Minute)
		res, err := b.ask(t.Context(), "snatched")
		require.NoError(t, err)
		require.True(t, res.Receipt.Paid())
		require.Equal(t, 2, srv.Ledger().Executions())
	})
}

// snatched is a store in which somebody else is quicker to take what is settled.
type snatched struct{ sharedMemory }

func (s snatched) Claim(ctx context.Context, id string, c store.Claim) (store.Record, error) {
	if c.Takeover == store.TakeSettled {
		other := store.NewOwner()
		if _, err := s.Memory.Claim(ctx, id, store.Claim{Owner: other, Lease: time.Minute, Takeover: store.TakeSettled}); err != nil {
			return store.Record{}, err
		}
		if err := s.Settle(ctx, id, other, store.Outcome{State: store.Absent}); err != nil {
			return store.Record{}, err
		}
	}
	return s.Memory.Claim(ctx, id, c)
}

// A claim that is settled is renewed no more.
func TestS4_NoRenewalAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1)
		p[0].text(t, "ended")
		time.Sleep(time.Minute)
		require.Zero(t, p[0].store.Calls(storetest.OpRenew))
		require.Empty(t, p[0].logs.with("was lost"))
	})
}

// What became of a call is written down although its own time is over.
func TestS13_SettledAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, p := processes(t, 1, llmidem.WithRetry(llmidem.RetryPolicy{Elapsed: 5 * time.Second}))
		p[0].srv.Next(llmtest.Hang())
		_, err := p[0].ask(t.Context(), "hangs")
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
		var e *llmidem.Error
		require.ErrorAs(t, err, &e)
		rec, err := memory.Get(t.Context(), e.Address)
		require.NoError(t, err)
		require.Equal(t, store.Unknown, rec.State)
		require.Zero(t, memory.Stats().InFlight)
	})
}
