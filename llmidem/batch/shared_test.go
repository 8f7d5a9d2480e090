package batch_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// public is a memory that others see.
type public struct{ *store.Memory }

func (public) Traits() store.Traits { return store.Traits{Durable: true, Shared: true} }

func newPublic(t testing.TB) store.Store { return public{newLasting(t).(lasting).Memory} }

// TestB5_SharedState: workers on one state make each item once between them, each has
// all results, and they are collected from the state too.
func TestB5_SharedState(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		t.Run(fmt.Sprint("ordered ", ordered), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { workTogether(t, ordered) })
		})
	}
}

func workTogether(t *testing.T, ordered bool) {
	d := deskOver(t, llmtest.New(t, llmtest.InMemory()), newPublic(t))
	d.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Delay(time.Second) })
	const n, workers, each = 200, 4, 5
	opts := []batch.Option{batch.Concurrency(each)}
	if ordered {
		opts = append(opts, batch.Ordered())
	}
	began := time.Now()
	var wg sync.WaitGroup
	sums := make([]batch.Summary, workers)
	for w := range workers {
		wg.Go(func() {
			var err error
			sums[w], err = batch.Run(context.Background(), d.newClient(d.state), batch.FromReader("in", strings.NewReader(items(n))),
				batch.ToFile(fmt.Sprint(d.results, w)), d.to(), opts...)
			require.NoError(t, err)
		})
	}
	wg.Wait()
	sent := 0
	for w, s := range sums {
		checkSum(t, s)
		sent += s.Sent
		list := resultsIn(t, fmt.Sprint(d.results, w))
		checkAnswers(t, list, n)
		if ordered {
			checkOrder(t, list)
		}
	}
	require.Equal(t, n, sent)
	require.Equal(t, n, d.srv.Ledger().Executions())
	if !ordered {
		require.Less(t, time.Since(began), 2*time.Second*n/(workers*each), "they do not wait for each other")
	}
	sum, err := batch.Collect(context.Background(), d.client, batch.FromReader("in", strings.NewReader(items(n))), batch.ToFile(d.results), d.to())
	require.NoError(t, err)
	require.Equal(t, n, sum.Stored)
	checkAnswers(t, resultsIn(t, d.results), n)
	require.Equal(t, n, d.srv.Ledger().Executions())
}

// TestCollectWhatIsThere: a batch that was stopped is collected in part, and the rest
// later into the same file; dead letters too.
func TestCollectWhatIsThere(t *testing.T) {
	d := newDesk(t)
	d.srv.Handle(func(q *llmtest.Request) llmtest.Fault {
		if strings.HasSuffix(q.Prompt, " 3") {
			return llmtest.Status(400)
		}
		return llmtest.OK()
	})
	until, stop := context.WithCancel(t.Context())
	_, err := d.runTo(items(50), batch.ToFunc(func(r batch.Result) error {
		if r.CustomID == "item-00020" {
			stop()
		}
		return nil
	}), batch.Until(until), batch.Concurrency(2))
	require.ErrorIs(t, err, batch.ErrStopped)
	requests := len(d.srv.Ledger().Requests)
	collect := func(opts ...batch.Option) batch.Summary {
		sum, err := batch.Collect(t.Context(), d.client, batch.FromReader("in", strings.NewReader(items(50))), batch.ToFile(d.results), d.to(), opts...)
		require.NoError(t, err)
		checkSum(t, sum)
		return sum
	}
	sum := collect(batch.Ordered())
	require.Equal(t, requests-1, sum.Stored)
	require.Equal(t, 1, sum.Failed)
	require.Equal(t, 50-requests, sum.Left)
	require.Len(t, d.srv.Ledger().Requests, requests)
	_, err = d.runTo(items(50), batch.ToNowhere())
	require.NoError(t, err)
	sum = collect()
	require.Equal(t, 50-requests, sum.Stored)
	require.Zero(t, sum.Left)
	require.Len(t, resultsIn(t, d.results), 50)
	require.Len(t, d.srv.Ledger().Requests, 50)
}
