package llmidem_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

// sharedMemory is a memory that passes for a store which several processes share,
// so that its time can be synctest's.
type sharedMemory struct{ *store.Memory }

func (sharedMemory) Traits() store.Traits { return store.Traits{Durable: true, Shared: true} }

var errStoreDown = errors.New("the store is down")

// process is one of several that share a store.
type process struct {
	*bench
	store *storetest.Faulty // its way to the store
}

// processes starts that many over one server and one store.
func processes(t *testing.T, n int, opts ...llmidem.Option) (*store.Memory, []*process) {
	t.Helper()
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled(), llmtest.AllowUnused())
	all := make([]*process, n)
	for i := range all {
		way := storetest.NewFaulty(sharedMemory{memory})
		all[i] = &process{store: way, bench: benchOver(t, srv, append(opts[:len(opts):len(opts)], llmidem.WithStore(way))...)}
	}
	return memory, all
}

func (p *process) text(t *testing.T, prompt string) (string, llmidem.Receipt) {
	t.Helper()
	res, err := p.ask(t.Context(), prompt)
	require.NoError(t, err)
	return res.Value.Choices[0].Message.Content, res.Receipt
}

// asking asks in the background.
func (p *process) asking(ctx context.Context, prompt string) <-chan outcome {
	ended := make(chan outcome, 1)
	go func() {
		res, err := p.ask(ctx, prompt)
		ended <- outcome{res, err}
	}()
	return ended
}

func TestS2_AnswerOfAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, p := processes(t, 2)
		first, r := p[0].text(t, "shared")
		require.True(t, r.Paid() && r.Kept && r.Complete)
		rec, err := memory.Get(t.Context(), r.Address)
		require.NoError(t, err)
		require.Equal(t, 24*time.Hour, rec.Left, "a store that lasts keeps answers for a day")

		time.Sleep(time.Hour)
		second, r2 := p[1].text(t, "shared")
		require.Equal(t, first, second)
		require.Equal(t, llmidem.SourceStore, r2.Source)
		require.Equal(t, time.Hour, r2.Age)
		require.Equal(t, r.TraceID, r2.Origin)
		require.Positive(t, r2.Saved.OutputTokens)
		require.Zero(t, r2.Attempts)
		require.Equal(t, 1, p[0].srv.Ledger().Executions())
		time.Sleep(23 * time.Hour)
		third, _ := p[1].text(t, "shared")
		require.NotEqual(t, first, third, "P6: after its time it is asked anew")
	})
}

// S3: a call that another process makes is waited for, however long it takes.
func TestS3_WaitsForAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].srv.Next(llmtest.Delay(2 * time.Minute)) // four leases
		first := p[0].asking(t.Context(), "slow")
		synctest.Wait()
		second := p[1].asking(t.Context(), "slow")
		a, b := <-first, <-second
		require.NoError(t, a.err)
		require.NoError(t, b.err)
		require.Equal(t, a.res.Value.Choices, b.res.Value.Choices)
		require.Equal(t, llmidem.SourceStore, b.res.Receipt.Source)
		require.Equal(t, 1, p[0].srv.Ledger().Executions())
		require.GreaterOrEqual(t, p[0].store.Calls(storetest.OpRenew), 10, "the lease is renewed while the call runs")
	})
}

// S3: one waiter for each address and process, whose followers share what it finds.
func TestS3_OneWaiterAProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].srv.Next(llmtest.Delay(5 * time.Second))
		first := p[0].asking(t.Context(), "crowd")
		synctest.Wait()
		sources := map[llmidem.Source]int{}
		for _, o := range p[1].askAll(100, "crowd") {
			require.NoError(t, o.err)
			require.False(t, o.res.Receipt.Paid())
			require.Zero(t, o.res.Receipt.Attempts)
			sources[o.res.Receipt.Source]++
		}
		require.NoError(t, (<-first).err)
		require.Equal(t, map[llmidem.Source]int{llmidem.SourceStore: 100}, sources)
		require.Equal(t, 2, p[1].store.Calls(storetest.OpClaim), "one that met the claim, one that met the answer")
		require.Equal(t, 1, p[0].srv.Ledger().Executions())
	})
}

func TestS3_ContextEndsWhileAnotherProcessCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].srv.Next(llmtest.Delay(time.Minute))
		first := p[0].asking(t.Context(), "slow")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		second := <-p[1].asking(ctx, "slow")
		var e *llmidem.Error
		require.ErrorAs(t, second.err, &e)
		require.Equal(t, llmidem.CodeInProgress, e.Code)
		require.Positive(t, e.RetryAfter)
		require.LessOrEqual(t, e.RetryAfter, 30*time.Second)
		require.ErrorIs(t, second.err, context.DeadlineExceeded)
		require.Zero(t, e.Attempts)
		require.NoError(t, (<-first).err)
		again, r := p[1].text(t, "slow")
		require.Equal(t, llmidem.SourceStore, r.Source)
		require.NotEmpty(t, again)
	})
}

// Nobody waits for another process for longer than a call may take.
func TestS5_NotLongerThanACallMayTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2, llmidem.WithRetry(llmidem.RetryPolicy{Elapsed: time.Minute}))
		slow := p[0].newClient(llmidem.WithStore(p[0].store), llmidem.WithRetry(llmidem.RetryPolicy{Elapsed: time.Hour}))
		p[0].srv.Next(llmtest.Delay(5 * time.Minute))
		p[0].api = p[0].apiOver(slow, "sk-test")
		first := p[0].asking(t.Context(), "slow")
		synctest.Wait()
		start := time.Now()
		_, err := p[1].ask(t.Context(), "slow")
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		require.Equal(t, time.Minute, time.Since(start))
		require.NoError(t, (<-first).err)
	})
}

// crash leaves the claim of a process that died while it made the call.
func crash(t *testing.T, memory *store.Memory, p *process, prompt string) string {
	t.Helper()
	_, r := p.text(t, prompt)
	rec, err := memory.Get(t.Context(), r.Address)
	require.NoError(t, err)
	require.NoError(t, p.client.Forget(t.Context(), r.Address))
	_, err = memory.Claim(t.Context(), r.Address, store.Claim{Owner: store.NewOwner(), Lease: 30 * time.Second, Fingerprint: rec.Fingerprint})
	require.NoError(t, err)
	return r.Address
}

// S4: the claim of a dead process is taken over when its lease has run out, by one.
func TestS4_TakeoverAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, p := processes(t, 3)
		crash(t, memory, p[0], "died")
		start := time.Now()
		a, b := p[1].asking(t.Context(), "died"), p[2].asking(t.Context(), "died")
		x, y := <-a, <-b
		require.NoError(t, x.err)
		require.NoError(t, y.err)
		require.Equal(t, x.res.Value.Choices, y.res.Value.Choices)
		require.Equal(t, 2, p[0].srv.Ledger().Executions(), "the one before the crash and one more")
		require.GreaterOrEqual(t, time.Since(start), 30*time.Second)
		require.Less(t, time.Since(start), 32*time.Second, "nothing is stuck longer than a lease")
	})
}

// S15a: where doubt must not be paid for, it is said until it is forgotten.
func TestS15a_OnUnknownFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, p := processes(t, 2, llmidem.Config{OnUnknown: llmidem.Fail})
		address := crash(t, memory, p[0], "died")
		for range 2 {
			_, err := p[1].ask(t.Context(), "died")
			require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
			time.Sleep(48 * time.Hour)
		}
		require.NoError(t, p[1].client.Forget(t.Context(), address))
		_, r := p[0].text(t, "died")
		require.True(t, r.Paid())
	})
}

// S4a: an upstream that hangs for ever is waited for as long as a claim may last.
func TestS4a_HangingUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2, llmidem.WithRetry(llmidem.RetryPolicy{Elapsed: time.Hour}))
		p[0].srv.Next(llmtest.Hang())
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		first := p[0].asking(ctx, "hangs")
		synctest.Wait()
		start := time.Now()
		second := <-p[1].asking(t.Context(), "hangs")
		require.NoError(t, second.err)
		require.True(t, second.res.Receipt.Paid())
		require.Greater(t, time.Since(start), 14*time.Minute)
		require.Less(t, time.Since(start), 16*time.Minute)
		require.Error(t, (<-first).err)
	})
}

// S12: a process that was stopped for longer than its lease comes back with an
// answer: it gives out the one that is recorded, which everybody else has.
func TestS12_LateFinisherInAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].store.Inject(storetest.OpRenew, storetest.Fault{Err: errStoreDown})
		p[0].srv.Next(llmtest.Delay(2*time.Minute), llmtest.Delay(time.Minute))
		first := p[0].asking(t.Context(), "late")
		synctest.Wait()
		second := <-p[1].asking(t.Context(), "late")
		require.NoError(t, second.err)
		require.True(t, second.res.Receipt.Paid())
		late := <-first
		require.NoError(t, late.err)
		require.Equal(t, second.res.Value.Choices, late.res.Value.Choices, "all have one answer")
		require.ErrorIs(t, late.res.Receipt.StoreErr, store.ErrLost)
		require.Positive(t, late.res.Receipt.Usage.OutputTokens, "its own was paid for all the same")
		require.Zero(t, late.res.Receipt.Saved)
		text, r := p[1].text(t, "late")
		require.Equal(t, second.res.Value.Choices[0].Message.Content, text)
		require.False(t, r.Paid())
		require.Equal(t, 2, p[0].srv.Ledger().Executions())
	})
}

// S12: whoever knows that it has lost its claim makes no further attempt.
func TestS12_NoAttemptWithoutTheClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1)
		p[0].store.Inject(storetest.OpRenew, storetest.Fault{Err: store.ErrLost})
		p[0].srv.Next(llmtest.Status(503).Delay(time.Minute))
		_, err := p[0].ask(t.Context(), "lost")
		require.Error(t, err)
		require.Equal(t, 1, len(p[0].srv.Ledger().Requests))
		require.Equal(t, 1, len(p[0].logs.with("lost while it ran")))
	})
}

// Each process keeps what it met: the store is not asked again.
func TestNear_AnswersWithoutTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2, llmidem.Config{CacheTTL: time.Hour})
		text, r := p[0].text(t, "near")
		_, far := p[1].text(t, "near")
		require.Equal(t, llmidem.SourceStore, far.Source)
		for _, q := range p {
			claims := q.store.Calls(storetest.OpClaim)
			q.store.Inject(storetest.OpClaim, storetest.Fault{Err: errStoreDown})
			q.store.Inject(storetest.OpGet, storetest.Fault{Err: errStoreDown})
			time.Sleep(time.Minute)
			again, near := q.text(t, "near")
			require.Equal(t, text, again)
			require.Equal(t, llmidem.SourceCache, near.Source)
			require.Equal(t, r.TraceID, near.Origin)
			require.Equal(t, claims, q.store.Calls(storetest.OpClaim))
			q.store.Inject(storetest.OpClaim, storetest.Fault{})
			q.store.Inject(storetest.OpGet, storetest.Fault{})
		}
		_, near := p[1].text(t, "near")
		require.Equal(t, 2*time.Minute, near.Age, "since it was answered, not since it was copied")
		time.Sleep(10 * time.Minute)
		_, far = p[1].text(t, "near")
		require.Equal(t, llmidem.SourceStore, far.Source, "a copy is kept for ten minutes at most")
		require.NoError(t, p[1].client.Forget(t.Context(), r.Address))
		_, anew := p[1].text(t, "near")
		require.True(t, anew.Paid(), "forgotten here too")
	})
}

func TestNear_NeverOutlivesTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2, llmidem.Config{CacheTTL: time.Minute})
		p[0].text(t, "short")
		time.Sleep(59 * time.Second)
		_, r := p[1].text(t, "short")
		require.Equal(t, llmidem.SourceStore, r.Source)
		time.Sleep(time.Second)
		_, r = p[1].text(t, "short")
		require.True(t, r.Paid())
	})
}

// Under RecallUndelivered an answer is given out once, by whichever process.
func TestRecallUndelivered_AcrossProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 3, llmidem.WithRecall(llmidem.RecallUndelivered))
		p[0].srv.Next(llmtest.Delay(time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf((<-p[0].asking(ctx, "once")).err))
		time.Sleep(2 * time.Minute)
		paid := 0
		var all sync.WaitGroup
		var mu sync.Mutex
		for _, q := range p {
			all.Go(func() {
				_, r := q.text(t, "once")
				mu.Lock()
				defer mu.Unlock()
				if r.Paid() {
					paid++
				}
			})
		}
		all.Wait()
		require.Equal(t, 2, paid, "one had the answer that nobody got")
		_, r := p[1].text(t, "once")
		require.True(t, r.Paid())
	})
}

// P9: a record in a shared store says whose it is, or nothing is sent.
func TestP9_SharedStoreNeedsAnOwner(t *testing.T) {
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	srv := llmtest.New(t, llmtest.InMemory())
	for name, c := range map[string]struct {
		token string
		opts  []llmidem.Option
		fails bool
	}{
		"nothing":   {"", nil, true},
		"token":     {"sk-test", nil, false},
		"tenant":    {"", []llmidem.Option{llmidem.WithTenant("a")}, false},
		"namespace": {"", []llmidem.Option{llmidem.WithNamespace("app")}, false},
		"no recall": {"", []llmidem.Option{llmidem.WithRecall(llmidem.RecallOff)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			way := storetest.NewFaulty(sharedMemory{memory})
			b := benchOver(t, srv, append(c.opts, llmidem.WithStore(way))...)
			req := b.request("/chat/completions", chatBody("whose "+name))
			req.Header.Del("Authorization")
			if c.token != "" {
				req.Header.Set("Authorization", "Bearer "+c.token)
			}
			before := len(srv.Ledger().Requests)
			resp, err := b.client.RoundTrip(req)
			if !c.fails {
				b.read(resp, err)
				return
			}
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
			require.ErrorContains(t, err, "WithTenant")
			require.Zero(t, way.Calls(storetest.OpClaim))
			require.Len(t, srv.Ledger().Requests, before)
			_, err = llmidem.Do(t.Context(), b.client, "tool", 1, func(context.Context, identity.Key) (int, error) { return 1, nil })
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
		})
	}
}

// A stream that one process recorded reads the same in another.
func TestT7_StreamOfAnotherProcess(t *testing.T) {
	_, p := processes(t, 2)
	stream := func(p *process) exchanged {
		req := p.request("/chat/completions", `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"a stream"}]}`)
		resp, err := p.client.RoundTrip(req)
		return p.read(resp, err)
	}
	first, second := stream(p[0]), stream(p[1])
	require.Equal(t, first.body, second.body)
	require.Equal(t, "provider", first.source)
	require.Equal(t, "store", second.source)
}

func TestWithStore_SharedMemory(t *testing.T) {
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	srv := llmtest.New(t, llmtest.InMemory())
	a, b := benchOver(t, srv, llmidem.WithStore(memory)), benchOver(t, srv, llmidem.WithStore(memory))
	a.mustAsk("two clients")
	require.Equal(t, llmidem.SourceCache, b.mustAsk("two clients").Receipt.Source)
	_, err = llmidem.New(srv.Provider(), llmidem.WithStore(nil))
	require.ErrorContains(t, err, "WithStore is nil")
}
