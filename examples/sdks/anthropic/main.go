// Anthropic asks through anthropic-sdk-go over llmidem, of a server that is
// overloaded at first: one question twice, and one as a stream that is read twice.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func main() {
	srv := llmtest.Start() // stands in for api.anthropic.com, in this process
	defer srv.Close()
	srv.Next(llmtest.Status(529)) // overloaded, once

	client, err := llmidem.New(llmidem.Provider{Name: "anthropic", Rules: identity.Anthropic()})
	if err != nil {
		log.Fatal(err)
	}
	api := anthropic.NewClient(
		option.WithAPIKey("token"),
		option.WithBaseURL(srv.BaseURL()), // leave it out to ask Anthropic
		option.WithHTTPClient(&http.Client{Transport: client}),
		option.WithMaxRetries(0), // llmidem retries
	)

	ctx := context.Background()
	question := anthropic.MessageNewParams{Model: anthropic.ModelClaudeHaiku4_5, MaxTokens: 1024,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Why is the sky blue?"))}}
	for range 2 {
		res, err := llmidem.Call(ctx, llmidem.Bind(api.Messages.New), question, llmidem.User("u-42"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Value.Content[0].Text)
		show(res.Receipt)
	}

	question.Messages = []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Why is the sea blue?"))}
	for range 2 {
		// A method that returns nothing but a stream fits neither Call nor CallStream.
		ctx, receipt := llmidem.WithReceipt(ctx, llmidem.User("u-42"))
		stream := api.Messages.NewStreaming(ctx, question)
		for stream.Next() {
			fmt.Print(stream.Current().Delta.Text)
		}
		if err := stream.Err(); err != nil {
			log.Fatal(err)
		}
		_ = stream.Close() // it is read to its end
		fmt.Println()
		show(receipt())
	}
	fmt.Println("executed by the server:", srv.Ledger().Executions())
	if err := client.Close(ctx); err != nil {
		log.Fatal(err)
	}
}

func show(r llmidem.Receipt) {
	fmt.Println(" ", r.Key, r.Source, "attempts:", r.Attempts, "paid:", r.Usage, "saved:", r.Saved)
}
