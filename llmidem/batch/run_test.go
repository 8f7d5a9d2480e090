package batch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestAnswersEachItemOnce(t *testing.T) {
	d := newDesk(t)
	sum := d.mustRun(items(100))
	require.Equal(t, 100, sum.Sent)
	require.Equal(t, 100, sum.Requests)
	require.Positive(t, sum.Paid.OutputTokens)
	checkAnswers(t, resultsIn(t, d.results), 100)
	before, err := os.ReadFile(d.results)
	require.NoError(t, err)

	sum = d.mustRun(items(100))
	require.Equal(t, batch.Summary{Items: 100, Done: 100}, sum)
	after, err := os.ReadFile(d.results)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Equal(t, 100, d.srv.Ledger().Executions())
}

// TestB2_PartialFailure: what failed is a dead letter, which is sent again only when
// that is asked for, and then alone.
func TestB2_PartialFailure(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		t.Run(fmt.Sprint("ordered ", ordered), func(t *testing.T) {
			d := newDesk(t)
			var opts []batch.Option
			if ordered {
				opts = append(opts, batch.Ordered())
			}
			d.srv.Handle(func(q *llmtest.Request) llmtest.Fault {
				switch {
				case strings.HasSuffix(q.Prompt, "7"):
					return llmtest.Status(400)
				case strings.HasSuffix(q.Prompt, "8"):
					return llmtest.DropBefore()
				case strings.HasSuffix(q.Prompt, "9"):
					return llmtest.HTML()
				}
				return llmtest.OK()
			})
			sum := d.mustRun(items(50), opts...)
			require.Equal(t, 35, sum.Sent)
			require.Equal(t, 15, sum.Failed)
			for _, r := range resultsIn(t, d.results) {
				switch {
				case strings.HasSuffix(r.CustomID, "7"):
					require.Equal(t, 400, r.Response.StatusCode)
					require.Contains(t, string(r.Response.Body), `"error"`)
					require.Nil(t, r.Error)
				case strings.HasSuffix(r.CustomID, "8"):
					require.Equal(t, "ambiguous", r.Error.Code)
					require.Nil(t, r.Response)
				case strings.HasSuffix(r.CustomID, "9"):
					require.Equal(t, "incomplete", r.Error.Code)
					require.Contains(t, string(r.Response.Body), "Sign in")
				default:
					require.True(t, r.Answered())
				}
			}
			requests := len(d.srv.Ledger().Requests)
			d.srv.Handle(nil)
			sum = d.mustRun(items(50), opts...)
			require.Equal(t, batch.Summary{Items: 50, Done: 35, Failed: 15}, sum)
			require.NoError(t, os.Remove(d.results))
			sum = d.mustRun(items(50), opts...)
			require.Equal(t, 15, sum.Failed, "they are in the state")
			require.Equal(t, 35, sum.Stored)
			require.Len(t, d.srv.Ledger().Requests, requests)

			sum = d.mustRun(items(50), append(opts, batch.RetryFailed())...)
			require.Equal(t, 15, sum.Sent)
			require.Zero(t, sum.Failed)
			require.Len(t, d.srv.Ledger().Requests, requests+15)
			list := resultsIn(t, d.results)
			checkAnswers(t, list, 50)
			if ordered {
				checkOrder(t, list)
			}
		})
	}
}

func checkOrder(t *testing.T, list []batch.Result) {
	t.Helper()
	for i, r := range list {
		require.Equal(t, fmt.Sprintf("item-%05d", i), r.CustomID)
	}
}

func TestOrdered(t *testing.T) {
	d := newDesk(t)
	d.srv.Handle(func(q *llmtest.Request) llmtest.Fault {
		if strings.HasSuffix(q.Prompt, "0") {
			return llmtest.Delay(2 * time.Millisecond)
		}
		return llmtest.OK()
	})
	d.mustRun(items(300), batch.Ordered(), batch.Concurrency(8))
	list := resultsIn(t, d.results)
	checkAnswers(t, list, 300)
	checkOrder(t, list)

	mixed := readLines(t, d.results)
	mixed[3], mixed[200] = mixed[200], mixed[3]
	require.NoError(t, os.WriteFile(d.results, []byte(strings.Join(mixed, "")), 0o600))
	_, err := d.run(items(300), batch.Ordered())
	require.ErrorContains(t, err, "was not written in order")
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
}

// TestB7_EqualItems: each is sent, unless they are collapsed.
func TestB7_EqualItems(t *testing.T) {
	var in strings.Builder
	for i := range 60 {
		in.WriteString(item(fmt.Sprint("id ", i), fmt.Sprint("question ", i%3)))
	}
	d := newDesk(t, llmtest.Sampled())
	sum := d.mustRun(in.String())
	require.Equal(t, 57, sum.Equal)
	require.Equal(t, 60, sum.Sent)
	require.Len(t, d.srv.Ledger().Keys(), 60)
	require.NoError(t, os.Remove(d.results))
	sum = d.mustRun(in.String())
	require.Equal(t, 60, sum.Stored)
	require.Equal(t, 60, d.srv.Ledger().Executions())

	_, err := d.run(in.String(), batch.Collapse())
	require.ErrorIs(t, err, batch.ErrState)
	require.ErrorContains(t, err, "Collapse: false in the state, true now")

	d = newDesk(t, llmtest.Sampled())
	sum = d.mustRun(in.String(), batch.Collapse())
	require.Equal(t, 57, sum.Equal)
	require.Equal(t, 3, sum.Sent)
	require.Equal(t, 57, sum.Stored+sum.Shared)
	require.Equal(t, 3, d.srv.Ledger().Executions())
	answers := map[string]bool{}
	for _, r := range resultsIn(t, d.results) {
		answers[string(r.Response.Body)] = true
	}
	require.Len(t, answers, 3)
}

// TestB6_OneItemInTwoBatches: it is another call in each, unless they share.
func TestB6_OneItemInTwoBatches(t *testing.T) {
	one, two := item("a", "both")+item("b", "one"), item("x", "two")+item("y", "both")
	d := newDesk(t)
	d.mustRun(one, batch.Name("one"))
	d.results += "2"
	sum := d.mustRun(two, batch.Name("two"))
	require.Equal(t, 2, sum.Sent)
	require.Equal(t, 2, d.srv.Ledger().ExecutionsOfPrompt("both"))

	d = newDesk(t)
	d.mustRun(one, batch.Share())
	d.results += "2"
	sum = d.mustRun(two, batch.Share())
	require.Equal(t, 1, sum.Sent)
	require.Equal(t, 1, sum.Stored)
	require.Equal(t, 1, d.srv.Ledger().ExecutionsOfPrompt("both"))
}

// TestStateOfAnotherBatch: what differs is named, and nothing is sent.
func TestStateOfAnotherBatch(t *testing.T) {
	d := newDesk(t)
	d.mustRun(items(3))
	n := len(d.srv.Ledger().Requests)
	refused := func(client *llmidem.Client, in string, to batch.Target, says string, opts ...batch.Option) {
		t.Helper()
		_, err := batch.Run(t.Context(), client, batch.FromReader("in", strings.NewReader(in)), batch.ToNowhere(), to, opts...)
		require.ErrorIs(t, err, batch.ErrState)
		require.ErrorContains(t, err, says)
	}
	refused(d.client, items(4), d.to(), "the input's SHA-256: ")
	refused(d.client, items(3), batch.To("http://elsewhere/v1", header()), "the base URL: "+d.srv.URL()+" in the state, http://elsewhere/v1 now")
	refused(d.client, items(3), batch.To(d.srv.URL(), nil), "credentials")
	refused(d.newClient(d.state, llmidem.WithTenant("t")), items(3), d.to(), "the tenant")
	p := d.srv.Provider()
	p.Rules.Routes = p.Rules.Routes[:1]
	other, err := llmidem.New(p, llmidem.ForBatch(d.state))
	require.NoError(t, err)
	refused(other, items(3), d.to(), "the rules of what identifies a call")
	require.NoError(t, other.Close(t.Context()))
	require.Len(t, d.srv.Ledger().Requests, n)
}

func TestForeignResults(t *testing.T) {
	d := newDesk(t)
	d.mustRun(items(3))
	good := readLines(t, d.results)
	for name, c := range map[string]struct{ text, says string }{
		"a file of somebody's":   {"dear diary\n", "line 1 of " + d.results + " is no result"},
		"without a newline":      {"dear diary", "is no result"},
		"of another input":       {strings.Replace(good[0], "item-", "atem-", 1), "is of an item that this input does not have"},
		"repeated":               {good[0] + good[1] + good[0], "line 3 of " + d.results + " is of an item that an earlier line is of"},
		"damaged":                {good[0][:40] + good[1], "is no result"},
		"not JSON after the ids": {strings.Replace(good[0], "choices", `cho"ices`, 1), "is no result"},
	} {
		require.NoError(t, os.WriteFile(d.results, []byte(c.text), 0o600))
		_, err := d.run(items(3))
		require.ErrorContains(t, err, c.says, name)
		after, err := os.ReadFile(d.results)
		require.NoError(t, err)
		require.Equal(t, c.text, string(after), name)
	}
	d.results = os.DevNull
	_, err := d.run(items(3))
	require.ErrorContains(t, err, "is no file that could be gone on with; use ToWriter")
}

// TestB3_TornAtEveryByte: wherever the results end, they are finished from the state.
func TestB3_TornAtEveryByte(t *testing.T) {
	d := newDesk(t)
	in := items(2)
	d.mustRun(in, batch.Ordered())
	whole, err := os.ReadFile(d.results)
	require.NoError(t, err)
	for n := range whole {
		require.NoError(t, os.WriteFile(d.results, whole[:n], 0o600))
		sum := d.mustRun(in, batch.Ordered())
		require.Equal(t, strings.Count(string(whole[:n]), "\n"), sum.Done)
		require.Equal(t, 2, sum.Done+sum.Stored)
		after, err := os.ReadFile(d.results)
		require.NoError(t, err)
		require.Equal(t, string(whole), string(after))
	}
	require.NoError(t, os.WriteFile(d.results, append(whole[:0:0], make([]byte, 100)...), 0o600))
	sum := d.mustRun(in, batch.Ordered())
	require.EqualValues(t, 100, sum.Mended, "what a power failure left")
	require.Equal(t, 2, d.srv.Ledger().Executions())
}

// TestB5_TwoOnOneFile: neither the state in a file nor the results are for two.
func TestB5_TwoOnOneFile(t *testing.T) {
	d := newDesk(t)
	hold := make(chan struct{})
	arrived := make(chan struct{}, 8)
	d.srv.Handle(func(*llmtest.Request) llmtest.Fault {
		arrived <- struct{}{}
		<-hold
		return llmtest.OK()
	})
	done := make(chan error)
	go func() { _, err := d.run(items(3)); done <- err }()
	<-arrived
	other := d.newClient(newLasting(t))
	_, err := batch.Run(t.Context(), other, batch.FromReader("in", strings.NewReader(items(3))), batch.ToFile(d.results), d.to())
	require.ErrorContains(t, err, "is being written by another process")
	close(hold)
	require.NoError(t, <-done)
	checkAnswers(t, resultsIn(t, d.results), 3)
}

// TestStopping: Until finishes what is in flight, the context leaves it; both leave
// what the next start goes on from.
func TestStopping(t *testing.T) {
	for _, gently := range []bool{true, false} {
		t.Run(fmt.Sprint("gently ", gently), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				d.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Delay(time.Second) })
				ctx, cancel := context.WithTimeoutCause(context.Background(), 4500*time.Millisecond, errors.New("enough"))
				defer cancel()
				now, until := ctx, context.Background()
				if gently {
					now, until = until, now
				}
				in := func() batch.Source { return batch.FromReader("in", strings.NewReader(items(100))) }
				sum, err := batch.Run(now, d.client, in(), batch.ToFile(d.results), d.to(), batch.Concurrency(10), batch.Until(until))
				require.ErrorIs(t, err, batch.ErrStopped)
				checkSum(t, sum)
				if gently {
					require.Equal(t, 50, sum.Sent)
				} else {
					require.ErrorContains(t, err, "enough")
					require.Equal(t, 40, sum.Sent)
				}
				synctest.Wait()
				time.Sleep(time.Second) // what is in flight ends behind our back
				require.Equal(t, 50, d.srv.Ledger().Executions())
				sum, err = batch.Run(context.Background(), d.client, in(), batch.ToFile(d.results), d.to())
				require.NoError(t, err)
				require.Equal(t, 50, sum.Sent)
				require.Equal(t, 50, sum.Done+sum.Stored)
				checkAnswers(t, resultsIn(t, d.results), 100)
			})
		})
	}
}

func TestStopAfter(t *testing.T) {
	d := newDesk(t)
	d.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Status(401) })
	sum, err := d.run(items(1000), batch.StopAfter(20), batch.Concurrency(2))
	require.ErrorIs(t, err, batch.ErrFailing)
	checkSum(t, sum)
	require.Less(t, sum.Failed, 40)
	d.srv.Handle(nil)
	require.Equal(t, 1000, d.mustRun(items(1000), batch.RetryFailed()).Sent)
	checkAnswers(t, resultsIn(t, d.results), 1000)
}

func TestSources(t *testing.T) {
	d := newDesk(t)
	var list []batch.Item
	for i := range 5 {
		list = append(list, batch.Item{CustomID: fmt.Sprintf("item-%05d", i), URL: "/v1/chat/completions",
			Body: []byte(fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"question %d"}]}`, i))})
	}
	var got []batch.Result
	sink := batch.ToFunc(func(r batch.Result) error { got = append(got, r); return nil })
	sum, err := batch.Run(t.Context(), d.client, batch.FromItems(list), sink, d.to())
	require.NoError(t, err)
	require.Equal(t, 5, sum.Sent)
	checkAnswers(t, got, 5)
	got = nil
	sum, err = batch.Run(t.Context(), d.client, batch.FromSeq(func(yield func(batch.Item, error) bool) {
		for _, it := range list {
			if !yield(it, nil) {
				return
			}
		}
	}), sink, d.to())
	require.NoError(t, err)
	require.Equal(t, 5, sum.Stored, "the same items are the same batch")
	checkAnswers(t, got, 5)

	broken := errors.New("the database went away")
	_, err = batch.Run(t.Context(), d.client, batch.FromSeq(func(yield func(batch.Item, error) bool) {
		_ = yield(list[0], nil) && yield(batch.Item{}, broken)
	}), sink, d.to())
	require.ErrorIs(t, err, broken)
	_, err = batch.Run(t.Context(), d.client, batch.FromFile(filepath.Join(t.TempDir(), "none")), sink, d.to())
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestProgressAndSpans(t *testing.T) {
	d := newDesk(t)
	var last batch.Summary
	sum := d.mustRun(items(10)+item("again", "question 3"), batch.Collapse(), batch.Progress(func(s batch.Summary) { last = s }))
	require.Equal(t, sum, last)
	all := d.spans.With("llmidem.batch.size", "11")
	require.Len(t, all, 1)
	require.Equal(t, "llmidem.batch", all[0].Name)
	children := d.spans.With("gen_ai.operation.name", "chat")
	require.Len(t, children, 11)
	for _, s := range children {
		require.Equal(t, all[0].Context.SpanID(), s.Parent.SpanID())
		require.Equal(t, all[0].Context.SpanID(), s.Links[0].SpanContext.SpanID())
		require.Equal(t, "llmidem.link.type", string(s.Links[0].Attributes[0].Key))
		require.Equal(t, "batch", s.Links[0].Attributes[0].Value.AsString())
	}
}
