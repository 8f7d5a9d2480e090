package llmidem_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// Whatever fails in the first life, and whoever loses patience: the second one has
// the same answers, step by step, and pays for none.
func TestStress_RunIsStartedAgain(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { stressRun(t, seed) })
		})
	}
}

func stressRun(t *testing.T, seed uint64) {
	_, p := processes(t, 2, llmidem.WithRetry(llmidem.RetryPolicy{Budget: 1 << 20, MaxAttempts: 2}))
	var mu sync.Mutex
	faults := rand.New(rand.NewPCG(seed, 3)) // guarded by mu
	calm := false
	p[0].srv.Handle(func(*llmtest.Request) llmtest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if calm {
			return llmtest.OK()
		}
		fault, _ := randomFault(faults)
		return fault
	})
	life := func(p *process) map[string][]string {
		ctx, found := llmidem.WithRun(t.Context(), "r"), map[string][]string{}
		var wg sync.WaitGroup
		for branch := range 6 {
			wg.Go(func() {
				texts := branchOf(t, p, llmidem.Branch(ctx, fmt.Sprint(branch)), rand.New(rand.NewPCG(seed, uint64(10+branch))))
				mu.Lock()
				defer mu.Unlock()
				found[fmt.Sprint(branch)] = texts
			})
		}
		wg.Wait()
		return found
	}
	first := life(p[0])
	calm = true
	executions := p[0].srv.Ledger().Executions()
	require.Equal(t, first, life(p[1]))
	require.Equal(t, executions, p[0].srv.Ledger().Executions())
	require.Empty(t, p[0].logs.with("same time"))
}

// branchOf asks, with little patience, until each step is answered.
func branchOf(t *testing.T, p *process, ctx context.Context, rnd *rand.Rand) (texts []string) {
	for range 15 {
		prompt, patience := "draw "+strconv.Itoa(rnd.IntN(3)), time.Duration(1+rnd.IntN(20))*time.Second
		for tries := 0; ; tries++ {
			text, whole := patient(p, ctx, prompt, patience)
			if whole {
				texts = append(texts, text)
				break
			}
			require.Less(t, tries, 1000)
		}
	}
	return texts
}

func patient(p *process, ctx context.Context, prompt string, patience time.Duration) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := p.ask(ctx, prompt)
	if err != nil || !res.Receipt.Complete {
		return "", false
	}
	return res.Value.Choices[0].Message.Content, true
}
