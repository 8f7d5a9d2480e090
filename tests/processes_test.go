package tests

import (
	cryptorand "crypto/rand"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

const (
	processes  = 8
	goroutines = 50
	prompts    = 200
	// patience is how long a call may take: a lease of 30 s, after which the claim
	// of a dead process is taken over, twice, and the call itself. Whatever is stuck
	// for longer fails its test.
	patience = 75 * time.Second
)

// service is a provider that ignores keys and takes a while, each of whose answers
// is another one.
func service(t *testing.T, slowest time.Duration) *llmtest.Server {
	srv := llmtest.Start(llmtest.Sampled())
	t.Cleanup(srv.Close)
	srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Delay(rand.N(slowest)) })
	return srv
}

// answers are what was told of each prompt: one answer, whoever asks.
type answers map[string]string

// note requires that a call was answered, with the answer that all others had.
func (a answers) note(t *testing.T, told told) {
	t.Helper()
	require.Empty(t, told.Err, told.Prompt)
	require.True(t, strings.HasSuffix(told.Answer, " to: "+told.Prompt), "%s: the answer of another: %s", told.Prompt, told.Answer)
	if first, ok := a[told.Prompt]; ok {
		require.Equal(t, first, told.Answer, told.Prompt)
	}
	a[told.Prompt] = told.Answer
}

func eachKeyOnce(t *testing.T, store string) {
	srv, namespace := service(t, 100*time.Millisecond), cryptorand.Text()
	var workers []*worker
	for i := range processes {
		workers = append(workers, start(t, job{Store: store, Server: srv.URL(), Namespace: namespace,
			Goroutines: goroutines, Prompts: prompts, Seed: uint64(i), Patience: patience}))
	}
	all, calls := answers{}, 0
	for _, w := range workers {
		for line := range w.lines {
			all.note(t, line)
			calls++
		}
		require.NoError(t, w.err)
	}
	require.Equal(t, processes*goroutines*prompts, calls)
	require.Equal(t, prompts, srv.Ledger().Executions(), "each key is executed once")
}

// Many processes ask the same things at once: each is executed once.
func TestS3_ManyProcessesOneRedis(t *testing.T) { eachKeyOnce(t, startRedis(t).url()) }

func TestS3_ManyProcessesOnePostgres(t *testing.T) { eachKeyOnce(t, postgresURL(t)) }

// The same while a process is killed every second: what was in flight at the kill
// may be executed again, and nothing else is; nobody gets a wrong answer or is
// stuck for longer than a lease.
func TestS15_ProcessesKilled(t *testing.T) {
	const kills = 6
	store, srv := startRedis(t).url(), service(t, 8*time.Second)
	begin := func(i int) *worker {
		return start(t, job{Store: store, Server: srv.URL(), Namespace: "kills",
			Goroutines: goroutines, Prompts: prompts, Seed: uint64(i), Patience: patience})
	}
	var ended []*worker
	var running [processes]*worker
	for i := range running {
		running[i] = begin(i)
	}
	killed := map[*worker]bool{}
	for k := range kills {
		pause(t.Context(), time.Second)
		i := rand.IntN(processes)
		running[i].kill()
		killed[running[i]] = true
		ended = append(ended, running[i])
		running[i] = begin(processes + k)
	}
	all := answers{}
	for _, w := range append(ended, running[:]...) {
		for line := range w.lines {
			all.note(t, line)
		}
		if !killed[w] {
			require.NoError(t, w.err)
		}
	}
	require.Len(t, all, prompts)
	executions := srv.Ledger().Executions()
	t.Logf("%d executions of %d keys, %d kills", executions, prompts, kills)
	require.Greater(t, executions, prompts, "no kill met a call in flight")
	require.LessOrEqual(t, executions, prompts+kills*goroutines)
}
