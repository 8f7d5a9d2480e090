package llmidem_test

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

type outcome struct {
	res llmidem.Result[openai.ChatCompletionResponse]
	err error
}

// askAll asks the same thing n times at once.
func (b *bench) askAll(n int, prompt string, opts ...llmidem.CallOption) []outcome {
	all := make([]outcome, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i].res, all[i].err = b.ask(context.Background(), prompt, opts...) })
	}
	wg.Wait()
	return all
}

func TestS1_FirstRun(t *testing.T) {
	b := newBench(t)
	r := b.mustAsk("first").Receipt
	require.Equal(t, llmidem.SourceProvider, r.Source)
	require.True(t, r.Paid() && r.Complete && r.Kept)
	require.Equal(t, 1, r.Attempts)
	require.Equal(t, 1, r.Calls)
	require.Equal(t, b.srv.Ledger().Billed().Input, int(r.Usage.InputTokens))
	require.Zero(t, r.Saved)
}

func TestS2_Replay(t *testing.T) {
	b := newBench(t)
	first, second := b.mustAsk("again"), b.mustAsk("again")
	require.Equal(t, llmidem.SourceCache, second.Receipt.Source)
	require.Equal(t, first.Value.Choices, second.Value.Choices)
	require.Equal(t, first.Receipt.Usage, second.Receipt.Saved)
	require.Zero(t, second.Receipt.Usage)
	require.Zero(t, second.Receipt.Attempts)
	require.Equal(t, first.Receipt.TraceID, second.Receipt.Origin)
	require.Equal(t, 1, b.srv.Ledger().Executions())
}

func TestS3_DuplicateInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Delay(time.Second))
		sources := map[llmidem.Source]int{}
		for _, o := range b.askAll(2, "at once") {
			require.NoError(t, o.err)
			sources[o.res.Receipt.Source]++
		}
		require.Equal(t, map[llmidem.Source]int{llmidem.SourceProvider: 1, llmidem.SourceCoalesced: 1}, sources)
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
}

func TestS11_ThousandCallersOneSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Delay(time.Second))
		paid := 0
		for _, o := range b.askAll(1000, "all at once") {
			require.NoError(t, o.err)
			if o.res.Receipt.Paid() {
				paid++
			}
		}
		require.Equal(t, 1, paid)
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
}

func TestS11_LeaderCancelled(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"while it is executed": llmtest.Delay(5 * time.Second),
		"while it waits":       llmtest.Status(429).RetryAfter(5 * time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Next(fault)
				ctx, cancel := context.WithCancel(context.Background())
				var leader error
				var wg sync.WaitGroup
				wg.Go(func() { _, leader = b.ask(ctx, "lead") })
				synctest.Wait()
				followers := make([]outcome, 10)
				for i := range followers {
					wg.Go(func() { followers[i].res, followers[i].err = b.ask(context.Background(), "lead") })
				}
				synctest.Wait()
				cancel()
				wg.Wait()
				require.ErrorIs(t, leader, context.Canceled)
				paid := 0
				for _, o := range followers {
					require.NoError(t, o.err)
					if o.res.Receipt.Paid() {
						paid++
					}
				}
				require.Equal(t, 1, paid, "somebody must be told what it cost")
				require.Equal(t, 1, b.srv.Ledger().Executions())
			})
		})
	}
}

func TestS11_FollowerCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Delay(5 * time.Second))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var leader outcome
		var wg sync.WaitGroup
		wg.Go(func() { leader.res, leader.err = b.ask(context.Background(), "follow") })
		synctest.Wait()
		_, err := b.ask(ctx, "follow")
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		wg.Wait()
		require.NoError(t, leader.err)
	})
}

// The leader's failure goes to everyone who had joined: no convoy of retries.
func TestS11a_FailureReachesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Status(503).Delay(time.Second) })
		for _, o := range b.askAll(1000, "fails") {
			requireStatusOf(t, o.err, 503)
		}
		require.Len(t, b.srv.Ledger().Bodies(), 5)
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.DropBefore().Delay(time.Second) })
		for _, o := range b.askAll(1000, "breaks") {
			require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(o.err))
		}
		require.Len(t, b.srv.Ledger().Bodies(), 3)
	})
}

func requireStatusOf(t *testing.T, err error, status int) {
	t.Helper()
	var api *openai.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, status, api.HTTPStatusCode)
}

func TestS11b_CallInsideTheCallItWaitsFor(t *testing.T) {
	b := newBench(t)
	_, err := llmidem.Do(context.Background(), b.client, "outer", 1, func(ctx context.Context, _ identity.Key) (string, error) {
		_, err := llmidem.Do(ctx, b.client, "outer", 1, func(context.Context, identity.Key) (string, error) { return "inner", nil })
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
		require.ErrorContains(t, err, "Scope")
		return "outer", nil
	})
	require.NoError(t, err)
}

// The caller gives up after 1 s, the server answers after 3 s: asked again, there
// is one execution and the answer.
func TestR11a_AskedAgainAfterATimeout(t *testing.T) {
	for name, pause := range map[string]time.Duration{"when it is there": 5 * time.Second, "while it is under way": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Next(llmtest.Delay(3 * time.Second))
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				_, err := b.ask(ctx, "slow")
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
				time.Sleep(pause) // of the bubble's clock
				b.mustAsk("slow")
				require.Equal(t, 1, b.srv.Ledger().Executions())
			})
		})
	}
}

func TestR11_CloseWaitsForWhatStillRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Delay(3 * time.Second))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := b.ask(ctx, "slow")
		require.Error(t, err)
		start := time.Now()
		require.NoError(t, b.client.Close(context.Background()))
		require.Equal(t, 2*time.Second, time.Since(start))
		require.Len(t, b.logs.with("INFO completed"), 1)
		_, err = b.ask(context.Background(), "slow")
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
		require.ErrorContains(t, err, "closed")
	})
}

func TestR11_CloseCutsOffWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Hang())
		done := make(chan error)
		go func() {
			_, err := b.ask(context.Background(), "hangs")
			done <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, b.client.Close(ctx), context.DeadlineExceeded)
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(<-done))
	})
}

// A call that nobody waits for goes on for DetachLimit and no longer.
func TestR11_DetachLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{DetachLimit: time.Minute})
		b.srv.Next(llmtest.Hang())
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := b.ask(ctx, "hangs")
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		start := time.Now()
		require.NoError(t, b.client.Close(context.Background()))
		require.Equal(t, time.Minute, time.Since(start))
		require.Len(t, b.logs.with("WARN call failed"), 2) // the caller's, and the call's own
	})
}

// Nothing was sent when the last caller left: the call ends with it, and the
// claim is free for the next one.
func TestR5_GivenUpBeforeAnythingWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Refuse(), llmtest.OK())
		ctx, cancel := context.WithCancel(context.Background())
		var first error
		var wg sync.WaitGroup
		wg.Go(func() { _, first = b.ask(ctx, "given up") })
		synctest.Wait() // it waits for its second attempt
		cancel()
		wg.Wait()
		require.ErrorIs(t, first, context.Canceled)
		require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(first))
		require.Equal(t, 1, b.mustAsk("given up").Receipt.Attempts)
	})
}

func TestR11_MaxFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{MaxFlights: 1})
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Delay(time.Second) })
		var wg sync.WaitGroup
		kept := make([]bool, 2)
		for i, prompt := range []string{"a", "b"} {
			wg.Go(func() { kept[i] = b.mustAsk(prompt).Receipt.Kept })
			synctest.Wait()
		}
		wg.Wait()
		require.Equal(t, []bool{true, false}, kept)
	})
}

// An answer over the limit reaches everybody, from a request of their own, and is
// not kept.
func TestP10_AnswerOverTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{MaxEntry: 1000})
		long := strings.Repeat("word ", 1000)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Text(long).Delay(time.Second) })
		for _, o := range b.askAll(3, "long") {
			require.NoError(t, o.err)
			require.Equal(t, long, o.res.Value.Choices[0].Message.Content)
			require.False(t, o.res.Receipt.Kept)
			require.False(t, o.res.Receipt.Complete)
		}
		require.Equal(t, 3, b.srv.Ledger().Executions())
		b.mustAsk("long")
		require.Equal(t, 4, b.srv.Ledger().Executions())
	})
}

// Who comes while an equal call is being given up starts over when it has let go;
// it is not dragged down with it.
func TestR5_ComesWhileAnotherIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		release := make(chan struct{})
		calls := 0
		client := b.client.Over(roundTrip(func(req *http.Request) (*http.Response, error) {
			calls++
			if calls > 1 {
				return b.srv.Transport().RoundTrip(req)
			}
			httptrace.ContextClientTrace(req.Context()).GetConn("slow.invalid:443") // it dials, and has written nothing
			<-req.Context().Done()
			<-release
			return nil, req.Context().Err()
		}))
		ctx, cancel := context.WithCancel(context.Background())
		first, second := make(chan error, 1), make(chan exchanged, 1)
		go func() {
			_, err := client.RoundTrip(b.request("/chat/completions", chatBody("x")).WithContext(ctx))
			first <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		go func() { second <- b.read(client.RoundTrip(b.request("/chat/completions", chatBody("x")))) }()
		synctest.Wait()
		gone, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		_, err := client.RoundTrip(b.request("/chat/completions", chatBody("x")).WithContext(gone))
		require.ErrorIs(t, err, context.DeadlineExceeded, "nor does anybody wait longer than its context")
		close(release)
		require.Equal(t, "provider", (<-second).source)
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
}
