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
)

type charge struct {
	ID     string
	Amount int
	At     time.Time
}

func TestDo_OnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		runs := 0
		var seen identity.Key
		run := func(_ context.Context, key identity.Key) (charge, error) {
			runs++
			seen = key
			time.Sleep(time.Second)
			return charge{ID: "ch_1", Amount: 1999, At: time.Now()}, nil
		}
		results := make([]llmidem.Result[charge], 100)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				var err error
				results[i], err = llmidem.Do(context.Background(), b.client, "charge", map[string]any{"amount": 1999, "to": "acme"}, run)
				require.NoError(t, err)
			})
		}
		wg.Wait()
		require.Equal(t, 1, runs)
		for _, r := range results {
			require.Equal(t, results[0].Value, r.Value, "the leader's result travels as JSON, too")
			require.Equal(t, seen, r.Receipt.Key)
		}
		again, err := llmidem.Do(context.Background(), b.client, "charge", map[string]any{"to": "acme", "amount": 1999.0}, run)
		require.NoError(t, err)
		require.Equal(t, llmidem.SourceCache, again.Receipt.Source)
		doc, err := identity.Function("charge", []byte(`{"amount":1999,"to":"acme"}`), identity.Call{})
		require.NoError(t, err)
		want, err := identity.SHA256("idem_").Key(doc)
		require.NoError(t, err)
		require.Equal(t, want, seen)
		spans := b.spans.Named("execute_tool charge")
		require.Equal(t, 101, len(spans))
		require.Equal(t, "charge", attrs(spans[0])["gen_ai.tool.name"])
	})
}

func TestDo_ErrorIsInDoubtUnlessNotExecuted(t *testing.T) {
	b := newBench(t, llmidem.Config{OnUnknown: llmidem.Fail})
	broken := errors.New("broken")
	fails := func(context.Context, identity.Key) (int, error) { return 0, broken }
	refuses := func(context.Context, identity.Key) (int, error) { return 0, llmidem.NotExecuted(broken) }
	works := func(context.Context, identity.Key) (int, error) { return 7, nil }
	do := func(payload string, fn func(context.Context, identity.Key) (int, error)) (llmidem.Result[int], error) {
		return llmidem.Do(context.Background(), b.client, "f", payload, fn)
	}
	_, err := do("a", refuses)
	require.ErrorIs(t, err, broken)
	require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(err))
	res, err := do("a", works)
	require.NoError(t, err)
	require.Equal(t, 7, res.Value)

	res, err = do("b", fails)
	require.ErrorIs(t, err, broken)
	require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
	_, err = do("b", works)
	require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
	require.NoError(t, b.client.Forget(context.Background(), res.Receipt.Address))
	_, err = do("b", works)
	require.NoError(t, err)
	require.NoError(t, llmidem.NotExecuted(nil))
}

// K18: two functions with one payload, and one function with two result types.
func TestK18_FunctionsAreApart(t *testing.T) {
	b := newBench(t)
	one := func(context.Context, identity.Key) (int, error) { return 1, nil }
	two := func(context.Context, identity.Key) (int, error) { return 2, nil }
	text := func(context.Context, identity.Key) (string, error) { return "x", nil }
	r, err := llmidem.Do(context.Background(), b.client, "one", "p", one)
	require.NoError(t, err)
	require.Equal(t, 1, r.Value)
	r, err = llmidem.Do(context.Background(), b.client, "two", "p", two)
	require.NoError(t, err)
	require.Equal(t, 2, r.Value)
	_, err = llmidem.Do(context.Background(), b.client, "one", "p", text)
	require.Equal(t, llmidem.CodeConflict, llmidem.CodeOf(err), "a result of another type is not this one")
	_, err = llmidem.Do(context.Background(), b.client, "", "p", one)
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
}

// K7: empty payloads are payloads, each its own.
func TestK7_EmptyPayloads(t *testing.T) {
	b := newBench(t)
	runs := 0
	for range 2 {
		for _, payload := range []any{0, false, "", []int{}, nil, map[string]int{}} {
			_, err := llmidem.Do(context.Background(), b.client, "f", payload, func(context.Context, identity.Key) (int, error) { runs++; return 0, nil })
			require.NoError(t, err)
		}
	}
	require.Equal(t, 6, runs)
}

// S14: a panic is the caller's, what it did is in doubt, and whoever waits is told.
func TestS14_PanicOfTheFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{OnUnknown: llmidem.Fail})
		var wg sync.WaitGroup
		wg.Go(func() {
			require.PanicsWithValue(t, "boom", func() {
				_, _ = llmidem.Do(context.Background(), b.client, "f", 1, func(context.Context, identity.Key) (int, error) {
					time.Sleep(time.Second)
					panic("boom")
				})
			})
		})
		synctest.Wait()
		_, err := llmidem.Do(context.Background(), b.client, "f", 1, func(context.Context, identity.Key) (int, error) { return 1, nil })
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
		wg.Wait()
		_, err = llmidem.Do(context.Background(), b.client, "f", 1, func(context.Context, identity.Key) (int, error) { return 1, nil })
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err), "in doubt until Forget")
	})
}

func TestDo_CallersEndIsNotItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		run := func(ctx context.Context, _ identity.Key) (string, error) {
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(3 * time.Second):
				return "done", nil
			}
		}
		_, err := llmidem.Do(ctx, b.client, "f", 1, run)
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		time.Sleep(5 * time.Second)
		res, err := llmidem.Do(context.Background(), b.client, "f", 1, run)
		require.NoError(t, err)
		require.Equal(t, "done", res.Value)
		require.Equal(t, llmidem.SourceCache, res.Receipt.Source)
	})
}

func TestDo_TypesThatDoNotSurvive(t *testing.T) {
	b := newBench(t)
	ran := false
	refused := func(err error) {
		t.Helper()
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
		require.ErrorContains(t, err, "JSON")
		require.False(t, ran)
	}
	refused(try(b.client, func() chan int { ran = true; return nil }))
	refused(try(b.client, func() func() { ran = true; return nil }))
	refused(try(b.client, func() complex128 { ran = true; return 0 }))
	refused(try(b.client, func() error { ran = true; return nil }))
	refused(try(b.client, func() struct{ secret int } { ran = true; return struct{ secret int }{1} }))
	refused(try(b.client, func() map[bool]int { ran = true; return nil }))
	refused(try(b.client, func() []map[string]chan int { ran = true; return nil }))
	type list struct{ Next *list }
	require.NoError(t, try(b.client, func() list { return list{&list{}} }))
	require.NoError(t, try(b.client, func() time.Time { return time.Time{} }))
	require.NoError(t, try(b.client, func() any { return 1 }))
	require.NoError(t, try(b.client, func() map[int]string { return map[int]string{1: "x"} }))
	_, err := llmidem.Do(context.Background(), b.client, "f", func() {}, func(context.Context, identity.Key) (int, error) { return 0, nil })
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err), "a payload that JSON cannot write")
}

func try[T any](c *llmidem.Client, fn func() T) error {
	var zero T
	_, err := llmidem.Do(llmidem.WithCall(context.Background(), llmidem.Fresh()), c, "f", 1,
		func(context.Context, identity.Key) (T, error) { _ = zero; return fn(), nil })
	return err
}

// The options of a Do are not those of the calls inside of it.
func TestDo_OptionsEndWithIt(t *testing.T) {
	b := newBench(t)
	_, err := llmidem.Do(context.Background(), b.client, "step", 1, func(ctx context.Context, _ identity.Key) (int, error) {
		for _, prompt := range []string{"a", "b"} {
			if _, err := b.ask(ctx, prompt); err != nil {
				return 0, err
			}
			if _, err := b.api.CreateChatCompletion(ctx, chat(prompt)); err != nil {
				return 0, err
			}
		}
		return 0, nil
	}, llmidem.Key("the-step"))
	require.NoError(t, err)
	require.Len(t, b.srv.Ledger().Keys(), 2)
	require.NotContains(t, b.srv.Ledger().Keys(), "the-step")
}
