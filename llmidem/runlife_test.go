package llmidem_test

import (
	"context"
	"fmt"
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

const day = 24 * time.Hour

// A run is kept for 7 days after its last write, and then it is gone as a whole.
func TestRun_SevenDaysAfterTheLastWrite(t *testing.T) {
	for idle, replayed := range map[time.Duration]bool{7*day - time.Hour: true, 7*day - time.Second: true, 7*day + 2*time.Minute: false, 7*day + time.Hour: false} {
		synctest.Test(t, func(t *testing.T) {
			_, p := processes(t, 3)
			ctx := llmidem.WithRun(t.Context(), "r")
			first := p[0].steps(ctx, 1, "draw")
			time.Sleep(6 * day)
			p[0].srv.Next(llmtest.Delay(9 * time.Minute))        // it is its end that counts
			first = append(first, p[0].steps(ctx, 1, "draw")...) // the same life goes on
			time.Sleep(idle)
			again := p[1].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw")
			require.Equal(t, replayed, again[0] == first[0])
			require.Equal(t, replayed, again[1] == first[1])
			if !replayed {
				require.Len(t, unique(append(again, first...)), 4, "all anew: %v", again)
			}
			time.Sleep(time.Second)
			require.Equal(t, again, p[2].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"))
			require.Equal(t, again, p[0].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"), "also in the process that had the old ones")
		})
	}
}

// A replay is no write.
func TestRun_ReplaysKeepNoRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 3)
		first := p[0].step(llmidem.WithRun(t.Context(), "r"), "draw")
		stream := p[0].streamIn(llmidem.WithRun(t.Context(), "r"), "stream")
		time.Sleep(6 * day)
		require.Equal(t, first, p[1].step(llmidem.WithRun(t.Context(), "r"), "draw"))
		require.Equal(t, stream.text, p[1].streamIn(llmidem.WithRun(t.Context(), "r"), "stream").text)
		time.Sleep(2 * day)
		require.NotEqual(t, first, p[2].step(llmidem.WithRun(t.Context(), "r"), "draw"))
	})
}

// N3: what a run began with lasts as long as what it ended with, and one of which
// some is gone, or soon will be, is refused.
func TestN3_RecordsEndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 4)
		oldest := p[0].step(llmidem.WithRun(t.Context(), "r"), "draw")
		time.Sleep(6 * day)
		first := p[0].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw")
		require.Equal(t, oldest, first[0])
		time.Sleep(2 * day) // the first step is 8 days old
		require.Equal(t, first, p[1].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"))
		time.Sleep(4 * day) // 12
		third := p[1].steps(llmidem.WithRun(t.Context(), "r"), 3, "draw")[2]
		ctx := llmidem.WithRun(t.Context(), "r")
		require.Equal(t, first[0], p[2].step(ctx, "draw"))
		executions := p[0].srv.Ledger().Executions()

		time.Sleep(2*day - 30*time.Minute) // to the last hour
		for _, ctx := range []context.Context{llmidem.WithRun(t.Context(), "r"), ctx} {
			_, err := p[2].ask(ctx, "draw")
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
			require.ErrorContains(t, err, "run expired")
		}
		time.Sleep(time.Hour) // all are gone, and the run was written to 2 days ago
		for range 3 {
			_, err := p[2].ask(llmidem.WithRun(t.Context(), "r"), "draw")
			require.ErrorContains(t, err, "run expired")
		}
		require.Equal(t, executions, p[0].srv.Ledger().Executions(), "nothing was sent")
		p[2].step(llmidem.WithRun(t.Context(), "another"), "draw")
		time.Sleep(5 * day)
		anew := p[3].steps(llmidem.WithRun(t.Context(), "r"), 1, "draw")
		require.NotContains(t, append(first, third), anew[0])
	})
}

// N3: a record of the run's last life that is still there is not this one's.
func TestN3_RecordOfAnEarlierLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, p := processes(t, 2)
		ctx := llmidem.WithRun(t.Context(), "r")
		first, r := p[0].text2(ctx, "draw")
		time.Sleep(8 * day)
		rec, err := memory.Get(t.Context(), r.Address)
		require.NoError(t, err)
		require.Equal(t, store.Completed, rec.State, "it is there")
		second, r2 := p[1].text2(llmidem.WithRun(t.Context(), "r"), "draw")
		require.Equal(t, r.Address, r2.Address)
		require.NotEqual(t, first, second)
		require.True(t, r2.Paid() && r2.Kept)
		rec, err = memory.Get(t.Context(), r.Address)
		require.NoError(t, err)
		require.Equal(t, 14*day, rec.Left, "it ends with the new life")

		// The process that knows the old life is told, and mixes nothing.
		_, err = p[0].ask(ctx, "draw")
		require.ErrorContains(t, err, "run expired")
		_, err = p[0].ask(ctx, "another")
		require.ErrorContains(t, err, "run expired")
	})
}

// N5: two processes that begin a run anew make its calls together, too.
func TestN5_TwoBeginAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 3)
		first := p[0].step(llmidem.WithRun(t.Context(), "r"), "draw")
		time.Sleep(8 * day)
		p[0].srv.Next(llmtest.Delay(time.Minute))
		a := p[1].asking(llmidem.WithRun(t.Context(), "r"), "draw")
		synctest.Wait()
		b := p[2].asking(llmidem.WithRun(t.Context(), "r"), "draw")
		one, two := <-a, <-b
		require.NoError(t, one.err)
		require.NoError(t, two.err)
		require.Equal(t, one.res.Value.Choices, two.res.Value.Choices)
		require.NotEqual(t, first, one.res.Value.Choices[0].Message.Content)
		require.Equal(t, 2, p[0].srv.Ledger().Executions())
	})
}

// In memory, too, where an answer is given without a claim.
func TestN3_EarlierLifeInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()))
		earlier := llmidem.WithRun(t.Context(), "r")
		first := b.step(earlier, "first")
		time.Sleep(8 * day)
		later := llmidem.WithRun(t.Context(), "r")
		require.NotEqual(t, first, b.step(later, "first"))
		b.step(later, "second")
		_, err := b.ask(earlier, "second")
		require.ErrorContains(t, err, "run expired")
	})
}

// text2 is step with its receipt.
func (b *bench) text2(ctx context.Context, prompt string) (string, llmidem.Receipt) {
	b.t.Helper()
	res, err := b.ask(ctx, prompt)
	require.NoError(b.t, err)
	return res.Value.Choices[0].Message.Content, res.Receipt
}

// A program that did nothing for longer than that goes on when nobody has begun
// the run anew.
func TestRun_IdleProcessGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		ctx := llmidem.WithRun(t.Context(), "r")
		first := p[0].steps(ctx, 1, "draw")
		time.Sleep(9 * day)
		first = append(first, p[0].steps(ctx, 1, "draw")...)
		require.Equal(t, first, p[1].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"))
		require.Equal(t, 2, p[0].srv.Ledger().Executions())
	})
}

// What a run has of functions and of each account ends together.
func TestRun_LivesOfAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2, llmidem.WithNamespace("app"))
		runs := 0
		life := func(p *process, days int) (texts []string) {
			ctx := llmidem.WithRun(t.Context(), "r")
			res, err := llmidem.Do(ctx, p.client, "tool", 1, func(context.Context, identity.Key) (string, error) {
				runs++
				return fmt.Sprint("run ", runs), nil
			})
			require.NoError(t, err)
			texts = append(texts, res.Value)
			for i := range days {
				time.Sleep(day)
				texts = append(texts, p.step(ctx, fmt.Sprint("day ", i)))
			}
			return texts
		}
		first := life(p[0], 10) // the function has written nothing for ten days
		require.Equal(t, first[:3], life(p[1], 2))
		require.Equal(t, 1, runs)
	})
}

// A machine that slept: its clock says less than the store's, and nothing is taken
// for older than it is.
func TestRun_MachineSlept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slept time.Duration
		memory, err := store.NewMemory(store.MemoryConfig{Now: func() time.Time { return time.Now().Add(slept) }})
		require.NoError(t, err)
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled())
		one, two := benchOver(t, srv, llmidem.WithStore(sharedMemory{memory})), benchOver(t, srv, llmidem.WithStore(sharedMemory{memory}))
		ctx, other := llmidem.WithRun(t.Context(), "r"), llmidem.WithRun(t.Context(), "r")
		one.step(ctx, "first")
		text := two.step(other, "second")
		slept = 5 * day
		require.Equal(t, text, one.step(ctx, "second"), "it is older than the run was thought to be")
		slept = 10 * day // more than the run lasts
		third := one.step(ctx, "third")
		require.Equal(t, third, two.step(llmidem.WithRun(t.Context(), "r"), "third"), "the run goes on: nobody has begun another")
		slept = 18 * day
		two.step(llmidem.WithRun(t.Context(), "r"), "first")
		time.Sleep(2 * time.Minute)
		_, err = one.ask(ctx, "fourth")
		require.ErrorContains(t, err, "run expired", "here somebody has")
		require.Equal(t, 4, srv.Ledger().Executions())
	})
}

// The store fails where the run is looked up.
func TestS13_StoreFailsAtTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].store.Inject(storetest.OpGet, storetest.Fault{Err: errStoreDown})
		ctx := llmidem.WithRun(t.Context(), "r")
		_, r := p[0].text2(ctx, "draw")
		require.ErrorIs(t, r.StoreErr, errStoreDown)
		require.False(t, r.Kept, "a record whose end is not known could outlast the run")
		stream, err := p[0].open(ctx, "stream")
		require.NoError(t, err)
		out := drainStream(stream)
		require.NoError(t, out.err)
		require.ErrorIs(t, out.r.StoreErr, errStoreDown)
		p[0].store.Inject(storetest.OpGet, storetest.Fault{})
		_, r = p[0].text2(ctx, "draw")
		require.True(t, r.Kept)

		_, p = processes(t, 1, llmidem.Config{StoreDown: llmidem.Refuse})
		p[0].store.Inject(storetest.OpClaim, storetest.Fault{Err: errStoreDown})
		_, err = p[0].ask(llmidem.WithRun(t.Context(), "r"), "draw")
		require.Equal(t, llmidem.CodeUnavailable, llmidem.CodeOf(err))
		require.Zero(t, p[0].srv.Ledger().Executions())
	})
}

// A store that hangs costs those who wait for it together one timeout, and nobody
// whose context ends waits for it.
func TestRun_StoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1, llmidem.Config{StoreDown: llmidem.Refuse})
		p[0].store.Inject(storetest.OpGet, storetest.Fault{Hang: true})
		ctx := llmidem.WithRun(t.Context(), "r")
		began := time.Now()
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		first := p[0].asking(short, "draw")
		synctest.Wait()
		var rest []<-chan outcome
		for range 10 {
			rest = append(rest, p[0].asking(ctx, "draw"))
		}
		require.ErrorIs(t, (<-first).err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
		for _, ended := range rest {
			require.Equal(t, llmidem.CodeUnavailable, llmidem.CodeOf((<-ended).err))
		}
		require.LessOrEqual(t, time.Since(began), 7*time.Second)
		require.Zero(t, p[0].srv.Ledger().Executions())

		// That one of them leaves is nothing to the others.
		p[0].store.Inject(storetest.OpGet, storetest.Fault{Hang: true, Times: 1})
		short, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
		first = p[0].asking(short, "draw")
		synctest.Wait()
		second := p[0].asking(ctx, "draw")
		require.ErrorIs(t, (<-first).err, context.DeadlineExceeded)
		require.NoError(t, (<-second).err)
	})
}

// dying is the way to a store of a process that is killed at one of its operations:
// from then on nothing it does arrives.
type dying struct {
	*storetest.Faulty
	left  int
	after bool // the last one arrived
}

func (d *dying) die(arrived func()) bool {
	if d.left--; d.left == 0 && d.after {
		arrived()
	}
	return d.left <= 0
}

func (d *dying) Claim(ctx context.Context, id string, c store.Claim) (rec store.Record, err error) {
	if d.die(func() { _, _ = d.Faulty.Claim(ctx, id, c) }) {
		return rec, errStoreDown
	}
	return d.Faulty.Claim(ctx, id, c)
}

func (d *dying) Settle(ctx context.Context, id string, owner store.Owner, o store.Outcome) error {
	if d.die(func() { _ = d.Faulty.Settle(ctx, id, owner, o) }) {
		return errStoreDown
	}
	return d.Faulty.Settle(ctx, id, owner, o)
}

func (d *dying) Renew(ctx context.Context, id string, owner store.Owner, lease time.Duration) error {
	if d.die(func() { _ = d.Faulty.Renew(ctx, id, owner, lease) }) {
		return errStoreDown
	}
	return d.Faulty.Renew(ctx, id, owner, lease)
}

func (d *dying) Get(ctx context.Context, id string) (rec store.Record, err error) {
	if d.die(func() {}) {
		return rec, errStoreDown
	}
	return d.Faulty.Get(ctx, id)
}

// S15: whenever a process is killed, the run can go on: what was answered and kept
// is found, nothing is refused, and nothing is mixed.
func TestS15_RunGoesOnAfterAKill(t *testing.T) {
	for at := 1; ; at++ {
		died := false
		for _, after := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				memory, p := processes(t, 2, llmidem.Config{StoreDown: llmidem.Refuse})
				way := &dying{Faulty: storetest.NewFaulty(sharedMemory{memory}), left: at, after: after}
				victim := benchOver(t, p[0].srv, llmidem.Config{StoreDown: llmidem.Refuse}, llmidem.WithStore(way))
				kept := map[string]string{}
				ctx := llmidem.WithRun(t.Context(), "r")
				for i := range 3 {
					prompt := fmt.Sprint("step ", i)
					res, err := victim.ask(ctx, prompt)
					if died = died || way.left <= 0; died || err != nil {
						break
					}
					kept[prompt] = res.Value.Choices[0].Message.Content
					time.Sleep(2 * time.Minute) // so that the pulse is written again
				}
				restart := llmidem.WithRun(t.Context(), "r")
				var texts []string
				for i := range 3 {
					prompt := fmt.Sprint("step ", i)
					texts = append(texts, p[0].step(restart, prompt))
					if was := kept[prompt]; was != "" {
						require.Equal(t, was, texts[i])
					}
				}
				time.Sleep(6 * day)
				restart = llmidem.WithRun(t.Context(), "r")
				for i := range 3 {
					require.Equal(t, texts[i], p[1].step(restart, fmt.Sprint("step ", i)))
				}
			})
		}
		if !died {
			require.Greater(t, at, 20, "it was killed everywhere")
			return
		}
	}
}

func TestRun_OnMemoryAlone(t *testing.T) {
	b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()))
	first := b.steps(llmidem.WithRun(t.Context(), "r"), 2, "draw")
	require.Equal(t, first, b.steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"))
	require.Len(t, b.logs.with("kept in memory alone"), 1)
	require.Contains(t, b.logs.with("kept in memory alone")[0], "WithStore")
	b.step(llmidem.WithCall(llmidem.WithRun(t.Context(), "s"), llmidem.NoRecall()), "draw")
	other := benchOver(t, llmtest.New(t, llmtest.InMemory()))
	other.step(llmidem.WithCall(llmidem.WithRun(t.Context(), "r"), llmidem.NoRecall()), "draw")
	require.Empty(t, other.logs.with("memory"), "it has no part in the run")
}
