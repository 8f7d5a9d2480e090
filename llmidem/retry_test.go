package llmidem_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestR1_SameBytesAndKeyOnEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Status(429).RetryAfter(2*time.Second), llmtest.Status(503), llmtest.OK())
		start := time.Now()
		res := b.mustAsk("the same bytes")
		require.Equal(t, 3, res.Receipt.Attempts)
		require.GreaterOrEqual(t, time.Since(start), 2*time.Second)
		seen := b.srv.Ledger()
		require.Len(t, seen.Bodies(), 3)
		require.Equal(t, seen.Bodies()[0], seen.Bodies()[1])
		require.Equal(t, seen.Bodies()[0], seen.Bodies()[2])
		require.Equal(t, []string{res.Receipt.Key.String()}, seen.Keys())
		require.Len(t, seen.RequestsOf(res.Receipt.Key.String()), 3)
		require.Equal(t, 1, seen.Executions())
	})
}

// A 429 with Retry-After: 2 is waited out to the second, on a fake clock.
func TestR4_HintIsWaitedOutExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Status(429).RetryAfter(2*time.Second), llmtest.OK())
		start := time.Now()
		b.mustAsk("wait")
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestR4_Hints(t *testing.T) {
	tests := []struct {
		name, header, value string
		atLeast, atMost     time.Duration // of the wait; both 0: the answer is returned
	}{
		{"seconds", "Retry-After", "3", 3 * time.Second, 3 * time.Second},
		{"fraction", "Retry-After", "1.5", 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"zero", "Retry-After", "0", 0, 0},
		{"milliseconds", "Retry-After-Ms", "700", 700 * time.Millisecond, 700 * time.Millisecond},
		{"date", "Retry-After", "Sat, 01 Jan 2000 00:00:07 GMT", 7 * time.Second, 7 * time.Second},
		{"past date", "Retry-After", "Fri, 31 Dec 1999 00:00:00 GMT", 0, 0},
		{"negative", "Retry-After", "-3", 0, 200 * time.Millisecond},
		{"not a number", "Retry-After", "NaN", 0, 200 * time.Millisecond},
		{"garbage", "Retry-After", "soon", 0, 200 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // a bubble's clock starts at 2000-01-01 00:00 UTC
				b := newBench(t)
				b.srv.Next(llmtest.Status(429).Header(tt.header, tt.value), llmtest.OK())
				start := time.Now()
				require.Equal(t, 2, b.mustAsk("hint").Receipt.Attempts)
				require.GreaterOrEqual(t, time.Since(start), tt.atLeast)
				require.LessOrEqual(t, time.Since(start), tt.atMost)
			})
		})
	}
	for _, value := range []string{"61", "1e300", "Sat, 01 Jan 2000 00:02:00 GMT", "+Inf"} {
		t.Run("over the cap "+value, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Next(llmtest.Status(429).Header("Retry-After", value))
				_, err := b.ask(context.Background(), "hint")
				requireStatus(t, err, 429)
				require.Equal(t, 1, len(b.srv.Ledger().Bodies()))
			})
		})
	}
}

func TestR4a_GeminiRetryInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		body := `{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED","details":[` +
			`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"4s"}]}}`
		b.srv.Next(llmtest.Status(429).Body("application/json", body), llmtest.OK())
		start := time.Now()
		b.mustAsk("gemini")
		require.Equal(t, 4*time.Second, time.Since(start))
	})
}

// The class table of attempts: how often a call is sent that always ends so.
func TestR2_ClassTable(t *testing.T) {
	const refused, ambiguous, final = 5, 3, 1
	table := map[int]int{
		400: final, 401: final, 402: final, 403: final, 404: final, 405: final, 407: final, 409: final, 410: final,
		413: final, 415: final, 422: final, 418: final, 431: final, 446: final, 451: final, 501: final,
		202: final, 204: final, 246: final,
		408: ambiguous, 424: ambiguous, 499: ambiguous, 500: ambiguous, 502: ambiguous, 504: ambiguous,
		505: ambiguous, 520: ambiguous, 524: ambiguous, 599: ambiguous,
		421: refused, 425: refused, 429: refused, 529: refused, 521: refused, 522: refused, 523: refused,
		525: refused, 526: refused, 530: refused, 503: refused,
	}
	for status, sends := range table {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Status(status) })
				resp := b.post(t, "class")
				require.Equal(t, status, resp.StatusCode)
				require.Len(t, b.srv.Ledger().Bodies(), sends)
			})
		})
	}
}

func TestR2_InProgressUsesTimeNotAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		busy := llmtest.Status(409).Code("idempotency_key_in_use").RetryAfter(time.Second)
		for range 20 {
			b.srv.Next(busy)
		}
		b.srv.Next(llmtest.OK())
		start := time.Now()
		require.Equal(t, 21, b.mustAsk("busy").Receipt.Attempts)
		require.Equal(t, 20*time.Second, time.Since(start))
	})
}

// "At once" is not taken at its word where answers are not counted.
func TestR2_InProgressIsNotHammered(t *testing.T) {
	for _, busy := range []llmtest.Fault{
		llmtest.Status(409).Code("idempotency_key_in_use"),
		llmtest.Status(409).Code("idempotency_key_in_use").Header("Retry-After", "0"),
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, llmidem.WithRetry(llmidem.RetryPolicy{Elapsed: 10 * time.Second}))
			b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return busy })
			res, err := b.ask(context.Background(), "busy")
			requireStatus(t, err, 409)
			require.Equal(t, 50, res.Receipt.Attempts, "one every 200 ms")
		})
	}
}

func TestR2_InProgressEndsWithTheTimeBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.WithRetry(llmidem.RetryPolicy{Elapsed: 10 * time.Second}))
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault {
			return llmtest.Status(409).Code("idempotency_key_in_use").RetryAfter(3 * time.Second)
		})
		start := time.Now()
		_, err := b.ask(context.Background(), "busy for ever")
		requireStatus(t, err, 409)
		require.Equal(t, 9*time.Second, time.Since(start))
	})
}

func TestR2a_FinalAlthough429(t *testing.T) {
	perDay := `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"quota","details":[` +
		`{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]},` +
		`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"4s"}]}}`
	for name, fault := range map[string]llmtest.Fault{
		"quota":         llmtest.Status(429).Code("insufficient_quota").RetryAfter(time.Second),
		"too large":     llmtest.Status(429).Code("rate_limit_exceeded").Message("Request too large for gpt-4o: 12 > 10"),
		"per-day quota": llmtest.Status(429).Body("application/json", perDay),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Next(fault)
				_, err := b.ask(context.Background(), "final")
				requireStatus(t, err, 429)
				require.Len(t, b.srv.Ledger().Bodies(), 1)
			})
		})
	}
}

func TestR3_ShouldRetry(t *testing.T) {
	no, yes := "false", "true"
	tests := []struct {
		name  string
		fault llmtest.Fault
		opts  []llmidem.Option
		sends int
	}{
		{"false wins over 429", llmtest.Status(429).Header("X-Should-Retry", no), nil, 1},
		{"false wins over 500", llmtest.Status(500).Header("X-Should-Retry", no), nil, 1},
		{"true makes 400 worth it", llmtest.Status(400).Header("X-Should-Retry", yes), nil, 5},
		{"true does not override Fail", llmtest.Status(500).Header("X-Should-Retry", yes),
			[]llmidem.Option{llmidem.Config{OnAmbiguous: llmidem.Fail}}, 1},
		{"true does not override quota", llmtest.Status(429).Code("insufficient_quota").Header("X-Should-Retry", yes), nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, tt.opts...)
				b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return tt.fault })
				b.post(t, "should")
				require.Len(t, b.srv.Ledger().Bodies(), tt.sends)
			})
		})
	}
}

// A proxy's 503 may stand for a request that was executed; a provider's own says
// that it was not.
func TestR12_ProxyAgainstProvider(t *testing.T) {
	for name, tt := range map[string]struct {
		fault llmtest.Fault
		sends int
	}{
		"provider's 503": {llmtest.Status(503), 5},
		"proxy's 503":    {llmtest.Status(503).Body("text/html", "<html>no healthy upstream</html>"), 3},
		"502":            {llmtest.Status(502), 3},
		"504":            {llmtest.Status(504).AfterWork(), 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return tt.fault })
				b.post(t, "proxy")
				require.Len(t, b.srv.Ledger().Bodies(), tt.sends)
			})
		})
	}
}

func TestR9_ProviderClasses(t *testing.T) {
	for class, want := range map[llmidem.KeyClass]struct{ ambiguous, refused, notSent int }{
		llmidem.Ignore: {3, 5, 5},
		llmidem.Replay: {5, 5, 5},
		llmidem.Reject: {1, 1, 5},
	} {
		for name, tt := range map[string]struct {
			fault llmtest.Fault
			sends int
		}{
			"ambiguous": {llmtest.DropBefore(), want.ambiguous},
			"refused":   {llmtest.Status(429), want.refused},
			"not sent":  {llmtest.Refuse(), want.notSent},
		} {
			t.Run(class.String()+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: class})))
					for range tt.sends {
						b.srv.Next(tt.fault)
					}
					res, err := b.ask(context.Background(), "class")
					require.Error(t, err)
					require.Equal(t, tt.sends, res.Receipt.Attempts)
				})
			})
		}
	}
}

// The time budget ends a call whose provider hangs, each call at its own time.
func TestR5_TimeBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.WithRetry(llmidem.RetryPolicy{Elapsed: 10 * time.Second}))
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Hang() })
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 4 * time.Second)
				_, err := b.ask(context.Background(), "hangs "+strconv.Itoa(i))
				require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorContains(t, err, "time")
				require.Equal(t, 10*time.Second+time.Duration(i)*4*time.Second, time.Since(start))
			})
		}
		wg.Wait()
	})
}

// What replays by key is paid for once, however the answers get lost.
func TestR9_ReplayPaysOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay})))
		b.srv.Next(llmtest.DropAfter(), llmtest.DropMiddle(), llmtest.Status(504).AfterWork(), llmtest.OK())
		res := b.mustAsk("replayed")
		require.Equal(t, 4, res.Receipt.Attempts)
		require.Equal(t, llmidem.SourceReplay, res.Receipt.Source)
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
}

func TestR9_WindowElapsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := llmidem.Keys{Class: llmidem.Replay, Window: 5 * time.Second}
		b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(keys)))
		b.srv.Next(llmtest.DropAfter(), llmtest.Status(503).RetryAfter(6*time.Second))
		res, err := b.ask(context.Background(), "too late")
		require.Equal(t, llmidem.CodeWindowElapsed, llmidem.CodeOf(err))
		require.Equal(t, 2, res.Receipt.Attempts)
	})
}

// Requests whose tools run at the provider would run them twice.
func TestR9_ToolsAtTheProviderAreNotRepeated(t *testing.T) {
	for name, body := range map[string]string{
		"mcp":              `{"model":"m","input":"x","tools":[{"type":"mcp","server_url":"https://x"}]}`,
		"code interpreter": `{"model":"m","input":"x","tools":[{"type":"code_interpreter","container":{"type":"auto"}}]}`,
		"conversation":     `{"model":"m","input":"x","conversation":"conv_1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Next(llmtest.DropAfter())
				_, err := b.client.RoundTrip(b.request("/responses", body))
				require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
				require.Len(t, b.srv.Ledger().Bodies(), 1)
			})
		})
	}
}

func TestR5_CancelledDuringTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Status(429).RetryAfter(30*time.Second), llmtest.OK())
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := b.ask(ctx, "wait")
		require.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var e *llmidem.Error
		require.ErrorAs(t, err, &e)
		require.True(t, e.Timeout())
		require.Equal(t, llmidem.CodeInProgress, e.Code)
		time.Sleep(time.Minute) // of the bubble's clock: the call goes on
		require.Equal(t, llmidem.SourceCache, b.mustAsk("wait").Receipt.Source)
	})
}

func TestR5_CancelledBefore(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := b.ask(ctx, "never")
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(err))
	require.Empty(t, b.srv.Ledger().Bodies())
}

// A call that is not recorded ends with its caller, also in the middle of a wait
// that its deadline does not reach.
func TestR5_UnrecordedCallDoesNotWaitInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.WithRecall(llmidem.RecallOff))
		b.srv.Next(llmtest.Status(429).RetryAfter(30 * time.Second))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err := b.ask(ctx, "off")
		requireStatus(t, err, 429)
		require.Zero(t, time.Since(start))
	})
}

func TestR6_NotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Redirect(308, "/elsewhere"))
		resp, err := b.client.RoundTrip(b.request("/chat/completions", chatBody("x")))
		require.NoError(t, err)
		require.Equal(t, 308, resp.StatusCode)
		require.Len(t, b.srv.Ledger().Bodies(), 1)
	})
	client, err := llmidem.New(newBench(t).srv.Provider(), quiet)
	require.NoError(t, err)
	defer client.Close(context.Background())
	req, err := http.NewRequest("POST", "gopher://localhost/v1/chat/completions", body(chatBody("x")))
	require.NoError(t, err)
	_, err = client.RoundTrip(req)
	var e *llmidem.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, 1, e.Attempts)
	require.Equal(t, llmidem.CodeFailed, e.Code)
}

func TestR10_NothingWrittenIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{OnAmbiguous: llmidem.Fail})
		b.srv.Next(llmtest.Refuse(), llmtest.Refuse(), llmtest.Refuse(), llmtest.Refuse(), llmtest.OK())
		require.Equal(t, 5, b.mustAsk("refused").Receipt.Attempts)
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
}

// An outage must not be multiplied by its retries.
func TestR14_RetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Status(503) })
		for i := range 1000 {
			_, err := b.ask(context.Background(), "outage "+strconv.Itoa(i))
			requireStatus(t, err, 503)
		}
		require.Equal(t, 1000+100, len(b.srv.Ledger().Bodies()))
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.OK() })
		for i := range 10 { // successes earn retries back
			b.mustAsk("recovery " + strconv.Itoa(i))
		}
		b.srv.Handle(nil)
		b.srv.Next(llmtest.Status(503), llmtest.OK())
		require.Equal(t, 2, b.mustAsk("retried again").Receipt.Attempts)
	})
}

func TestR13_CutBodyIsAmbiguousAndRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.DropMiddle(), llmtest.OK())
		require.Equal(t, 2, b.mustAsk("cut").Receipt.Attempts)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.DropMiddle() })
		res, err := b.ask(context.Background(), "always cut")
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
		require.Equal(t, 3, res.Receipt.Attempts)
	})
}

func requireStatus(t *testing.T, err error, status int) {
	t.Helper()
	var api *openai.APIError
	require.True(t, errors.As(err, &api), "no *openai.APIError in %v", err)
	require.Equal(t, status, api.HTTPStatusCode)
	var own *llmidem.Error
	require.ErrorAs(t, err, &own)
	require.False(t, own.Key.IsZero())
	require.Positive(t, own.Attempts)
	require.Equal(t, strconv.Itoa(status), own.ErrorType())
}
