package llmidem_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// longStream is a stream of n events whose texts are their numbers.
func longStream(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%d "},"finish_reason":null}]}`+"\n\n", i)
	}
	b.WriteString(`data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":3}}` + "\n\ndata: [DONE]\n\n")
	return b.String()
}

// inOrder reads a long stream and says what is wrong with it.
func inOrder(s *chatStream, events int) error {
	n := 0
	for chunk, err := range s.All() {
		if err != nil {
			return err
		}
		if want := fmt.Sprint(n, " "); n < events && chunk.Choices[0].Delta.Content != want {
			return fmt.Errorf("event %d is %q", n, chunk.Choices[0].Delta.Content)
		}
		n++
	}
	if n != events+1 {
		return fmt.Errorf("%d events", n)
	}
	return nil
}

func TestS11_ThousandWaitersOnOneStream(t *testing.T) {
	waiters, events := 1000, 1000
	if raceEnabled { // which is slow, and takes a multiple of the memory
		events = 100
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Reply("text/event-stream", longStream(events)).Pace(time.Millisecond))
		var before, during runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		errs := make([]error, waiters)
		paid := make([]bool, waiters)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				s, err := b.open(context.Background(), "all at once")
				if err == nil {
					err = inOrder(s, events)
					paid[i] = s.Receipt().Paid()
				}
				errs[i] = err
			})
		}
		time.Sleep(500 * time.Millisecond) // half of the events are out
		synctest.Wait()
		runtime.GC()
		runtime.ReadMemStats(&during)
		wg.Wait()
		payers := 0
		for i, err := range errs {
			require.NoError(t, err)
			if paid[i] {
				payers++
			}
		}
		require.Equal(t, 1, payers)
		require.Equal(t, 1, b.srv.Ledger().Executions())
		if !raceEnabled {
			require.Less(t, int64(during.HeapInuse+during.StackInuse)-int64(before.HeapInuse+before.StackInuse), int64(64<<20))
		}
	})
}

// go-openai reads recorded, joined and replayed streams as it reads direct ones.
func TestT7_NoDifferenceToDirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault {
			return llmtest.Reply("text/event-stream", longStream(50)).Pace(time.Millisecond)
		})
		direct := b.direct("same")
		one, two := b.mustOpen("same"), b.mustOpen("same")
		require.Equal(t, direct.chunks, drainStream(two).chunks)
		require.Equal(t, direct.chunks, drainStream(one).chunks)
		require.Equal(t, direct.chunks, b.mustStream("same").chunks)
		require.Equal(t, 2, b.srv.Ledger().Executions())
	})
}

func TestStream_RecallPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		off := newBench(t, llmidem.WithRecall(llmidem.RecallOff))
		require.False(t, off.mustStream("q").r.Kept)
		require.Equal(t, llmidem.SourceProvider, off.mustStream("q").r.Source)

		once := newBench(t, llmidem.WithRecall(llmidem.RecallUndelivered), llmidem.Config{Drain: llmidem.Drain{Time: time.Minute}})
		require.Equal(t, llmidem.SourceProvider, once.mustStream("q").r.Source)
		require.Equal(t, llmidem.SourceProvider, once.mustStream("q").r.Source)
		once.srv.Next(llmtest.OK().Pace(time.Millisecond))
		require.NoError(t, once.mustOpen("left").Close()) // what nobody had waits for the next one
		time.Sleep(time.Second)
		require.Equal(t, llmidem.SourceCache, once.mustStream("left").r.Source)
		require.Equal(t, llmidem.SourceProvider, once.mustStream("left").r.Source)

		b := newBench(t)
		require.False(t, b.mustStream("q", llmidem.NoRecall()).r.Kept)
		require.Equal(t, llmidem.SourceProvider, b.mustStream("q").r.Source)
		require.Empty(t, b.logs.with("drawn"))
		require.Equal(t, llmidem.SourceCache, b.mustStream("q").r.Source)
		require.Len(t, b.logs.with("drawn"), 1, "who draws several answers is told")
		require.Equal(t, llmidem.SourceProvider, b.mustStream("q", llmidem.Fresh()).r.Source)
		require.Equal(t, llmidem.SourceProvider, b.mustAsk("q").Receipt.Source, "a stream and an object are two answers")
	})
}

func TestStream_UnsharedPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		text := strings.Repeat("word ", 20_000)
		b.srv.Next(llmtest.Text(text))
		s, err := b.open(context.Background(), "alone", llmidem.NoRecall())
		require.NoError(t, err)
		time.Sleep(4 * time.Minute) // a slow reader
		require.Equal(t, text, drainStream(s).text)
		b.srv.Next(llmtest.CutEvents(2).LeaveOpen())
		s, err = b.open(context.Background(), "left", llmidem.NoRecall())
		require.NoError(t, err)
		require.NoError(t, s.Close())
		synctest.Wait() // no goroutine is left to end: synctest says so
	})
}

func TestStream_ClientIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.OK().Pace(time.Second), llmtest.CutEvents(2).LeaveOpen())
		whole := b.mustOpen("whole")
		var out streamed
		var reading sync.WaitGroup
		reading.Go(func() { out = drainStream(whole) })
		synctest.Wait()
		cut := b.mustOpen("cut")
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.ErrorIs(t, b.client.Close(ctx), context.DeadlineExceeded)
		reading.Wait()
		require.NoError(t, out.err, "what ends in time is waited for")
		require.NotEmpty(t, out.text)
		require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(drainStream(cut).err))
	})
}

func TestS11_StreamLeaderLeavesBeforeTheHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Delay(5 * time.Second))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { _, err := b.open(ctx, "lead"); require.ErrorIs(t, err, context.DeadlineExceeded) })
		synctest.Wait()
		out := b.mustStream("lead")
		wg.Wait()
		require.True(t, out.r.Paid())
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
}

func TestP9_StreamsOfTwoAccountsAreApart(t *testing.T) {
	b := newBench(t)
	require.Equal(t, llmidem.SourceProvider, b.mustStream("q").r.Source)
	b.api = b.apiOver(b.client, "sk-other")
	require.Equal(t, llmidem.SourceProvider, b.mustStream("q").r.Source)
}

func TestStream_PlainGoOpenAI(t *testing.T) {
	b := newBench(t)
	for i := range 2 {
		ctx, receipt := llmidem.WithReceipt(context.Background())
		s, err := b.api.CreateChatCompletionStream(ctx, chat("plain"))
		require.NoError(t, err)
		n := 0
		var last openai.ChatCompletionStreamResponse
		for {
			chunk, err := s.Recv()
			if err != nil {
				break
			}
			last = chunk
			n++
		}
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		require.EqualValues(t, "stop", last.Choices[0].FinishReason)
		require.Equal(t, i == 0, receipt().Paid())
		require.True(t, receipt().Kept && receipt().Complete)
	}
}

func TestR15_LeftOpenBehindTheLastEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.OK().LeaveOpen())
		began := time.Now()
		out := b.mustStream("open")
		require.Less(t, time.Since(began), time.Second, "the end of the body is not waited for")
		require.True(t, out.r.Kept && out.r.Complete)
		require.NotZero(t, out.r.Usage)
		require.Equal(t, llmidem.SourceCache, b.mustStream("open").r.Source)
		require.NoError(t, b.client.Close(context.Background()))
		require.Less(t, time.Since(began), 2*time.Second)
	})
}

func TestStream_InDoubtIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{OnUnknown: llmidem.Fail})
		b.srv.Next(llmtest.CutEvents(3), llmtest.StreamError(2).Code("invalid_request_error"))
		require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(b.stream("doubt").err))
		_, err := b.open(context.Background(), "doubt")
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
		require.Error(t, b.stream("refused").err)
		require.NotEmpty(t, b.mustStream("refused").text, "a failure that the provider declared leaves no doubt")
	})
}

// The same over connections: what is closed early or cut leaves nothing behind.
func TestStream_OverConnections(t *testing.T) {
	for name, opts := range map[string][]llmtest.Option{"HTTP/1": nil, "HTTP/2": {llmtest.HTTP2()}} {
		t.Run(name, func(t *testing.T) {
			srv := llmtest.New(t, opts...)
			client, err := llmidem.New(srv.Provider(), llmidem.WithTransport(srv.Client().Transport), quiet)
			require.NoError(t, err)
			b := &bench{t: t, srv: srv, client: client}
			b.api = b.apiOver(client, "sk-test")
			srv.Next(llmtest.OK(), llmtest.CutEvents(3), llmtest.CutEvents(2).LeaveOpen(), llmtest.OK().Pace(20*time.Millisecond))
			require.True(t, b.mustStream("a").r.Kept)
			require.Equal(t, llmidem.SourceCache, b.mustStream("a").r.Source)
			require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(b.stream("b").err))
			require.NoError(t, b.mustOpen("c").Close())
			one, two := b.mustOpen("d"), b.mustOpen("d")
			require.Equal(t, drainStream(one).chunks, drainStream(two).chunks)
			require.NoError(t, client.Close(context.Background()))
			require.Equal(t, 4, srv.Ledger().Executions())
		})
	}
}

// Behind the last choice a stream that nobody reads is read on for 64 KiB and no
// further, however much a service has to add.
func TestR15_TailIsBoundedByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		in, out := io.Pipe()
		client := b.client.Over(roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, ProtoMajor: 1, ContentLength: -1, TransferEncoding: []string{"chunked"},
				Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: in}, nil
		}))
		var wrote int
		var writing sync.WaitGroup
		left := make(chan struct{})
		writing.Go(func() {
			defer out.Close()
			_, _ = io.WriteString(out, `data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}`+"\n\n")
			<-left
			more := []byte(`data: {"choices":[],"x":"` + strings.Repeat("x", 1000) + `"}` + "\n\n")
			for wrote < 1<<20 {
				n, err := out.Write(more)
				wrote += n
				if err != nil {
					return
				}
			}
		})
		text := `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"x"}]}`
		resp, err := client.RoundTrip(b.request("/chat/completions", text))
		require.NoError(t, err)
		_, err = resp.Body.Read(make([]byte, 1))
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, resp.Body.Close())
		close(left)
		writing.Wait()
		require.Greater(t, wrote, 32<<10, "it is read on")
		require.Less(t, wrote, 96<<10, "and not for ever")
	})
}
