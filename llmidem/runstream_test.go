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

// streamIn asks for a stream in a context and reads it.
func (b *bench) streamIn(ctx context.Context, prompt string) streamed {
	b.t.Helper()
	s, err := b.open(ctx, prompt)
	require.NoError(b.t, err)
	return drainStream(s)
}

func TestRun_Streams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		life := func(p *process) (texts []string) {
			ctx := llmidem.WithRun(t.Context(), "r")
			for range 3 {
				out := p.streamIn(ctx, "draw")
				require.NoError(t, out.err)
				require.False(t, out.r.Unordered)
				texts = append(texts, out.text)
			}
			return texts
		}
		first := life(p[0])
		require.Len(t, unique(first), 3)
		time.Sleep(6 * day)
		require.Equal(t, first, life(p[1]))
		require.Equal(t, 3, p[0].srv.Ledger().Executions())
	})
}

// The end of a long stream is the run's last write.
func TestRun_LongStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 2)
		p[0].srv.Next(llmtest.Text("a b c d e f g h").Pace(30 * time.Second))
		began := time.Now()
		first := p[0].streamIn(llmidem.WithRun(t.Context(), "r"), "draw")
		require.NoError(t, first.err)
		require.Greater(t, time.Since(began), 3*time.Minute)
		time.Sleep(7*day - time.Second)
		require.Equal(t, first.text, p[1].streamIn(llmidem.WithRun(t.Context(), "r"), "draw").text)
		require.Equal(t, 1, p[0].srv.Ledger().Executions())
	})
}

// A stream that is closed early was had: the next one is another.
func TestRun_StreamClosedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1)
		ctx := llmidem.WithRun(t.Context(), "r")
		p[0].srv.Next(llmtest.OK().Pace(time.Second))
		s, err := p[0].open(ctx, "draw")
		require.NoError(t, err)
		_, err = s.Recv()
		require.NoError(t, err)
		require.NoError(t, s.Close())
		out := p[0].streamIn(ctx, "draw")
		require.NoError(t, out.err)
		require.False(t, out.r.Unordered, "the first is over")
		keys := p[0].srv.Ledger().Keys()
		require.Len(t, keys, 2)
		require.NotEqual(t, s.Receipt().Key, out.r.Key)

		// A recorded one, too.
		again := llmidem.WithRun(t.Context(), "r")
		s, err = p[0].open(llmidem.WithCall(again, llmidem.Occurrence(1)), "draw")
		require.NoError(t, err)
		require.NoError(t, s.Close())
	})
}

// However a stream breaks, what is asked next is the same call.
func TestRun_StreamBreaks(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{"cut": llmtest.CutEvents(2), "error frame": llmtest.StreamError(2),
		"error first": llmtest.StreamError(0).Code("insufficient_quota"), "status": llmtest.Status(400), "forged end": llmtest.ForgedDone(),
		"no finish reason": llmtest.NoFinish(), "the context ends": llmtest.CutEvents(2).LeaveOpen(),
		"the context ends before": llmtest.Hang()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, p := processes(t, 2, llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: 1}))
				run := llmidem.WithRun(t.Context(), "r")
				p[0].srv.Next(fault)
				ctx, cancel := context.WithTimeout(run, time.Second)
				defer cancel()
				s, err := p[0].open(ctx, "draw")
				if err == nil {
					err = drainStream(s).err
				}
				require.Error(t, err)
				synctest.Wait()
				out := p[0].streamIn(run, "draw")
				require.NoError(t, out.err)
				require.False(t, out.r.Unordered)
				require.Equal(t, out.text, p[1].streamIn(llmidem.WithRun(t.Context(), "r"), "draw").text)
				require.Len(t, unique(p[0].srv.Ledger().Keys()), 1)
			})
		})
	}
}

// Without a Call nothing but the body says how a stream ended.
func TestRun_StreamBreaksWithoutCall(t *testing.T) {
	for name, tt := range map[string]struct {
		fault llmtest.Fault
		next  bool // another number
	}{"cut": {llmtest.CutEvents(2), false}, "error frame": {llmtest.StreamError(2), false}, "whole": {llmtest.OK(), true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, p := processes(t, 1, llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: 1}))
				run := llmidem.WithRun(t.Context(), "r")
				p[0].srv.Next(tt.fault)
				var keys []string
				for range 2 {
					text := `{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`
					resp, err := p[0].client.RoundTrip(p[0].request("/chat/completions", text).WithContext(run))
					require.NoError(t, err)
					buf := make([]byte, 4096)
					for err == nil {
						_, err = resp.Body.Read(buf)
					}
					require.NoError(t, resp.Body.Close())
					keys = append(keys, resp.Header.Get("Idempotency-Key"))
				}
				require.Equal(t, tt.next, keys[0] != keys[1])
			})
		})
	}
}

// An SDK that closes a stream the moment it reads an error in it.
func TestRun_ErrorFrameIsClosedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1, llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: 1}))
		run := llmidem.WithRun(t.Context(), "r")
		p[0].srv.Next(llmtest.StreamError(2).Pace(time.Second).LeaveOpen())
		ctx, _ := llmidem.WithReceipt(run)
		s, err := p[0].api.CreateChatCompletionStream(ctx, chat("draw"))
		require.NoError(t, err)
		for err == nil {
			_, err = s.Recv()
		}
		require.NoError(t, s.Close())
		res, err := p[0].api.CreateChatCompletionStream(run, chat("draw"))
		require.NoError(t, err)
		require.NoError(t, res.Close())
		require.Len(t, unique(p[0].srv.Ledger().Keys()), 1)
	})
}

func TestRun_StreamsAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := processes(t, 1)
		ctx := llmidem.WithRun(t.Context(), "r")
		first, err := p[0].open(ctx, "draw")
		require.NoError(t, err)
		second, err := p[0].open(ctx, "draw")
		require.NoError(t, err)
		a, b := drainStream(first), drainStream(second)
		require.NotEqual(t, a.text, b.text)
		require.True(t, a.r.Unordered && b.r.Unordered)
		require.Len(t, p[0].logs.with("same time"), 1)
	})
}
