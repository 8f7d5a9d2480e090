package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/sashabaranov/go-openai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
	"github.com/llmidem/llmidem-go/llmidem/store/boltstore"
)

// agent plans the trip. It knows nothing of its deaths: the run does.
func agent(model, office, state string) error {
	records, err := boltstore.Open(state)
	if err != nil {
		return err
	}
	defer records.Close()
	client, err := llmidem.New(providers.OpenAI(), llmidem.WithStore(records))
	if err != nil {
		return err
	}
	defer client.Close(context.Background())
	cfg := openai.DefaultConfig("token")
	cfg.BaseURL = model
	cfg.HTTPClient = nil
	api := goopenai.New(cfg, client)

	ctx := llmidem.WithRun(context.Background(), "trip-7")
	ask := func(prompt string) (string, error) {
		resp, err := api.CreateChatCompletion(ctx, openai.ChatCompletionRequest{Model: "gpt-4o-mini",
			Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: prompt}}})
		if err != nil {
			return "", err
		}
		return resp.Choices[0].Message.Content, nil
	}

	city, err := ask("Which city?")
	if err != nil {
		return err
	}
	// The ticket is another one each time that it is asked for, so it goes through
	// Do: the run has its number, and the office is given the key.
	ticket, err := llmidem.Do(ctx, client, "book", city, func(ctx context.Context, key identity.Key) (string, error) {
		return book(ctx, office, key)
	})
	if err != nil {
		return err
	}
	// Two equal questions are two calls of a run, each with its own answer.
	var tips [2]string
	for i := range tips {
		if tips[i], err = ask("A tip, please."); err != nil {
			return err
		}
	}
	plan, err := ask(fmt.Sprintf("Ticket %s, %d tips.", ticket.Value, len(tips)))
	if err != nil {
		return err
	}
	final, err := ask("In short: " + plan)
	if err != nil {
		return err
	}
	fmt.Print(final)
	return nil
}

// book buys a ticket. The office honours the key, so that a booking that was in
// flight when the agent died is not made again.
func book(ctx context.Context, office string, key identity.Key) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, office, nil)
	if err != nil {
		return "", llmidem.NotExecuted(err)
	}
	req.Header.Set("Idempotency-Key", key.String())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	number, err := io.ReadAll(resp.Body)
	return string(number), err
}
