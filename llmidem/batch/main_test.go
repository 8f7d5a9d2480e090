package batch_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(childVariable); what != "" {
		os.Exit(child(what))
	}
	goleak.VerifyTestMain(m)
}

// lasting is a memory that says that it lasts, for tests without a file.
type lasting struct{ *store.Memory }

func (lasting) Traits() store.Traits { return store.Traits{Durable: true} }

func newLasting(t testing.TB) store.Store {
	t.Helper()
	m, err := store.NewMemory(store.MemoryConfig{Entries: 1 << 20, Bytes: 1 << 30, MaxEntry: 64 << 20})
	require.NoError(t, err)
	return lasting{m}
}

// desk is what a batch needs: a server, a client over its in-memory transport, files.
type desk struct {
	t       testing.TB
	srv     *llmtest.Server
	spans   *llmtest.SpanRecorder
	state   store.Store
	client  *llmidem.Client
	results string
}

func newDesk(t testing.TB, opts ...llmtest.Option) *desk {
	t.Helper()
	return deskOver(t, llmtest.New(t, append(opts, llmtest.InMemory())...), newLasting(t))
}

func deskOver(t testing.TB, srv *llmtest.Server, state store.Store) *desk {
	t.Helper()
	d := &desk{t: t, srv: srv, spans: llmtest.Spans(), state: state, results: filepath.Join(t.TempDir(), "results.jsonl")}
	d.client = d.newClient(state)
	return d
}

// newClient makes another client of the desk's server, whose retries do not wait long.
func (d *desk) newClient(state store.Store, opts ...llmidem.Option) *llmidem.Client {
	d.t.Helper()
	all := append([]llmidem.Option{llmidem.ForBatch(state), llmidem.WithTransport(d.srv.Transport()), llmidem.WithTracerProvider(d.spans),
		llmidem.WithLogger(slog.New(slog.DiscardHandler)), llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1})}, opts...)
	client, err := llmidem.New(d.srv.Provider(), all...)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { require.NoError(d.t, client.Close(context.Background())) })
	return client
}

func header() http.Header { return http.Header{"Authorization": {"Bearer sk-test"}} }

func (d *desk) to() batch.Target { return batch.To(d.srv.URL(), header()) }

// run runs a text of items into the results.
func (d *desk) run(input string, opts ...batch.Option) (batch.Summary, error) {
	return d.runTo(input, batch.ToFile(d.results), opts...)
}

func (d *desk) runTo(input string, sink batch.Sink, opts ...batch.Option) (batch.Summary, error) {
	d.t.Helper()
	return batch.Run(context.Background(), d.client, batch.FromReader("in", strings.NewReader(input)), sink, d.to(), opts...)
}

// mustRun is run for batches that have to end well.
func (d *desk) mustRun(input string, opts ...batch.Option) batch.Summary {
	d.t.Helper()
	sum, err := d.run(input, opts...)
	require.NoError(d.t, err)
	checkSum(d.t, sum)
	return sum
}

func checkSum(t testing.TB, s batch.Summary) {
	t.Helper()
	require.Equal(t, s.Items, s.Answered()+s.Failed+s.Left, "%+v", s)
}

// item is a line of the input.
func item(id, prompt string) string {
	return fmt.Sprintf(`{"custom_id":%q,"method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o-mini","messages":[{"role":"user","content":%q}]}}`+"\n", id, prompt)
}

// items are n different items.
func items(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(item(fmt.Sprintf("item-%05d", i), fmt.Sprintf("question %d", i)))
	}
	return b.String()
}

// resultsIn reads results, each of which must be whole and of another item.
func resultsIn(t testing.TB, path string) (list []batch.Result) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return readResults(t, text)
}

func readResults(t testing.TB, text []byte) (list []batch.Result) {
	t.Helper()
	require.True(t, len(text) == 0 || bytes.HasSuffix(text, []byte("\n")))
	seen := map[string]bool{}
	r := bufio.NewReader(bytes.NewReader(text))
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return list
		}
		require.NoError(t, err)
		var res batch.Result
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&res), "%q", line)
		require.False(t, seen[res.CustomID], res.CustomID)
		seen[res.CustomID] = true
		list = append(list, res)
	}
}

// checkAnswers checks that results are the answers to items(n), each once.
func checkAnswers(t testing.TB, list []batch.Result, n int) {
	t.Helper()
	require.Len(t, list, n)
	for _, r := range list {
		require.True(t, r.Answered(), "%+v", r)
		var i int
		_, err := fmt.Sscanf(r.CustomID, "item-%05d", &i)
		require.NoError(t, err)
		require.Contains(t, string(r.Response.Body), fmt.Sprintf("Answer to: question %d\"", i))
		require.NotEmpty(t, r.Response.RequestID)
	}
}

func openState(t testing.TB, path string) *boltstore.Store {
	t.Helper()
	s, err := boltstore.Open(path)
	require.NoError(t, err)
	return s
}

func startServer(t testing.TB, opts ...llmtest.Option) *llmtest.Server {
	t.Helper()
	return llmtest.New(t, opts...)
}
