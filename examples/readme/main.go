// Readme asks one question twice, of a server that is busy at first.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
	"github.com/sashabaranov/go-openai"
)

func main() {
	srv := llmtest.Start() // stands in for api.openai.com, in this process
	defer srv.Close()
	srv.Next(llmtest.Status(429)) // busy, once

	client, err := llmidem.New(providers.OpenAI())
	if err != nil {
		log.Fatal(err)
	}
	cfg := openai.DefaultConfig("token")
	cfg.BaseURL = srv.URL()          // leave it out to ask OpenAI
	api := goopenai.New(cfg, client) // embeds *openai.Client

	question := openai.ChatCompletionMessage{Role: "user", Content: "Why is the sky blue?"}
	for range 2 {
		req := openai.ChatCompletionRequest{Model: openai.GPT4oMini, Messages: []openai.ChatCompletionMessage{question}}
		res, err := llmidem.Call(context.Background(), api.CreateChatCompletion, req, llmidem.User("u-42"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Value.Choices[0].Message.Content)
		fmt.Println(" ", res.Receipt.Key, res.Receipt.Source, "attempts:", res.Receipt.Attempts)
	}
	fmt.Println("executed by the server:", srv.Ledger().Executions())
}
