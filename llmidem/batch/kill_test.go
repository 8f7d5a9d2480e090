package batch_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// soakVariable makes the tests of killed processes long: 20,000 items and 200 kills.
const soakVariable = "LLMIDEM_SOAK"

// TestB3_Killed kills a process that runs a batch, again and again at random moments:
// in the end each item has one line, and no more was billed than there were items, or
// than that and what was in flight at the kills, where the service ignores keys.
func TestB3_Killed(t *testing.T) {
	n, kills := 1500, 12
	if os.Getenv(soakVariable) != "" {
		n, kills = 20_000, 200
	}
	for name, class := range map[string]llmidem.KeyClass{"replay": llmidem.Replay, "ignore": llmidem.Ignore} {
		t.Run(name, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.WithKeys(llmidem.Keys{Class: class}))
			var arrived atomic.Int64
			progress := make(chan struct{}, 1)
			srv.Handle(func(*llmtest.Request) llmtest.Fault {
				arrived.Add(1)
				select {
				case progress <- struct{}{}:
				default:
				}
				return llmtest.OK()
			})
			dir := t.TempDir()
			o := order{URL: srv.URL(), In: filepath.Join(dir, "in"), Out: filepath.Join(dir, "out"), State: filepath.Join(dir, "state"),
				Keys: class, Concurrency: 16}
			require.NoError(t, os.WriteFile(o.In, []byte(items(n)), 0o600))
			for range kills {
				cmd, _ := o.start(t)
				// As often before anything is sent as after some of the rest was.
				if rand.IntN(4) == 0 {
					time.Sleep(rand.N(50 * time.Millisecond))
				} else {
					left := max(int64(n)-arrived.Load(), 1)
					awaitUntil(progress, &arrived, arrived.Load()+rand.Int64N(2*left/int64(kills)+1))
					time.Sleep(rand.N(3 * time.Millisecond))
				}
				_ = cmd.Process.Kill() // it may have ended
				_ = cmd.Wait()
			}
			cmd, out := o.start(t)
			sum := wait(t, cmd, out)
			require.Zero(t, sum.Left)
			require.Zero(t, sum.Failed)
			checkAnswers(t, resultsIn(t, o.Out), n)
			billed := srv.Ledger().Executions()
			t.Logf("%d items, %d kills: %d executions, %d requests; the last start: %v", n, kills, billed, arrived.Load(), sum)
			require.GreaterOrEqual(t, billed, n)
			if class == llmidem.Replay {
				require.Equal(t, n, billed)
			} else {
				require.LessOrEqual(t, billed, n+kills*o.Concurrency)
			}
			again, out := o.start(t)
			sum = wait(t, again, out)
			require.Equal(t, n, sum.Done)
			require.Equal(t, billed, srv.Ledger().Executions())
		})
	}
}

// awaitUntil waits until so many requests have arrived, or none has for long, as when
// the process has nothing more to do.
func awaitUntil(progress <-chan struct{}, arrived *atomic.Int64, target int64) {
	for arrived.Load() < target {
		select {
		case <-progress:
		case <-time.After(2 * time.Second):
			return
		}
	}
}
