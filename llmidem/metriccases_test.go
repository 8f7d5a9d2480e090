package llmidem_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// metricCases are the scenarios of a call and all that is measured of each.
var metricCases = map[string]metricCase{
	"first success": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.Delay(time.Second))
		b.mustAsk("x")
	}, want: `
		attempt 1 status=200
		call 1 provider
		duration 1 provider @server
		token.usage 1 input
		token.usage 3 output
	`},
	"retry, then success": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.Status(503).RetryAfter(2*time.Second), llmtest.Delay(time.Second))
		b.mustAsk("x")
	}, want: `
		attempt 0 error=503 status=503
		attempt 1 status=200 again
		call 3 provider
		duration 3 provider @server
		token.usage 1 input
		token.usage 3 output
	`},
	"cache hit": {run: func(t *testing.T, b *bench) {
		b.mustAsk("x")
		b.meters.Reset()
		b.mustAsk("x")
	}, attempts: 1, want: `
		call 0 cache
		dedup.hits 1 cache
		tokens.saved 1 input cache
		tokens.saved 3 output cache
	`},
	"store hit": {bench: func(t *testing.T) *bench {
		_, p := processes(t, 2)
		p[0].mustAsk("x")
		return p[1].bench
	}, run: func(t *testing.T, b *bench) {
		b.mustAsk("x")
	}, want: `
		call 0 store
		dedup.hits 1 store
		tokens.saved 1 input store
		tokens.saved 4 output store
	`},
	"waiter": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.Delay(time.Second))
		b.askAll(2, "x")
	}, want: `
		attempt 1 status=200
		call 1 coalesced
		call 1 provider
		dedup.hits 1 coalesced
		duration 1 provider @server
		token.usage 1 input
		token.usage 3 output
		tokens.saved 1 input coalesced
		tokens.saved 3 output coalesced
	`},
	"replay of another's call": {bench: replaying, run: func(t *testing.T, b *bench) {
		_, err := llmidem.Call(t.Context(), b.apiOver(b.newClient(), "sk-test").CreateChatCompletion, chat("x"))
		require.NoError(t, err)
		b.meters.Reset()
		b.mustAsk("x")
	}, attempts: 1, want: `
		attempt 0 status=200
		call 0 replay
		dedup.hits 1 replay
		duration 0 replay @server
		tokens.saved 1 input replay
		tokens.saved 3 output replay
	`},
	"replay of its own": {bench: replaying, run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.DropAfter(), llmtest.OK())
		b.mustAsk("x")
	}, want: `
		attempt 0 error=connection_error
		attempt 0 status=200 again
		call 0 replay
		dedup.hits 1 replay
		duration 0 replay @server
		token.usage 1 input
		token.usage 3 output
		tokens.saved 1 input replay
		tokens.saved 3 output replay
	`},
	"the caller leaves": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.Delay(3 * time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.ask(ctx, "x")
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		time.Sleep(time.Minute)
	}, want: `
		attempt 3 status=200
		call 1 error=timeout
		duration 1 error=timeout @server
		token.usage 1 input
		token.usage 3 output
	`},
	"the caller leaves a waiter": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.Delay(3 * time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go b.mustAsk("x")
		synctest.Wait()
		_, err := b.ask(ctx, "x")
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		time.Sleep(time.Minute)
	}, want: `
		attempt 3 status=200
		call 1 error=timeout
		call 3 provider
		duration 3 provider @server
		token.usage 1 input
		token.usage 3 output
	`},
	"failure of all": {run: func(t *testing.T, b *bench) {
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Status(400).Delay(time.Second) })
		b.askAll(2, "x")
	}, want: `
		attempt 1 error=400 status=400
		call 1 error=400 coalesced
		call 1 error=400 provider
		duration 1 error=400 provider @server
	`},
	"connection error": {bench: once, run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.DropBefore().Delay(time.Second))
		b.askAll(2, "x")
	}, want: `
		attempt 1 error=connection_error
		call 1 error=connection_error
		call 1 error=connection_error
		duration 1 error=connection_error @server
	`},
	"invalid": {run: func(t *testing.T, b *bench) {
		b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
		b.meters.Reset()
		req := b.request("/chat/completions", chatBody("x"))
		req.Header["Idempotency-Key"] = []string{"a", "b"}
		_, err := b.client.RoundTrip(req)
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
	}, attempts: 1, want: `
		call 0 error=invalid
	`},
	"stream": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.Status(429).RetryAfter(time.Second), llmtest.OK().Delay(2*time.Second).Pace(time.Second))
		lead, follow := b.mustOpen("x"), b.mustOpen("x")
		require.NoError(t, drainStream(lead).err)
		require.NoError(t, drainStream(follow).err)
		b.mustStream("x")
	}, want: `
		attempt 0 error=429 status=429
		attempt 8 status=200 again
		call 0 cache
		call 6 coalesced
		call 9 provider
		dedup.hits 1 cache
		dedup.hits 1 coalesced
		duration 9 provider @server
		time_per_output_chunk 1 @server
		time_per_output_chunk 1 @server
		time_per_output_chunk 1 @server
		time_per_output_chunk 1 @server
		time_per_output_chunk 1 @server
		time_to_first_chunk 3 @server
		token.usage 1 input
		token.usage 3 output
		tokens.saved 1 input cache
		tokens.saved 1 input coalesced
		tokens.saved 3 output cache
		tokens.saved 3 output coalesced
	`},
	"stream that is cut": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.CutEvents(3).Delay(time.Second).Pace(time.Second))
		require.Error(t, b.stream("x").err)
	}, want: `
		attempt 3 error=connection_error status=200
		call 3 error=stream_truncated provider
		duration 3 error=stream_truncated provider @server
		time_per_output_chunk 1 @server
		time_per_output_chunk 1 @server
		time_to_first_chunk 1 @server
	`},
	"stream that ends in an error": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.StreamError(2).Code("insufficient_quota"))
		require.Error(t, b.stream("x").err)
	}, want: `
		attempt 0 error=429 status=200
		call 0 error=429 provider
		duration 0 error=429 provider @server
		time_per_output_chunk 0 @server
		time_to_first_chunk 0 @server
	`},
	"stream that is closed": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.OK().Delay(time.Second).Pace(time.Second))
		require.NoError(t, b.mustOpen("x").Close())
	}, want: `
		attempt 1 error=canceled status=200
		call 1 provider
		duration 1 provider @server
		time_to_first_chunk 1 @server
	`},
	"stream that is closed and read on": {bench: func(t *testing.T) *bench {
		return newBench(t, llmidem.Config{Drain: llmidem.Drain{Time: time.Minute}})
	}, run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.OK().Pace(100 * time.Millisecond))
		require.NoError(t, b.mustOpen("x").Close())
		time.Sleep(time.Minute)
	}, want: `
		attempt 0.6 status=200
		call 0 provider
		duration 0 provider @server
		time_per_output_chunk 0.1 @server
		time_per_output_chunk 0.1 @server
		time_per_output_chunk 0.1 @server
		time_per_output_chunk 0.1 @server
		time_per_output_chunk 0.1 @server
		time_to_first_chunk 0 @server
		token.usage 1 input
		token.usage 3 output
	`},
	"stream whose leader leaves": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.OK().Pace(time.Second))
		lead, follow := b.mustOpen("x"), b.mustOpen("x")
		require.NoError(t, lead.Close())
		require.NoError(t, drainStream(follow).err)
	}, want: `
		attempt 6 status=200
		call 0 provider
		call 6 provider
		duration 0 provider @server
		duration 6 provider @server
		time_per_output_chunk 1 @server
		time_per_output_chunk 1 @server
		time_per_output_chunk 1 @server
		time_per_output_chunk 1 @server
		time_per_output_chunk 1 @server
		time_to_first_chunk 0 @server
		token.usage 1 input
		token.usage 3 output
	`},
	"stream whose leader leaves at the end": {run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.OK().Pace(100 * time.Millisecond))
		lead, follow := b.mustOpen("x"), b.mustOpen("x")
		for finish := ""; finish == ""; {
			chunk, err := lead.Recv()
			require.NoError(t, err)
			finish = string(chunk.Choices[0].FinishReason)
		}
		require.NoError(t, lead.Close())
		require.NoError(t, drainStream(follow).err)
	}, want: `
		attempt 0.6 status=200
		call 0.6 coalesced
		call 0.6 provider
		dedup.hits 1 coalesced
		duration 0.6 provider @server
		time_per_output_chunk 0.1 @server
		time_per_output_chunk 0.1 @server
		time_per_output_chunk 0.1 @server
		time_per_output_chunk 0.1 @server
		time_per_output_chunk 0.1 @server
		time_to_first_chunk 0 @server
		token.usage 1 input
		token.usage 3 output
		tokens.saved 1 input coalesced
		tokens.saved 3 output coalesced
	`},
	"stream that is resumed": {bench: replaying, run: func(t *testing.T, b *bench) {
		b.srv.Next(llmtest.CutEvents(3))
		b.mustStream("x")
	}, want: `
		attempt 0 error=connection_error status=200
		attempt 0 status=200 again
		call 0 provider
		duration 0 provider @server
		time_per_output_chunk 0 @server
		time_per_output_chunk 0 @server
		time_per_output_chunk 0 @server
		time_per_output_chunk 0 @server
		time_per_output_chunk 0 @server
		time_to_first_chunk 0 @server
		token.usage 1 input
		token.usage 3 output
	`},
}

type metricCase struct {
	bench    func(*testing.T) *bench // newBench, if nil
	run      func(*testing.T, *bench)
	attempts int // made before what is measured
	want     string
}

// replaying is a bench whose server replays by key, once one whose client tries once.
func replaying(t *testing.T) *bench {
	return benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay})),
		llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}))
}

func once(t *testing.T) *bench {
	return newBench(t, llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: 1}))
}
