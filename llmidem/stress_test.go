package llmidem_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
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

// Whatever fails, whoever leaves: an answer that is given out is whole and the
// answer to its prompt, every request is counted, and a prompt is executed no
// more often than its answers were lost.
func TestStress_RandomFaults(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { stress(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func stress(t *testing.T, rnd *rand.Rand) {
	keys := llmidem.Keys{Class: llmidem.KeyClass(rnd.IntN(2))} // ignore or replay
	b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(keys)),
		llmidem.WithRetry(llmidem.RetryPolicy{Budget: 1 << 20}))
	var mu sync.Mutex
	faults := rand.New(rand.NewPCG(rnd.Uint64(), 2)) // guarded by mu
	lost := map[string]int{}                         // executions whose answer did not arrive whole, by prompt
	b.srv.Handle(func(r *llmtest.Request) llmtest.Fault {
		mu.Lock()
		defer mu.Unlock()
		fault, loses := randomFault(faults)
		if loses {
			lost[r.Prompt]++
		}
		return fault
	})
	var wg sync.WaitGroup
	for range 300 {
		prompt := "prompt " + strconv.Itoa(rnd.IntN(20))
		start, patience := time.Duration(rnd.Int64N(int64(time.Minute))), time.Duration(rnd.Int64N(int64(30*time.Second)))
		wg.Go(func() {
			time.Sleep(start)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			res, err := b.ask(ctx, prompt)
			checkAnswer(t, prompt, res, err)
		})
	}
	wg.Wait()
	require.NoError(t, b.client.Close(context.Background()))
	seen := b.srv.Ledger()
	require.Len(t, b.spans.Named("POST"), len(seen.Requests), "every request has its span")
	for i := range 20 {
		prompt := "prompt " + strconv.Itoa(i)
		require.LessOrEqual(t, seen.ExecutionsOfPrompt(prompt), lost[prompt]+1, prompt)
	}
}

// checkAnswer accepts the right answer, whole, or an error of this package.
func checkAnswer(t *testing.T, prompt string, res llmidem.Result[openai.ChatCompletionResponse], err error) {
	t.Helper()
	if err != nil {
		var e *llmidem.Error
		if !errors.As(err, &e) {
			t.Errorf("an error of another kind: %v", err)
		}
		return
	}
	if !res.Receipt.Complete {
		return // a 200 that is not whole, handed on as go-openai would have got it
	}
	if got := res.Value.Choices[0].Message.Content; !strings.HasSuffix(got, prompt) {
		t.Errorf("%q was answered to %q", got, prompt)
	}
}

// randomFault is a fault, and whether it costs an execution its answer.
func randomFault(rnd *rand.Rand) (fault llmtest.Fault, loses bool) {
	switch rnd.IntN(14) {
	case 0:
		return llmtest.Status(429).RetryAfter(time.Duration(rnd.Int64N(int64(3 * time.Second)))), false
	case 1:
		return llmtest.Status(503), false
	case 2:
		return llmtest.Status(500), false
	case 3:
		return llmtest.DropBefore(), false
	case 4:
		return llmtest.DropAfter(), true
	case 5:
		return llmtest.DropMiddle(), true
	case 6:
		return llmtest.Status(504).AfterWork(), true
	case 7:
		return llmtest.CutJSON(), true
	case 8:
		return llmtest.NoFinish(), true
	case 9:
		return llmtest.HTML(), true
	case 10:
		return llmtest.ErrorOK(), true
	}
	return llmtest.Delay(time.Duration(rnd.Int64N(int64(20 * time.Second)))), false
}
