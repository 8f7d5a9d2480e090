package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// slow makes every answer take three seconds, of a clock that is not real.
func slow(*llmtest.Request) llmtest.Fault { return llmtest.Delay(3 * time.Second) }

func TestVerifyInFlight(t *testing.T) {
	for class, want := range map[sdk.KeyClass][2]string{
		sdk.Ignore: {"at once: executes", "cut: executes (likely)"},
		sdk.Replay: {"at once: refuses", "cut: replays"},
		sdk.Reject: {"at once: refuses", "cut: refuses"},
	} {
		t.Run(class.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled(), llmtest.WithKeys(sdk.Keys{Class: class}))
				srv.Handle(slow)
				rep := reported(t, verifyOver(t.Context(), t, srv.Transport(), "--json", "--max-calls", "20"))
				require.Equal(t, class.String(), rep.Class)
				require.Subset(t, rep.results(), want[:])
				require.Len(t, srv.Ledger().Requests, rep.Calls)
			})
		})
	}
}

// A cut request that runs on is in use at first; the retry waits as it is told to.
func TestVerifyWaitsForACutRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled(), llmtest.WithKeys(sdk.Keys{Class: sdk.Replay}))
		srv.Handle(slow)
		rep := reported(t, verifyOver(t.Context(), t, srv.Transport(), "--json"))
		for _, p := range rep.Probes {
			if p.Probe == "cut" {
				require.Equal(t, "in use, then 200 Idempotent-Replayed", p.Got)
				require.Equal(t, "the cut request was executed, and the retry given its answer", p.Says)
			}
		}
	})
}

func TestVerifyWindowThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled(), llmtest.WithKeys(sdk.Keys{Class: sdk.Replay, Window: time.Second}))
		srv.Handle(slow)
		rep := reported(t, verifyOver(t.Context(), t, srv.Transport(), "--json"))
		require.Equal(t, classIgnore, rep.Class, "a key that is forgotten before its answer is there protects nobody")
	})
}

func TestVerifyCanBeInterruptedAnywhere(t *testing.T) {
	for n := 1; n <= 12; n++ {
		synctest.Test(t, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled(), llmtest.WithKeys(sdk.Keys{Class: sdk.Replay}))
			ctx, cancel := context.WithCancel(t.Context())
			srv.Handle(func(q *llmtest.Request) llmtest.Fault {
				if q.Number < n {
					return llmtest.OK()
				}
				cancel()
				return llmtest.Hang()
			})
			start := time.Now()
			r := verifyOver(ctx, t, srv.Transport())
			require.Equal(t, statusMute, r.status)
			require.Empty(t, r.out)
			require.Regexp(t, `^interrupted after \d+ calls?\n$`, r.err)
			require.Less(t, time.Since(start), time.Minute, "of the timeout nothing was waited for")
			require.LessOrEqual(t, len(srv.Ledger().Requests), n+1)
		})
	}
}

func TestVerifyTimeoutOfEachCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(sdk.Keys{Class: sdk.Replay}))
		srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Hang() })
		start := time.Now()
		r := verifyOver(t.Context(), t, srv.Transport(), "--timeout", "7s")
		require.Equal(t, result{statusMute, "", llmtest.MemoryURL + "/chat/completions: no answer within 7s; see --base-url and --timeout\n"}, r)
		require.Equal(t, 7*time.Second, time.Since(start))
	})
}

func TestVerifyLeavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	srv := llmtest.Start(llmtest.WithKeys(sdk.Keys{Class: sdk.Replay}))
	r := verifyURL(t, srv.URL())
	srv.Close()
	require.Equal(t, statusOK, r.status, r.err)
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("os/signal.signal_recv"), goleak.IgnoreTopFunction("os/signal.loop"))
}
