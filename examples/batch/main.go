// Batch runs twelve requests, of which two are equal and one is bad, against a server
// that loses answers; it is stopped in the middle, started again, and pays for nothing
// twice.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/batch"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

//go:embed requests.jsonl
var requests []byte

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	dir, err := os.MkdirTemp("", "batch")
	must(err)
	defer os.RemoveAll(dir)
	srv := llmtest.Start(llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay}))
	defer srv.Close()

	fmt.Println("First start, stopped while the fifth request is in flight:")
	until, stop := context.WithCancel(context.Background())
	srv.Handle(func(q *llmtest.Request) llmtest.Fault {
		if q.Number == 6 { // the second try of the fifth item
			stop()
		}
		return faultOf(q)
	})
	start(dir, srv, batch.Until(until))

	fmt.Println("\nSecond start:")
	srv.Handle(faultOf)
	start(dir, srv)

	fmt.Println("\nThird start, when the service takes what it turned away before:")
	srv.Handle(nil)
	start(dir, srv, batch.RetryFailed())

	text, err := os.ReadFile(filepath.Join(dir, "results.jsonl"))
	must(err)
	fmt.Printf("\n%d results; the server executed %d requests.\n", bytes.Count(text, []byte("\n")), srv.Ledger().Executions())
	first, _, _ := strings.Cut(string(text), "\n")
	fmt.Println(first[:strings.Index(first, `,"body"`)] + " …")
}

// faultOf loses the answer to one question after the work, and turns another away.
func faultOf(q *llmtest.Request) llmtest.Fault {
	switch {
	case strings.Contains(q.Prompt, "Ada") && q.Number == 5:
		return llmtest.DropAfter()
	case strings.Contains(q.Prompt, "forbidden"):
		return llmtest.Status(http.StatusForbidden)
	}
	return llmtest.OK()
}

// start is what a program that runs a batch does.
func start(dir string, srv *llmtest.Server, opts ...batch.Option) {
	state, err := boltstore.Open(filepath.Join(dir, "state.db"))
	must(err)
	client, err := llmidem.New(srv.Provider(), llmidem.ForBatch(state), llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: time.Millisecond}))
	must(err)
	header := http.Header{"Authorization": {"Bearer no-token"}}
	opts = append(opts, batch.Ordered(), batch.Concurrency(1))
	sum, err := batch.Run(context.Background(), client, batch.FromReader("requests.jsonl", bytes.NewReader(requests)),
		batch.ToFile(filepath.Join(dir, "results.jsonl")), batch.To(srv.URL(), header), opts...)
	fmt.Println(sum)
	if errors.Is(err, batch.ErrStopped) {
		fmt.Println(err)
	} else {
		must(err)
	}
	must(client.Close(context.Background()))
	must(state.Close())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
