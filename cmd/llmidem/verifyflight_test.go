package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
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

func TestVerifyTableOfAReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled(), llmtest.WithKeys(sdk.Keys{Class: sdk.Replay}))
		srv.Handle(slow)
		r := verifyOver(t.Context(), t, srv.Transport())
		require.Equal(t, result{statusOK, `PROBE | WHAT WAS SENT | WHAT CAME BACK | WHAT IT SAYS
first key | idem_ and 64 digits | 200 | accepted (proved): a new key is answered
same key | the same key and body again | 200 Idempotent-Replayed, same bytes | replay (proved): the repeat is the first answer, and another key has another one
other key | the same body, another key | 200, other text | other_answer (proved): what a new execution looks like
other body | another body under the used key | 422 idempotency_key_reused | conflict (proved): another body under a used key is refused, as it should be
at once | a new key twice at once | 200 and 409 idempotency_key_in_use | refuses (proved): one was executed, and the other refused while it ran
cut | a new key, cut off, and sent again | in use, then 200 Idempotent-Replayed | replays (proved): the cut request was executed, and the retry given its answer
form | idem_ and 64 digits, quoted | 200 | accepted (proved): keys of this form are taken
form | UUID | 200 | accepted (proved): keys of this form are taken
form | 255 letters and digits | 200 | accepted (proved): keys of this form are taken
form | 256 letters and digits | 200 | accepted (proved): keys of this form are taken

class | replay (proved): the repeat is the first answer, and another key has another one
calls | 13 of at most 16
in Go | p := providers.Gateway("llmtest.invalid", llmidem.Keys{Class: llmidem.Replay})
// Window, how long a key is remembered, was not probed: see the service's documentation
`, ""}, result{r.status, sorted(golden(r.out)), r.err})
	})
}

// sorted puts the two outcomes of the probe at once into one order: which of the two
// came first is chance.
func sorted(table string) string {
	return strings.ReplaceAll(table, "409 idempotency_key_in_use and 200", "200 and 409 idempotency_key_in_use")
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

// joining is a service of class replay that makes equal requests wait for the first,
// in memory. Each key is worked on for a while.
type joining struct {
	mu    sync.Mutex
	ready map[string]time.Time
	took  time.Duration
}

func (j *joining) RoundTrip(r *http.Request) (*http.Response, error) {
	hooks := httptrace.ContextClientTrace(r.Context())
	key := r.Header.Get("Idempotency-Key")
	hooks.WroteRequest(httptrace.WroteRequestInfo{})
	j.mu.Lock()
	if _, ok := j.ready[key]; !ok {
		j.ready[key] = time.Now().Add(j.took)
	}
	at := j.ready[key]
	j.mu.Unlock()
	select {
	case <-time.After(time.Until(at)):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	hooks.GotFirstResponseByte()
	w := httptest.NewRecorder()
	chatOf(w, key[len(key)-8:], key)
	return w.Result(), nil
}

func TestVerifyWaitsInFlight(t *testing.T) {
	for took, want := range map[time.Duration]string{3 * time.Second: "at once: waits", time.Millisecond: "at once: unknown (not told)"} {
		synctest.Test(t, func(t *testing.T) {
			rep := reported(t, verifyOver(t.Context(), t, &joining{ready: map[string]time.Time{}, took: took}, "--json"))
			require.Equal(t, classReplay, rep.Class)
			require.Contains(t, rep.results(), want)
		})
	}
}

// Over the network a cut is the end of the connection, which the service sees while
// it still works.
func TestVerifyCutsTheConnection(t *testing.T) {
	cut := make(chan struct{})
	url, _ := handler(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 6 {
			<-r.Context().Done() // else the command runs into its timeout, and the probe says so
			close(cut)
		}
		chatOf(w, fmt.Sprint(n), fmt.Sprint(n))
	})
	rep := reported(t, verifyURL(t, url, "--json"))
	require.Contains(t, rep.results(), "cut: executes (likely)")
	require.Equal(t, 7, rep.Calls)
	<-cut
}

func TestVerifyDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled(), llmtest.WithKeys(sdk.Keys{Class: sdk.Replay}))
		var seen sync.Map
		srv.Handle(func(q *llmtest.Request) llmtest.Fault {
			if _, again := seen.LoadOrStore(q.Key, true); again {
				return llmtest.OK() // an answer of the key alone comes at once
			}
			return llmtest.Delay(30 * time.Second)
		})
		rep := reported(t, verifyOver(t.Context(), t, srv.Transport(), "--json"))
		require.Contains(t, rep.results(), "cut: in_progress")
		require.LessOrEqual(t, rep.Calls, 16)
	})
}

func TestVerifyKeyThatStaysInUse(t *testing.T) {
	url, _ := handler(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n > 1 {
			w.WriteHeader(http.StatusTooEarly)
		}
		chatOf(w, "id", "text")
	})
	r := verifyURL(t, url, "--json", "--max-calls", "2")
	require.Equal(t, statusMute, r.status)
	require.Contains(t, r.err, "the key stays in use although its request is answered")
}
