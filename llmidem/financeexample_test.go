package llmidem_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/audit"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

// Every call is accounted for: its intent before it is sent, its outcome before its
// caller has the answer. The provider here replays by key; before one that does not,
// add WithStore with a store of pgstore.
func ExampleForFinance() {
	dir, err := os.MkdirTemp("", "finance")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	trail, err := audit.Open(filepath.Join(dir, "audit.jsonl"))
	if err != nil {
		log.Fatal(err)
	}
	defer trail.Close()
	srv := llmtest.Start(llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay}))
	defer srv.Close()

	client, err := llmidem.New(srv.Provider(), llmidem.ForFinance(ledgerNamespace, trail), quiet)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(context.Background())
	cfg := openai.DefaultConfig("token")
	cfg.BaseURL = srv.URL()
	api := goopenai.New(cfg, client)
	_, err = llmidem.Call(context.Background(), api.CreateChatCompletion, chat("Explain posting 4711."))
	fmt.Println("without a user:", llmidem.CodeOf(err))
	for range 2 {
		if _, err := llmidem.Call(context.Background(), api.CreateChatCompletion, chat("Explain posting 4711."), llmidem.User("u-42")); err != nil {
			log.Fatal(err)
		}
	}
	for r, err := range audit.ReadFiles([]string{trail.Path()}, audit.Check{Head: trail.Head()}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(strings.TrimSpace(string(r.Kind) + " " + string(r.Outcome)))
	}
	// Output:
	// without a user: invalid
	// opened
	// outcome refused
	// intent
	// outcome answered
	// outcome replayed
}

// A store that lasts answers the next process, too.
func ExampleWithStore() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	srv := llmtest.Start()
	defer srv.Close()

	program := func() { // runs, ends, and runs again
		records, err := boltstore.Open(filepath.Join(dir, "calls.db"))
		if err != nil {
			log.Fatal(err)
		}
		defer records.Close()
		client, err := llmidem.New(srv.Provider(), llmidem.WithStore(records), quiet)
		if err != nil {
			log.Fatal(err)
		}
		defer client.Close(context.Background())
		cfg := openai.DefaultConfig("token")
		cfg.BaseURL = srv.URL()
		res, err := llmidem.Call(context.Background(), goopenai.New(cfg, client).CreateChatCompletion, chat("Why is the sky blue?"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Receipt.Source)
	}
	program()
	program()
	fmt.Println("paid for:", srv.Ledger().Executions())
	// Output:
	// provider
	// store
	// paid for: 1
}
