package batch_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

// TestB4_DamagedState: a state that is cut short or has a flipped bit is refused, or
// what is damaged is as good as not there; the results that were written stay.
func TestB4_DamagedState(t *testing.T) {
	const n, half = 12, 6
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	d := deskOver(t, llmtest.New(t, llmtest.InMemory()), newLasting(t))
	whole, results := halfDone(t, d, path, n, half)

	try := func(what string, content []byte) (refused bool) {
		require.NoError(t, os.WriteFile(path, content, 0o600))
		require.NoError(t, os.WriteFile(d.results, results, 0o600))
		state, err := boltstore.Open(path)
		if err != nil {
			require.ErrorIs(t, err, boltstore.ErrDamaged, what)
			return true
		}
		client := d.newClient(state)
		before := d.srv.Ledger().Executions()
		sum, err := batch.Run(t.Context(), client, batch.FromReader("in", strings.NewReader(items(n))), batch.ToFile(d.results), d.to(), batch.Concurrency(2))
		sent := d.srv.Ledger().Executions() - before
		require.NoError(t, client.Close(context.Background()))
		damaged := state.Stats().Damaged
		require.NoError(t, state.Close())
		after, readErr := os.ReadFile(d.results)
		require.NoError(t, readErr)
		require.True(t, strings.HasPrefix(string(after), string(results)), "what was written stays")
		if err != nil {
			require.ErrorContains(t, err, "damaged", what)
			return true
		}
		checkAnswers(t, readResults(t, after), n)
		require.Equal(t, half/2, sum.Done, what)
		if sent > n-half {
			require.Positive(t, damaged, "%s: %d were sent again, and nobody knows why", what, sent-(n-half))
		}
		return false
	}
	require.False(t, try("whole", whole))
	refused := 0
	for i := range 40 {
		at := i * len(whole) / 40
		if try("cut", whole[:at]) {
			refused++
		}
	}
	require.Greater(t, refused, 15, "what is behind the last page is room to grow")
	refused = 0
	var used []int // where there is something
	for at, c := range whole {
		if c != 0 {
			used = append(used, at)
		}
	}
	for range 120 {
		at := used[rand.IntN(len(used))]
		flipped := append([]byte{}, whole...)
		flipped[at] ^= 1 << rand.IntN(8)
		if try("flipped", flipped) {
			refused++
		}
	}
	require.Positive(t, refused)
}

// halfDone runs a batch up to its half, and takes half of the results away.
func halfDone(t *testing.T, d *desk, path string, n, half int) (state, results []byte) {
	t.Helper()
	s := openState(t, path)
	client := d.newClient(s)
	until, stop := context.WithCancel(t.Context())
	seen := 0
	d.srv.Handle(func(*llmtest.Request) llmtest.Fault {
		if seen++; seen == half {
			stop()
		}
		return llmtest.OK()
	})
	_, err := batch.Run(t.Context(), client, batch.FromReader("in", strings.NewReader(items(n))), batch.ToFile(d.results), d.to(),
		batch.Until(until), batch.Concurrency(1))
	require.ErrorIs(t, err, batch.ErrStopped)
	d.srv.Handle(nil)
	require.NoError(t, client.Close(context.Background()))
	require.NoError(t, s.Close())
	state, err = os.ReadFile(path)
	require.NoError(t, err)
	return state, []byte(strings.Join(readLines(t, d.results)[:half/2], ""))
}

// failing is a store of which one method fails from some call on.
type failing struct {
	store.Store
	claims, settles atomic.Int64 // that go well
}

var errDown = errors.New("the disk is gone")

func (f *failing) Claim(ctx context.Context, id string, c store.Claim) (store.Record, error) {
	if f.claims.Add(-1) < 0 {
		return store.Record{}, errDown
	}
	return f.Store.Claim(ctx, id, c)
}

func (f *failing) Settle(ctx context.Context, id string, o store.Owner, out store.Outcome) error {
	if f.settles.Add(-1) < 0 {
		return errDown
	}
	return f.Store.Settle(ctx, id, o, out)
}

func (f *failing) Unwrap() store.Store { return f.Store }

// TestStateFails: without a state nothing is sent, and what was paid for is written.
func TestStateFails(t *testing.T) {
	const plenty = 1 << 20
	for name, most := range map[string][2]int64{"header": {0, plenty}, "claim": {10, plenty}, "settle": {plenty, 10}} {
		t.Run(name, func(t *testing.T) {
			f := &failing{Store: newLasting(t)}
			f.claims.Store(most[0])
			f.settles.Store(most[1])
			d := deskOver(t, llmtest.New(t, llmtest.InMemory()), f)
			sum, err := d.run(items(50), batch.Concurrency(1))
			require.ErrorIs(t, err, errDown)
			if name == "header" {
				require.Zero(t, sum)
				require.Empty(t, d.srv.Ledger().Requests)
				return
			}
			checkSum(t, sum)
			require.Equal(t, sum.Sent, d.srv.Ledger().Executions(), "nothing that was paid for is lost")
			require.Less(t, sum.Sent, 12)
			require.Len(t, resultsIn(t, d.results), sum.Sent)
			f.claims.Store(plenty)
			f.settles.Store(plenty)
			d.mustRun(items(50))
			checkAnswers(t, resultsIn(t, d.results), 50)
			require.Equal(t, 50, d.srv.Ledger().Executions())
		})
	}
}

// TestForBatch: what would break its promise is refused, and nothing expires.
func TestForBatch(t *testing.T) {
	d := newDesk(t)
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	for says, opts := range map[string][]llmidem.Option{
		"ends with the process":    {llmidem.ForBatch(memory)},
		"open the store first":     {llmidem.ForBatch(nil)},
		"no answer expires":        {llmidem.ForBatch(d.state), llmidem.Config{CacheTTL: 1}},
		"every answer is recalled": {llmidem.ForBatch(d.state), llmidem.WithRecall(llmidem.RecallUndelivered)},
		"without a record":         {llmidem.ForBatch(d.state), llmidem.Config{StoreDown: llmidem.Proceed}},
		"first option":             {llmidem.WithTenant("t"), llmidem.ForBatch(d.state)},
	} {
		_, err := llmidem.New(d.srv.Provider(), opts...)
		require.ErrorContains(t, err, says)
	}
	require.Equal(t, d.state, d.client.BatchStore())
	d.mustRun(items(1))
	_, err = batch.Run(llmidem.WithRun(t.Context(), "run"), d.client, batch.FromReader("in", strings.NewReader(items(2))), batch.ToNowhere(), d.to(), batch.Name("in a run"))
	require.ErrorContains(t, err, "WithRun")
}
