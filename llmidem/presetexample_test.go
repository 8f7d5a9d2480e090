package llmidem_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// askTwice puts one question twice, to a server that is busy at first, and prints
// where the answers came from.
func askTwice(preset llmidem.Option) {
	srv := llmtest.Start()
	defer srv.Close()
	srv.Next(llmtest.Status(429))
	client, err := llmidem.New(srv.Provider(), preset, quiet)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(context.Background())
	cfg := openai.DefaultConfig("token")
	cfg.BaseURL = srv.URL()
	api := goopenai.New(cfg, client)
	for range 2 {
		res, err := llmidem.Call(context.Background(), api.CreateChatCompletion, chat("Why is the sky blue?"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Receipt.Source, "attempts:", res.Receipt.Attempts)
	}
	sent := srv.Ledger().Requests[1].Header.Get("Idempotency-Key")
	fmt.Println("executed:", srv.Ledger().Executions(), "key sent:", sent != "")
}

// A retry is the same call, and so is asking again within ten minutes.
func ExampleForInference() {
	askTwice(llmidem.ForInference())
	// Output:
	// provider attempts: 2
	// cache attempts: 0
	// executed: 1 key sent: true
}

// The service sees no header that it does not know; everything else is the same.
func ExampleForLegacy() {
	askTwice(llmidem.ForLegacy())
	// Output:
	// provider attempts: 2
	// cache attempts: 0
	// executed: 1 key sent: false
}

// A service that knows no keys, and whose answer is lost on the way: no record of
// ours can tell whether the row was written, so the row is written under the key.
func ExampleDo_upsert() {
	client, err := llmidem.New(providers.OpenAI(), quiet)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(context.Background())
	rows, inserted, lost := map[string]string{}, 0, true
	order := func() (llmidem.Result[string], error) {
		return llmidem.Do(context.Background(), client, "order", "2 apples", func(_ context.Context, key identity.Key) (string, error) {
			inserted++                      // INSERT INTO orders …
			rows[key.String()] = "2 apples" // INSERT INTO orders (key, …) … ON CONFLICT (key) DO NOTHING
			if lost {
				return "", errors.New("connection reset")
			}
			return "ordered", nil
		})
	}
	_, err = order()
	fmt.Println(llmidem.CodeOf(err))
	lost = false
	res, err := order()
	fmt.Println(res.Value, err)
	fmt.Println("rows by insert:", inserted, "by upsert:", len(rows))
	// Output:
	// ambiguous
	// ordered <nil>
	// rows by insert: 2 by upsert: 1
}
