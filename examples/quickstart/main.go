// Quickstart sends eight questions, and the first one again, through go-openai over
// llmidem to a server that fails as services do, and compares the bill with a plain
// retry loop's. OPENAI_API_KEY makes it ask a real service; VERBOSE=1 logs.
package main

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
	"github.com/sashabaranov/go-openai"
)

//go:embed questions.txt
var questions string

func main() {
	if os.Getenv("VERBOSE") == "" {
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	if token := os.Getenv("OPENAI_API_KEY"); token != "" {
		cfg := openai.DefaultConfig(token)
		cfg.BaseURL = cmp.Or(os.Getenv("OPENAI_BASE_URL"), cfg.BaseURL)
		overLlmidem(os.Stdout, providers.OpenAI(), cfg, time.Minute)
		fmt.Println("A real service has no scripted faults and no ledger: there is no bill to compare.")
		return
	}
	billed("llmidem, where keys are ignored", llmidem.Ignore, os.Stdout, overLlmidem)
	billed("llmidem, where keys are replayed", llmidem.Replay, io.Discard, overLlmidem)
	billed("go-openai in a plain retry loop", llmidem.Ignore, io.Discard, plainly)
}

type asker func(w io.Writer, provider llmidem.Provider, cfg openai.ClientConfig, patience time.Duration)

// billed prints what an asker owes a server that turns the second question away,
// loses the answer to the fourth after the work, and takes too long over the sixth.
func billed(whom string, class llmidem.KeyClass, w io.Writer, ask asker) {
	srv := llmtest.Start(llmtest.WithKeys(llmidem.Keys{Class: class}))
	defer srv.Close()
	ok, busy := llmtest.OK(), llmtest.Status(429).RetryAfter(50*time.Millisecond)
	srv.Next(ok, busy, ok, ok, llmtest.DropAfter(), ok, ok, llmtest.Delay(600*time.Millisecond))
	cfg := openai.DefaultConfig("no-token")
	cfg.BaseURL = srv.URL()
	ask(w, srv.Provider(), cfg, 400*time.Millisecond)
	fmt.Printf("Billed to %-33s %2d executions, %d tokens\n", whom+":", srv.Ledger().Executions(), srv.Ledger().Billed().Total())
}

// overLlmidem asks through llmidem and prints what became of each call.
func overLlmidem(w io.Writer, provider llmidem.Provider, cfg openai.ClientConfig, patience time.Duration) {
	spans := llmtest.Spans()
	client, err := llmidem.New(provider, llmidem.WithTracerProvider(spans))
	api := goopenai.New(cfg, client)
	if err = cmp.Or(err, api.Err()); err != nil {
		panic(err)
	}
	var paid, saved int64
	askAll(patience, func(ctx context.Context, req openai.ChatCompletionRequest) error {
		res, err := llmidem.Call(ctx, api.CreateChatCompletion, req)
		r, source := res.Receipt, cmp.Or(res.Receipt.Source, llmidem.Source(llmidem.CodeOf(err)))
		fmt.Fprintf(w, "%s\n  %s  %s, attempts: %d\n", req.Messages[0].Content, r.Key, source, r.Attempts)
		paid += r.Usage.InputTokens + r.Usage.OutputTokens
		saved += r.Saved.InputTokens + r.Saved.OutputTokens
		return err
	})
	if retried := spans.With("llmidem.attempt.count", "2"); len(retried) > 0 {
		fmt.Fprintln(w, "\nThe trace of the first call that took two attempts:")
		_ = spans.Tree(w, retried[0].Context.TraceID())
	}
	fmt.Fprintf(w, "\nBy the receipts: %d tokens paid, %d saved.\n", paid, saved)
	_ = client.Close(context.Background())
}

func plainly(_ io.Writer, _ llmidem.Provider, cfg openai.ClientConfig, patience time.Duration) {
	askAll(patience, func(ctx context.Context, req openai.ChatCompletionRequest) error {
		_, err := openai.NewClientWithConfig(cfg).CreateChatCompletion(ctx, req)
		return err
	})
}

// askAll asks each question until it is answered, at most four times.
func askAll(patience time.Duration, ask func(context.Context, openai.ChatCompletionRequest) error) {
	for question := range strings.SplitSeq(strings.TrimSpace(questions), "\n") {
		req := openai.ChatCompletionRequest{Model: openai.GPT4oMini, Messages: []openai.ChatCompletionMessage{{Role: "user", Content: question}}}
		for answered, try := false, 0; !answered && try < 4; try++ {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			answered = ask(ctx, req) == nil
			cancel()
		}
	}
}
