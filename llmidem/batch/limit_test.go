package batch_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// most is how many requests arrived within one minute, at most, and how many in all
// up to then.
func most(list []llmtest.Request) (n int) {
	for i := range list {
		for j := i; j >= 0 && list[i].Time.Sub(list[j].Time) < time.Minute; j-- {
			n = max(n, i-j+1)
		}
	}
	return n
}

func TestRequestsPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		failed := map[string]bool{}
		d.srv.Handle(func(q *llmtest.Request) llmtest.Fault {
			if strings.HasSuffix(q.Prompt, "3") && !failed[q.Prompt] {
				failed[q.Prompt] = true
				return llmtest.Status(429)
			}
			return llmtest.OK()
		})
		began := time.Now()
		sum := d.mustRun(items(400), batch.RequestsPerMinute(120), batch.Concurrency(1))
		require.Equal(t, 40, sum.Retries)
		require.LessOrEqual(t, most(d.srv.Ledger().Requests), 125)
		require.InDelta(t, 440.0/120, time.Since(began).Minutes(), 0.1, "as fast as may be")

	})
}

func TestTokensPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		began := time.Now()
		sum := d.mustRun(items(300), batch.TokensPerMinute(600), batch.Concurrency(4))
		tokens := sum.Paid.InputTokens + sum.Paid.OutputTokens
		require.EqualValues(t, 300*6, tokens)
		require.InDelta(t, float64(tokens)/600, time.Since(began).Minutes(), 0.5)
		began = time.Now()
		d.results += "2"
		sum = d.mustRun(items(300), batch.TokensPerMinute(600))
		require.Equal(t, 300, sum.Stored)
		require.Less(t, time.Since(began), time.Second, "what is in the state costs nothing")
	})
}

// TestServiceSaysWhatIsLeft: without bounds of its own a batch sends no more than the
// service says is left, and is turned away hardly ever.
func TestServiceSaysWhatIsLeft(t *testing.T) {
	for name, names := range map[string][3]string{
		"OpenAI":    {"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
		"Anthropic": {"Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				var mu sync.Mutex
				window, used, turned := time.Now(), 0, 0
				d.srv.Handle(func(q *llmtest.Request) llmtest.Fault {
					mu.Lock()
					defer mu.Unlock()
					if now := time.Now(); now.Sub(window) >= 10*time.Second {
						window, used = now, 0
					}
					used++
					reset := time.Until(window.Add(10 * time.Second))
					text := reset.String()
					if name == "Anthropic" {
						text = time.Now().Add(reset).UTC().Format(time.RFC3339)
					}
					f := llmtest.Delay(10 * time.Millisecond)
					if used > 50 {
						turned++
						f = llmtest.Status(429).RetryAfter(reset)
					}
					return f.Header(names[0], "50").Header(names[1], fmt.Sprint(max(0, 50-used))).Header(names[2], text)
				})
				began := time.Now()
				sum := d.mustRun(items(500), batch.Concurrency(10))
				require.Equal(t, 500, sum.Sent)
				require.LessOrEqual(t, turned, 60, "it learns that the service counts by windows: ten each otherwise")
				require.Less(t, time.Since(began), 3*time.Minute)
			})
		})
	}
}
