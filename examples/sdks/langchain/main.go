// Langchain asks through langchaingo over llmidem, of a server that is busy at first:
// one question twice, and one as a stream that is read twice.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

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
	api, err := openai.New(
		openai.WithToken("token"),
		openai.WithBaseURL(srv.URL()), // leave it out to ask OpenAI
		openai.WithModel("gpt-4o-mini"),
		openai.WithHTTPClient(&http.Client{Transport: client}), // langchaingo does not retry
	)
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	ask := func(text string, opts ...llms.CallOption) (llmidem.Result[*llms.ContentResponse], error) {
		question := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
		return llmidem.Call(ctx, llmidem.Bind(api.GenerateContent, opts...), question, llmidem.User("u-42"))
	}
	for range 2 {
		res, err := ask("Why is the sky blue?")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Value.Choices[0].Content)
		show(res.Receipt)
	}

	// A stream is read before the method returns, so Call fits, and its receipt
	// is that of the end.
	printing := llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		_, err := fmt.Print(string(chunk))
		return err
	})
	for range 2 {
		res, err := ask("Why is the sea blue?", printing)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println()
		show(res.Receipt)
	}
	fmt.Println("executed by the server:", srv.Ledger().Executions())
	if err := client.Close(ctx); err != nil {
		log.Fatal(err)
	}
}

func show(r llmidem.Receipt) {
	fmt.Println(" ", r.Key, r.Source, "attempts:", r.Attempts, "paid:", r.Usage, "saved:", r.Saved)
}
