package llmidem_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// largeBody is a chat request whose body goes into a file.
func largeBody(prompt string) string { return chatBody(prompt + strings.Repeat(" large", 400_000)) }

// spoolDir is an empty directory for temporary files.
func spoolDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} { // Unix, Windows
		t.Setenv(name, dir)
	}
	return dir
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Where no file can be written a large body stays in memory: the call is made, and
// made again, and a log line says so once, without a name.
func TestSpool_NoPlaceForAFile(t *testing.T) {
	dir := filepath.Join(spoolDir(t), "missing")
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	b := newBench(t, llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}))
	for i, prompt := range []string{"a", "b"} {
		b.srv.Next(llmtest.Status(503), llmtest.OK())
		got := b.read(b.client.RoundTrip(b.request("/chat/completions", largeBody(prompt))))
		require.Equal(t, 200, got.status)
		bodies := b.srv.Ledger().Bodies()
		require.Len(t, bodies, 2*i+2)
		require.True(t, string(bodies[2*i+1]) == largeBody(prompt))
	}
	lines := b.logs.with("kept in memory")
	require.Len(t, lines, 1)
	require.NotContains(t, lines[0], "missing")
	require.NotContains(t, lines[0], "llmidem-")
}

// A process that is killed in the middle of a call leaves no file behind.
func TestSpool_KilledProcess(t *testing.T) {
	const childEnv = "LLMIDEM_TEST_SPOOL_URL"
	if url := os.Getenv(childEnv); url != "" {
		client, err := llmidem.New(providers.OpenAI(), quiet)
		require.NoError(t, err)
		req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(largeBody("killed")))
		require.NoError(t, err)
		_, err = client.RoundTrip(req)
		t.Fatalf("the process was to be killed before this: %v", err)
	}
	dir := spoolDir(t)
	arrived, leave := make(chan int, 1), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		arrived <- int(n)
		<-leave
	}))
	defer srv.Close()
	defer close(leave)
	child := exec.Command(os.Args[0], "-test.run=^TestSpool_KilledProcess$")
	child.Env = append(os.Environ(), childEnv+"="+srv.URL+"/v1/chat/completions")
	var out bytes.Buffer
	child.Stdout, child.Stderr = &out, &out
	require.NoError(t, child.Start())
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	select {
	case n := <-arrived:
		require.Equal(t, len(largeBody("killed")), n)
	case err := <-ended:
		t.Fatalf("the process ended by itself: %v\n%s", err, out.String())
	}
	require.NoError(t, child.Process.Kill())
	require.Error(t, <-ended)
	require.Empty(t, files(t, dir))
}

const (
	waitingCalls = 16
	waitingSize  = 8 << 20
)

// waitingClient is a client whose requests are read and then not answered until the
// gate is closed; arrived counts them.
func waitingClient(t *testing.T) (client *llmidem.Client, arrived *sync.WaitGroup, gate chan struct{}) {
	t.Helper()
	gate, arrived = make(chan struct{}), &sync.WaitGroup{}
	arrived.Add(waitingCalls)
	client, err := llmidem.New(providers.OpenAI(), quiet, llmidem.WithTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
		n, err := io.Copy(io.Discard, req.Body)
		req.Body.Close()
		if err != nil || n <= waitingSize {
			t.Errorf("%d bytes arrived, and %v", n, err)
		}
		arrived.Done()
		<-gate
		return &http.Response{StatusCode: 200, ProtoMajor: 2, Header: http.Header{"Content-Type": {"application/json"}},
			ContentLength: int64(len(wireAnswer)), Body: io.NopCloser(strings.NewReader(wireAnswer))}, nil
	})))
	require.NoError(t, err)
	return client, arrived, gate
}

// What a file saves: bodies are not in memory while their calls wait. They are when
// the identity is made, and where the caller has them itself, until it leaves.
func TestSpool_MemoryWhileCallsWait(t *testing.T) {
	text := func(i int) io.Reader {
		return io.MultiReader(strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"`+strconv.Itoa(i)),
			io.LimitReader(letters{}, waitingSize), strings.NewReader(`"}]}`))
	}
	for name, tt := range map[string]struct {
		body   func(i int) io.Reader
		leaves bool
	}{
		"from a stream": {text, false},
		"from memory, the caller has left": {func(i int) io.Reader {
			all, _ := io.ReadAll(text(i)) // of readers that do not fail
			return bytes.NewReader(all)   // so that the request can give it again
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			client, arrived, gate := waitingClient(t)
			before := heap()
			ctx, leave := context.WithCancel(context.Background())
			defer leave()
			var callers sync.WaitGroup
			for i := range waitingCalls {
				callers.Go(func() {
					req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://api.invalid/v1/chat/completions", tt.body(i))
					if err != nil {
						t.Error(err)
						return
					}
					if resp, err := client.RoundTrip(req); err == nil {
						resp.Body.Close()
					} else if !tt.leaves {
						t.Error(err)
					}
				})
			}
			arrived.Wait()
			if tt.leaves {
				leave()
				callers.Wait()
			}
			held := int64(heap()) - int64(before)
			close(gate)
			callers.Wait()
			require.NoError(t, client.Close(context.Background()))
			t.Logf("%d calls with %d MiB each hold %.1f MiB of memory while they wait", waitingCalls, waitingSize>>20, float64(held)/(1<<20))
			require.Less(t, held, int64(waitingCalls*waitingSize/8))
		})
	}
}

func heap() uint64 {
	var m runtime.MemStats
	for range 3 { // pools let go in two
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// letters is text without end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
