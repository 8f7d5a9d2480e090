package llmidem_test

import (
	"context"
	"errors"
	"io"
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

func TestR15_ClosedEarlyIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.OK().Pace(time.Second))
		s := b.mustOpen("early")
		_, err := s.Recv()
		require.NoError(t, err)
		require.NoError(t, s.Close())
		synctest.Wait()
		require.False(t, s.Receipt().Complete)
		require.Equal(t, llmidem.SourceProvider, b.mustStream("early").r.Source)
		require.Equal(t, 2, b.srv.Ledger().Executions())
	})
}

func TestR15_ClosedEarlyIsDrainedWhereAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{Drain: llmidem.Drain{Time: time.Minute}})
		b.srv.Next(llmtest.OK().Pace(time.Second))
		s := b.mustOpen("drained")
		require.NoError(t, s.Close())
		time.Sleep(30 * time.Second)
		require.Equal(t, llmidem.SourceCache, b.mustStream("drained").r.Source)
		b.srv.Next(llmtest.OK().Pace(time.Hour))
		require.NoError(t, b.mustOpen("too slow").Close())
		time.Sleep(2 * time.Minute)
		require.Equal(t, llmidem.SourceProvider, b.mustStream("too slow").r.Source)
	})
}

func TestR15_DrainIsBoundedByBytes(t *testing.T) {
	for bytes, want := range map[int64]llmidem.Source{200: llmidem.SourceProvider, 1 << 20: llmidem.SourceCache} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, llmidem.Config{Drain: llmidem.Drain{Time: time.Hour, Bytes: bytes}})
			b.srv.Next(llmtest.OK().Pace(time.Second))
			require.NoError(t, b.mustOpen("drained").Close())
			time.Sleep(time.Minute)
			require.Equal(t, want, b.mustStream("drained").r.Source)
		})
	}
}

func TestR15_ClosedAfterTheChoicesIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.OK().Pace(100 * time.Millisecond))
		s := b.mustOpen("tail")
		for {
			chunk, err := s.Recv()
			require.NoError(t, err)
			if chunk.Choices[0].FinishReason != "" {
				break
			}
		}
		require.NoError(t, s.Close())
		time.Sleep(time.Second)
		require.True(t, s.Receipt().Complete && s.Receipt().Kept)
		require.NotZero(t, s.Receipt().Usage)
		require.Equal(t, llmidem.SourceCache, b.mustStream("tail").r.Source)
	})
}

func TestR15_NobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.CutEvents(2).LeaveOpen())
		s := b.mustOpen("unread")
		time.Sleep(6 * time.Minute)
		out := drainStream(s)
		require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(out.err))
		require.NoError(t, b.client.Close(context.Background()))
	})
}

func TestR5_StreamEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.CutEvents(2).LeaveOpen())
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s, err := b.open(ctx, "context")
		require.NoError(t, err)
		out := drainStream(s)
		require.ErrorIs(t, out.err, context.DeadlineExceeded)
		require.Len(t, out.chunks, 2)
		b.srv.Next(llmtest.Hang())
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err = b.open(ctx, "before the headers")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		require.Equal(t, llmidem.SourceProvider, b.mustStream("before the headers").r.Source)
	})
}

func TestS11_StreamIsSharedLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Text(strings.Repeat("word ", 20)).Pace(time.Second))
		var wg sync.WaitGroup
		outs := make([]streamed, 5)
		for i := range outs {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				outs[i] = b.stream("live")
			})
		}
		began := time.Now()
		wg.Wait()
		require.Less(t, time.Since(began), 30*time.Second)
		sources := map[llmidem.Source]int{}
		for _, o := range outs {
			require.NoError(t, o.err)
			require.Equal(t, outs[0].chunks, o.chunks)
			sources[o.r.Source]++
		}
		require.Equal(t, map[llmidem.Source]int{llmidem.SourceProvider: 1, llmidem.SourceCoalesced: 4}, sources)
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
}

func TestS11_StreamLeaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.OK().Pace(time.Second))
		lead := b.mustOpen("lead")
		follow := b.mustOpen("lead")
		_, err := lead.Recv()
		require.NoError(t, err)
		require.NoError(t, lead.Close())
		out := drainStream(follow)
		require.NoError(t, out.err)
		require.True(t, out.r.Paid(), "somebody must be told what it cost")
		require.NotZero(t, out.r.Usage)
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
}

// One who leaves behind the last choice is told the cost when it has come, and then
// nobody else is.
func TestS11_StreamLeaderLeavesAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.OK().Pace(100 * time.Millisecond))
		lead, follow := b.mustOpen("end"), b.mustOpen("end")
		for finish := ""; finish == ""; {
			chunk, err := lead.Recv()
			require.NoError(t, err)
			finish = string(chunk.Choices[0].FinishReason)
		}
		require.NoError(t, lead.Close())
		out := drainStream(follow)
		require.NoError(t, out.err)
		require.NotZero(t, lead.Receipt().Usage)
		require.Zero(t, out.r.Usage, "it was paid for once")
		require.Equal(t, lead.Receipt().Usage, out.r.Saved)
	})
}

func TestT8_SlowReadersSlowNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, slowLeads := range []bool{true, false} {
			b := newBench(t)
			b.srv.Next(llmtest.Text(strings.Repeat("word ", 500)))
			one, two := b.mustOpen("slow"), b.mustOpen("slow")
			slow, fast := one, two
			if !slowLeads {
				slow, fast = two, one
			}
			began := time.Now()
			require.NoError(t, drainStream(fast).err)
			require.Less(t, time.Since(began), time.Second)
			time.Sleep(time.Minute)
			require.NoError(t, drainStream(slow).err)
			require.Equal(t, 1, b.srv.Ledger().Executions())
		}
	})
}

func TestP10_LargeStreamPassesUnkept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{MaxEntry: 64 << 10})
		text := strings.Repeat("word ", 10_000)
		b.srv.Next(llmtest.Text(text), llmtest.Text(text))
		out := b.mustStream("large")
		require.Equal(t, text, out.text)
		require.True(t, out.r.Complete)
		require.False(t, out.r.Kept)
		one, two := b.mustOpen("large"), b.mustOpen("large") // T8: over the limit, with followers
		require.Equal(t, text, drainStream(two).text)
		require.Equal(t, text, drainStream(one).text)
		require.Equal(t, 2, b.srv.Ledger().Executions())
	})
}

func TestT5_LargeEvent(t *testing.T) {
	b := newBench(t)
	for _, size := range []int{10 << 20, 20 << 20} {
		text := strings.Repeat("x", size)
		b.srv.Next(llmtest.Reply("text/event-stream", `data: {"id":"c","choices":[{"index":0,"delta":{"content":"`+text+`"},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n"))
		out := b.mustStream("large event")
		require.Equal(t, size, len(out.text))
		require.False(t, out.r.Kept)
	}
}

func TestT8_TheSlowestIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		event := `data: {"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("x", 1<<20) + `"}}]}` + "\n\n"
		body := strings.Repeat(event, 80) + `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault {
			return llmtest.Reply("text/event-stream", body).Pace(time.Millisecond)
		})
		open := func() io.ReadCloser {
			text := strings.TrimSuffix(chatBody("huge"), "}") + `,"stream":true}`
			resp, err := b.client.RoundTrip(b.request("/chat/completions", text))
			require.NoError(t, err)
			return resp.Body
		}
		fast, slow := open(), open()
		n, err := io.Copy(io.Discard, fast)
		require.NoError(t, err)
		require.EqualValues(t, len(body), n)
		_, err = io.Copy(io.Discard, slow)
		require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(err), "%v", err)
		require.Equal(t, 1, b.srv.Ledger().Executions())

		fast = open()
		_ = open() // its reader never comes, and is forgotten
		_, err = io.CopyN(io.Discard, fast, 70<<20)
		require.NoError(t, err)
		late := open()
		require.Equal(t, 3, b.srv.Ledger().Executions(), "what has no beginning any more is not joined")
		require.NoError(t, late.Close())
		require.NoError(t, fast.Close())
	})
}

func TestS11a_StreamsFailureReachesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault {
			return llmtest.StreamError(0).Code("overloaded_error").Message("busy").Delay(time.Second)
		})
		var wg sync.WaitGroup
		errs := make([]error, 100)
		for i := range errs {
			wg.Go(func() { errs[i] = b.stream("fails").err })
		}
		wg.Wait()
		for _, err := range errs {
			var api *openai.APIError
			require.ErrorAs(t, err, &api)
			require.Equal(t, "busy", api.Message)
		}
		require.Len(t, b.srv.Ledger().Bodies(), 5)
	})
}

func TestR13_CutReachesAllWhoRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.CutEvents(3).Pace(time.Second))
		one, two := b.mustOpen("cut"), b.mustOpen("cut")
		for _, s := range []*chatStream{one, two} {
			out := drainStream(s)
			require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(out.err))
			require.Len(t, out.chunks, 3)
			require.Equal(t, s.Receipt().TraceID, traceOf(out.err))
		}
	})
}

func traceOf(err error) string {
	var e *llmidem.Error
	if errors.As(err, &e) {
		return e.TraceID
	}
	return ""
}
