package llmidem_test

import (
	"context"
	"fmt"
	"log"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// An agent that is killed between two steps and started again: what it has asked
// and done is neither paid for nor done a second time.
func ExampleWithRun() {
	srv := llmtest.Start()
	defer srv.Close()
	records, err := store.NewMemory(store.MemoryConfig{}) // in earnest one that lasts, of boltstore, say
	if err != nil {
		log.Fatal(err)
	}
	agent := func(killed bool) { // a process
		client, err := llmidem.New(srv.Provider(), llmidem.WithStore(records), quiet)
		if err != nil {
			log.Fatal(err)
		}
		cfg := openai.DefaultConfig("token")
		cfg.BaseURL = srv.URL()
		api := goopenai.New(cfg, client)
		ctx := llmidem.WithRun(context.Background(), "run-7")

		plan, err := llmidem.Call(ctx, api.CreateChatCompletion, chat("Plan a trip."))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("plan:", plan.Receipt.Source)
		booking, err := llmidem.Do(ctx, client, "book", "Lisbon", func(context.Context, identity.Key) (string, error) {
			fmt.Println("booking")
			return "B-1", nil
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(booking.Value+":", booking.Receipt.Source)
		if killed {
			return
		}
		plan, err = llmidem.Call(ctx, api.CreateChatCompletion, chat("Plan a trip.")) // another one
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("second plan:", plan.Receipt.Source)
	}
	agent(true)
	agent(false)
	fmt.Println("paid for:", srv.Ledger().Executions())
	// Output:
	// plan: provider
	// booking
	// B-1: provider
	// plan: cache
	// B-1: cache
	// second plan: provider
	// paid for: 2
}

// Steps that run at the same time are kept apart, so that each finds its own
// answer after a restart, whichever comes first.
func ExampleBranch() {
	srv := llmtest.Start()
	defer srv.Close()
	client, err := llmidem.New(srv.Provider(), quiet)
	if err != nil {
		log.Fatal(err)
	}
	cfg := openai.DefaultConfig("token")
	cfg.BaseURL = srv.URL()
	api := goopenai.New(cfg, client)
	ctx := llmidem.WithRun(context.Background(), "run-7")
	keys := map[string]string{}
	for _, city := range []string{"Lisbon", "Porto"} { // in earnest goroutines
		res, err := llmidem.Call(llmidem.Branch(ctx, city), api.CreateChatCompletion, chat("Name a sight."))
		if err != nil {
			log.Fatal(err)
		}
		keys[res.Receipt.Key.String()] = city
	}
	fmt.Println(len(keys), "keys,", srv.Ledger().Executions(), "answers")
	// Output: 2 keys, 2 answers
}
