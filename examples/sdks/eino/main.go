// Eino asks through eino's OpenAI model over llmidem, of a server that is busy at
// first: one question twice, and one as a stream that is read twice.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/cloudwego/eino/schema"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

func main() {
	srv := llmtest.Start() // stands in for api.openai.com, in this process
	defer srv.Close()
	srv.Next(llmtest.Status(429)) // busy, once

	client, err := llmidem.New(providers.OpenAI())
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	api, err := openai.NewChatModel(ctx, &openai.ChatModelConfig{
		APIKey:     "token",
		BaseURL:    srv.URL(), // leave it out to ask OpenAI
		Model:      "gpt-4o-mini",
		HTTPClient: &http.Client{Transport: client}, // the model does not retry
	})
	if err != nil {
		log.Fatal(err)
	}

	for range 2 {
		res, err := llmidem.Call(ctx, llmidem.Bind(api.Generate), []*schema.Message{schema.UserMessage("Why is the sky blue?")}, llmidem.User("u-42"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Value.Content)
		show(res.Receipt)
	}

	for range 2 {
		// Its streams are closed without an error, which CallStream asks for.
		ctx, receipt := llmidem.WithReceipt(ctx, llmidem.User("u-42"))
		stream, err := api.Stream(ctx, []*schema.Message{schema.UserMessage("Why is the sea blue?")})
		if err != nil {
			log.Fatal(err)
		}
		if err := printAll(stream); err != nil {
			log.Fatal(err)
		}
		show(receipt())
	}
	fmt.Println("executed by the server:", srv.Ledger().Executions())
	if err := client.Close(ctx); err != nil {
		log.Fatal(err)
	}
}

func printAll(stream *schema.StreamReader[*schema.Message]) error {
	defer stream.Close()
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			fmt.Println()
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Print(piece.Content)
	}
}

func show(r llmidem.Receipt) {
	fmt.Println(" ", r.Key, r.Source, "attempts:", r.Attempts, "paid:", r.Usage, "saved:", r.Saved)
}
