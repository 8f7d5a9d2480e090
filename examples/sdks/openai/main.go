// Openai asks through openai-go over llmidem, of a server that is busy at first: one
// question twice, and one as a stream that is read twice.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

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
	api := openai.NewClient(
		option.WithAPIKey("token"),
		option.WithBaseURL(srv.URL()), // leave it out to ask OpenAI
		option.WithHTTPClient(&http.Client{Transport: client}),
		option.WithMaxRetries(0), // llmidem retries
	)

	ctx := context.Background()
	question := openai.ChatCompletionNewParams{Model: "gpt-4o-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Why is the sky blue?")}}
	for range 2 {
		res, err := llmidem.Call(ctx, llmidem.Bind(api.Chat.Completions.New), question, llmidem.User("u-42"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Value.Choices[0].Message.Content)
		show(res.Receipt)
	}

	question.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Why is the sea blue?")}
	question.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	for range 2 {
		// A method that returns nothing but a stream fits neither Call nor CallStream.
		ctx, receipt := llmidem.WithReceipt(ctx, llmidem.User("u-42"))
		stream := api.Chat.Completions.NewStreaming(ctx, question)
		for stream.Next() {
			for _, choice := range stream.Current().Choices {
				fmt.Print(choice.Delta.Content)
			}
		}
		if err := stream.Err(); err != nil {
			log.Fatal(err)
		}
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
