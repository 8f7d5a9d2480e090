package batch_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scaleVariable is how many items TestScale runs.
const scaleVariable = "LLMIDEM_SCALE"

// smallAnswer is a chat completion, which a server gives to everybody.
const smallAnswer = `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,` +
	`"message":{"role":"assistant","content":"An answer."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`

// steady is a server that answers everything after a while.
func steady(t testing.TB, latency time.Duration) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(latency)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "req-1")
		_, _ = io.WriteString(w, smallAnswer)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// plainLoop sends the same requests from as many goroutines, and writes the answers
// down as they come, without any record.
func plainLoop(t testing.TB, url, in, out string, concurrency int) {
	t.Helper()
	transport := &http.Transport{MaxIdleConns: concurrency, MaxIdleConnsPerHost: concurrency}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	f, err := os.Open(in)
	require.NoError(t, err)
	defer f.Close()
	results, err := os.Create(out)
	require.NoError(t, err)
	defer results.Close()
	work := make(chan []byte)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range concurrency {
		wg.Go(func() {
			for line := range work {
				var it struct {
					CustomID string          `json:"custom_id"`
					Body     json.RawMessage `json:"body"`
				}
				_ = json.Unmarshal(line, &it)
				resp, err := client.Post(url+"/chat/completions", "application/json", bytes.NewReader(it.Body))
				if err != nil {
					panic(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				text, _ := json.Marshal(map[string]any{"custom_id": it.CustomID, "body": json.RawMessage(body)})
				mu.Lock()
				_, _ = results.Write(append(text, '\n'))
				mu.Unlock()
			}
		})
	}
	s := bufio.NewScanner(f)
	for s.Scan() {
		work <- bytes.Clone(s.Bytes())
	}
	close(work)
	wg.Wait()
}

// TestScale measures a large batch: against a plain loop, its memory, its state, and
// the start of one that is done. The figures in docs/batch.md are from here.
func TestScale(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv(scaleVariable))
	if err != nil {
		t.Skipf("%s is not set; set it to a number of items, as make soak does", scaleVariable)
	}
	const concurrency, latency = 1024, 400 * time.Millisecond
	srv := steady(t, latency)
	dir := t.TempDir()
	o := order{URL: srv.URL + "/v1", In: filepath.Join(dir, "in"), Out: filepath.Join(dir, "out"), State: filepath.Join(dir, "state"), Concurrency: concurrency}
	f, err := os.Create(o.In)
	require.NoError(t, err)
	w := bufio.NewWriter(f)
	for i := range n {
		_, _ = w.WriteString(item(fmt.Sprintf("item-%07d", i), fmt.Sprintf("question %d", i)))
	}
	require.NoError(t, w.Flush())
	require.NoError(t, f.Close())

	began := time.Now()
	plainLoop(t, o.URL, o.In, filepath.Join(dir, "plain"), concurrency)
	plain := time.Since(began)
	began = time.Now()
	cmd, out := o.start(t)
	memory := watchPeak(cmd.Process.Pid)
	sum := wait(t, cmd, out)
	took := time.Since(began)
	require.Equal(t, n, sum.Sent)
	state, err := os.Stat(o.State)
	require.NoError(t, err)
	perItem := float64(state.Size())/float64(n) - float64(len(smallAnswer))
	began = time.Now()
	cmd, out = o.start(t)
	again := watchPeak(cmd.Process.Pid)
	sum = wait(t, cmd, out)
	restart := time.Since(began)
	require.Equal(t, n, sum.Done)
	t.Logf("%d items, concurrency %d, latency %v: plain loop %v (%.0f/s), batch %v (%.0f/s), ratio %.2f; "+
		"peak memory %d MiB, %d MiB with the mapped state; state %.0f bytes an item beyond the answer; restart when done %v, %d MiB",
		n, concurrency, latency, plain.Round(time.Millisecond), float64(n)/plain.Seconds(), took.Round(time.Millisecond), float64(n)/took.Seconds(),
		plain.Seconds()/took.Seconds(), memory().own>>20, memory().resident>>20, perItem, restart.Round(time.Millisecond), again().own>>20)
	require.Less(t, memory().own, int64(200<<20))
	require.Less(t, perItem, 500.0)
}

// peak is the most memory that a process had, in bytes: its own, and with the pages
// of mapped files (the state's), which the kernel takes back when it needs them.
type peak struct{ own, resident int64 }

// watchPeak watches a process until it ends.
func watchPeak(pid int) func() peak {
	done, p := make(chan struct{}), peak{}
	go func() {
		defer close(done)
		for {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil || !strings.Contains(string(text), "VmHWM:") {
				return
			}
			p.own = max(p.own, statusOf(string(text), "RssAnon:"))
			p.resident = statusOf(string(text), "VmHWM:")
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return func() peak { <-done; return p }
}

// statusOf reads a number of kB in the text of /proc/PID/status.
func statusOf(text, name string) int64 {
	_, rest, _ := strings.Cut(text, name)
	kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kb << 10
}
