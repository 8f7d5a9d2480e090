// Gemini asks through google.golang.org/genai over llmidem, of a server that wants
// to be left alone at first: one question twice, and one as a stream that is read twice.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"google.golang.org/genai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

const model = "gemini-2.5-flash"

func main() {
	srv := llmtest.Start() // stands in for generativelanguage.googleapis.com, in this process
	defer srv.Close()
	srv.Next(llmtest.Status(429).RetryAfter(10 * time.Millisecond)) // busy, once

	client, err := llmidem.New(llmidem.Provider{Name: "gcp.gemini", Rules: identity.Gemini()})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	api, err := genai.NewClient(ctx, &genai.ClientConfig{
		Backend:     genai.BackendGeminiAPI,
		APIKey:      "token",
		HTTPClient:  &http.Client{Transport: client},           // without RetryOptions, genai does not retry
		HTTPOptions: genai.HTTPOptions{BaseURL: srv.BaseURL()}, // leave it out to ask Gemini
	})
	if err != nil {
		log.Fatal(err)
	}

	// GenerateContent takes three arguments: a function of one makes it fit Call.
	generate := func(ctx context.Context, text string) (*genai.GenerateContentResponse, error) {
		return api.Models.GenerateContent(ctx, model, genai.Text(text), nil)
	}
	for range 2 {
		res, err := llmidem.Call(ctx, generate, "Why is the sky blue?", llmidem.User("u-42"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Value.Text())
		show(res.Receipt)
	}

	for range 2 {
		ctx, receipt := llmidem.WithReceipt(ctx, llmidem.User("u-42"))
		for chunk, err := range api.Models.GenerateContentStream(ctx, model, genai.Text("Why is the sea blue?"), nil) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Print(chunk.Text())
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
