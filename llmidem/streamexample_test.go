package llmidem_test

import (
	"context"
	"fmt"
	"log"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
	openai "github.com/sashabaranov/go-openai"
)

// A stream that is asked for twice is paid for once, and one that is cut says so.
func ExampleCallStream() {
	srv := llmtest.Start()
	defer srv.Close()
	client, err := llmidem.New(srv.Provider(), quiet)
	if err != nil {
		log.Fatal(err)
	}
	cfg := openai.DefaultConfig("token")
	cfg.BaseURL = srv.URL()
	api := goopenai.New(cfg, client)

	ask := func(question string) {
		stream, err := llmidem.CallStream(context.Background(), api.CreateChatCompletionStream, chat(question))
		if err != nil {
			log.Fatal(err)
		}
		for chunk, err := range stream.All() {
			if err != nil {
				fmt.Print(" … ", llmidem.CodeOf(err))
				break
			}
			fmt.Print(chunk.Choices[0].Delta.Content)
		}
		fmt.Println(" |", stream.Receipt().Source, stream.Receipt().Complete)
	}
	ask("Why?")
	ask("Why?")
	srv.Next(llmtest.CutEvents(3))
	ask("How?")
	// Output:
	// Answer to: Why? | provider true
	// Answer to: Why? | cache true
	// Answer to: … interrupted | provider false
}
