package llmidem_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
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

// What the caller tells apart itself is not counted.
func TestRun_WhatIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		ctx := llmidem.WithRun(t.Context(), "r")
		second := p[0].step(ctx, "draw", llmidem.Occurrence(1))
		require.Equal(t, second, p[0].step(ctx, "draw", llmidem.Occurrence(1)))
		first := p[0].step(ctx, "draw", llmidem.Occurrence(0))
		require.Equal(t, first, p[0].step(ctx, "draw", llmidem.Occurrence(0)), "0 that is said is said")
		require.Equal(t, []string{first, second}, p[1].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"), "they are those of the count")

		fresh, key := llmidem.Fresh(), llmidem.Key("mine")
		require.Equal(t, p[0].step(ctx, "fresh", fresh), p[0].step(ctx, "fresh", fresh))
		require.Equal(t, p[0].step(ctx, "keyed", key), p[0].step(ctx, "keyed", key))
		require.Len(t, unique([]string{p[0].step(ctx, "fresh", fresh), p[0].step(ctx, "fresh", llmidem.Fresh()), p[0].step(ctx, "fresh")}), 3)

		drawn := p[0].steps(llmidem.WithCall(ctx, llmidem.NoRecall()), 2, "anew")
		require.Len(t, unique(drawn), 2)
		require.NotContains(t, drawn, p[0].step(ctx, "anew"))
		require.Equal(t, 9, p[0].srv.Ledger().Executions())
	})
}

func TestRun_OwnKeyHeaderIsNotCounted(t *testing.T) {
	b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()))
	ctx := llmidem.WithRun(t.Context(), "r")
	ask := func() exchanged {
		req := b.request("/chat/completions", chatBody("x")).WithContext(ctx)
		req.Header.Set("idempotency-key", "mine")
		return b.read(b.client.RoundTrip(req))
	}
	require.Equal(t, ask().body, ask().body)
	require.Equal(t, 1, b.srv.Ledger().Executions())
}

// Answers that are not drawn are the same each time: nothing is to be counted.
func TestRun_OnlyDrawnAnswersAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1)
		ctx := llmidem.WithRun(t.Context(), "r")
		var sources []llmidem.Source
		for range 2 {
			res, err := llmidem.Call(ctx, func(ctx context.Context, r openai.EmbeddingRequest) (openai.EmbeddingResponse, error) {
				return p[0].api.CreateEmbeddings(ctx, r)
			}, openai.EmbeddingRequest{Model: openai.SmallEmbedding3, Input: []string{"x"}})
			require.NoError(t, err)
			sources = append(sources, res.Receipt.Source)
		}
		require.Equal(t, []llmidem.Source{llmidem.SourceProvider, llmidem.SourceCache}, sources)
		ask := func() string {
			text := `{"model":"m","temperature":0,"messages":[{"role":"user","content":"x"}]}`
			return p[0].read(p[0].client.RoundTrip(p[0].request("/chat/completions", text).WithContext(ctx))).body
		}
		require.Equal(t, ask(), ask())
		require.Equal(t, 2, p[0].srv.Ledger().Executions())
	})
}

// Under RecallUndelivered and RecallOff a run is what it says.
func TestRun_RecallPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2, llmidem.WithRecall(llmidem.RecallUndelivered))
		first := p[0].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw")
		require.Equal(t, first, p[1].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"))
		require.Equal(t, 2, p[0].srv.Ledger().Executions())

		_, off := processes(t, 1, llmidem.WithRecall(llmidem.RecallOff))
		require.Len(t, unique(append(off[0].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"),
			off[0].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw")...)), 4)
	})
}

// An SDK's own retry inside of one Call, or one WithReceipt, is the same call.
func TestRun_RetryOfTheSDK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		retrying := func(ctx context.Context, req openai.ChatCompletionRequest) (res openai.ChatCompletionResponse, err error) {
			for range 3 {
				if res, err = p[0].api.CreateChatCompletion(ctx, req); err == nil {
					break
				}
			}
			return res, err
		}
		ctx := llmidem.WithRun(t.Context(), "r")
		p[0].srv.Next(llmtest.Status(400), llmtest.Status(400))
		res, err := llmidem.Call(ctx, retrying, chat("draw"))
		require.NoError(t, err)
		require.Equal(t, 1, res.Receipt.Calls)
		require.Equal(t, 3, res.Receipt.Attempts)
		require.Len(t, unique(p[0].srv.Ledger().Keys()), 1)
		texts := []string{res.Value.Choices[0].Message.Content}

		p[0].srv.Next(llmtest.Status(400))
		inner, receipt := llmidem.WithReceipt(ctx)
		value, err := retrying(inner, chat("draw"))
		require.NoError(t, err)
		require.Equal(t, 1, receipt().Calls)
		texts = append(texts, value.Choices[0].Message.Content)
		require.Equal(t, texts, p[1].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"))

		p[0].srv.Next(llmtest.Status(400), llmtest.Status(400), llmtest.Status(400))
		_, err = llmidem.Call(ctx, retrying, chat("draw"))
		require.Error(t, err)
		third := p[0].step(ctx, "draw")
		require.Equal(t, append(texts, third), p[1].steps(llmidem.WithRun(t.Context(), "r"), 3, "draw"))
		require.Len(t, unique(p[0].srv.Ledger().Keys()), 3, "the number of the one that failed was taken by the next")
	})
}

// While an SDK waits to ask again, its number is not another call's; and a number
// that another has meanwhile is not taken back.
func TestRun_NumberDuringRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		ctx := llmidem.WithRun(t.Context(), "r")
		slow := func(ctx context.Context, req openai.ChatCompletionRequest) (openai.ChatCompletionResponse, error) {
			_, err := p[0].api.CreateChatCompletion(ctx, req)
			require.Error(t, err)
			time.Sleep(time.Second)
			return p[0].api.CreateChatCompletion(ctx, req)
		}
		p[0].srv.Next(llmtest.Status(400))
		ended := make(chan llmidem.Result[openai.ChatCompletionResponse])
		go func() {
			res, err := llmidem.Call(ctx, slow, chat("draw"))
			require.NoError(t, err)
			ended <- res
		}()
		synctest.Wait()
		second := p[0].step(ctx, "draw")
		first := <-ended
		require.True(t, first.Receipt.Unordered)
		require.Equal(t, []string{first.Value.Choices[0].Message.Content, second}, p[1].steps(llmidem.WithRun(t.Context(), "r"), 2, "draw"))

		p[0].srv.Next(llmtest.Status(400))
		third := make(chan string)
		inner, _ := llmidem.WithReceipt(ctx) // has no end: the error frees the number
		go func() {
			res, err := slow(inner, chat("draw"))
			require.NoError(t, err)
			third <- res.Choices[0].Message.Content
		}()
		synctest.Wait()
		mine := p[0].step(ctx, "draw")
		require.NotEqual(t, mine, <-third)
	})
}

// A caller that leaves has an error, so that its number is free, and whoever takes
// it joins the call that goes on.
func TestRun_CallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		run := llmidem.WithRun(t.Context(), "r")
		ctx, cancel := context.WithTimeout(run, time.Second)
		defer cancel()
		p[0].srv.Next(llmtest.Delay(5 * time.Second))
		_, err := p[0].ask(ctx, "draw")
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		first := p[0].step(run, "draw")
		require.Equal(t, 1, p[0].srv.Ledger().Executions())
		require.Equal(t, []string{first}, p[1].steps(llmidem.WithRun(t.Context(), "r"), 1, "draw"))
		require.Empty(t, p[0].logs.with("same time"))
	})
}

// An answer that the SDK cannot use is an error: the number is free, and what was
// executed is found again where it was kept.
func TestRun_UselessAnswers(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{"HTML": llmtest.HTML(), "cut": llmtest.CutJSON(), "status": llmtest.Status(404)} {
		t.Run(name, func(t *testing.T) {
			b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()), llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: 1}))
			b.srv.Next(fault)
			ctx := llmidem.WithRun(t.Context(), "r")
			var keys []string
			for range 3 { // without a Call, so that only the answer can say it
				resp, err := b.client.RoundTrip(b.request("/chat/completions", chatBody("x")).WithContext(ctx))
				require.NoError(t, err)
				keys = append(keys, resp.Header.Get("Idempotency-Key"))
				_, _ = io.Copy(io.Discard, resp.Body)
				require.NoError(t, resp.Body.Close())
			}
			require.Equal(t, keys[0], keys[1])
			require.NotEqual(t, keys[1], keys[2])
		})
	}
}

// An answer that is too large to be kept is one all the same, and an error is not.
func TestRun_LargeAnswers(t *testing.T) {
	b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()), llmidem.Config{MaxEntry: 10_000})
	large := strings.Repeat("large ", 4_000)
	b.srv.Next(llmtest.Status(404).Body("text/plain", large), llmtest.Text(large))
	ctx := llmidem.WithRun(t.Context(), "r")
	var keys []string
	for range 3 {
		resp := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x")).WithContext(ctx)))
		keys = append(keys, resp.header.Get("Idempotency-Key"))
	}
	require.Equal(t, keys[0], keys[1])
	require.NotEqual(t, keys[1], keys[2])
}

// A Call that fails after it was answered is made again as the same call.
func TestRun_CallFailsBehindItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1)
		ctx, picky := llmidem.WithRun(t.Context(), "r"), errors.New("not what was asked for")
		var texts []string
		for _, want := range []error{picky, nil} {
			_, err := llmidem.Call(ctx, func(ctx context.Context, req openai.ChatCompletionRequest) (int, error) {
				res, err := p[0].api.CreateChatCompletion(ctx, req)
				require.NoError(t, err)
				texts = append(texts, res.Choices[0].Message.Content)
				return 0, want
			}, chat("draw"))
			require.ErrorIs(t, err, want)
		}
		require.Equal(t, texts[0], texts[1])
		require.Equal(t, 1, p[0].srv.Ledger().Executions())
		require.NotEqual(t, texts[0], p[0].step(ctx, "draw"))
	})
}

// A tool is executed once in a run, also for who asks at the same time, and again
// where that is said.
func TestRun_Do(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2, llmidem.WithTenant("acme"))
		var mu sync.Mutex
		runs := 0
		charge := func(p *process, opts ...llmidem.CallOption) int {
			res, err := llmidem.Do(llmidem.WithRun(t.Context(), "r"), p.client, "charge", 7, func(context.Context, identity.Key) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				runs++
				return runs, nil
			}, opts...)
			require.NoError(t, err)
			require.False(t, res.Receipt.Unordered)
			return res.Value
		}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { require.Equal(t, 1, charge(p[0])) })
		}
		wg.Wait()
		require.Equal(t, 1, charge(p[1]))
		require.Equal(t, 2, charge(p[1], llmidem.Occurrence(1)))
		time.Sleep(6 * 24 * time.Hour)
		require.Equal(t, 1, charge(p[0]), "kept as long as the run")
		require.Equal(t, 2, charge(p[0], llmidem.Occurrence(1)))
	})
}

// Calls inside of a Do are counted apart: they are not made again when its result
// is recorded, and from 0 when it is executed again.
func TestRun_CallsInsideOfDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2, llmidem.WithTenant("acme"))
		fails := errors.New("after the first answer")
		life := func(p *process, failing int) (texts []string) {
			ctx := llmidem.WithRun(t.Context(), "r")
			texts = append(texts, p.step(ctx, "draw"))
			for {
				res, err := llmidem.Do(ctx, p.client, "best", 1, func(ctx context.Context, _ identity.Key) ([]string, error) {
					found := []string{p.step(ctx, "draw")}
					if failing--; failing >= 0 {
						return nil, llmidem.NotExecuted(fails)
					}
					return append(found, p.step(ctx, "draw")), nil
				})
				if err == nil {
					return append(append(texts, res.Value...), p.step(ctx, "draw"))
				}
			}
		}
		first := life(p[0], 2)
		require.Len(t, unique(first), 4, "%v", first)
		require.Equal(t, 4, p[0].srv.Ledger().Executions(), "what an execution that failed was answered, the next one is")
		require.Equal(t, first, life(p[1], 0))
		require.Equal(t, 4, p[0].srv.Ledger().Executions())
	})
}

// A transport that panics does not leave its number taken.
func TestRun_PanicOfTheTransport(t *testing.T) {
	b := newBench(t)
	rounds := 0
	client := b.client.Over(roundTrip(func(r *http.Request) (*http.Response, error) {
		if rounds++; rounds == 1 {
			panic("boom")
		}
		return b.srv.Transport().RoundTrip(r)
	}))
	ctx := llmidem.WithRun(t.Context(), "r")
	send := func() *http.Response {
		resp, err := client.RoundTrip(b.request("/chat/completions", chatBody("x")).WithContext(ctx))
		require.NoError(t, err)
		return resp
	}
	require.PanicsWithValue(t, "boom", func() { send() })
	var text bytes.Buffer
	_, err := text.ReadFrom(send().Body)
	require.NoError(t, err)
	require.Empty(t, b.logs.with("same time"))
	again := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x")).WithContext(llmidem.WithRun(t.Context(), "r"))))
	require.Equal(t, text.String(), again.body)
}
