// Observe makes a call that is retried, then the same call again, and prints the
// log lines, the traces and the metrics of both. Times are left out, so that the
// output is the same every time.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/sashabaranov/go-openai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

func main() {
	srv := llmtest.Start()
	defer srv.Close()
	srv.Next(llmtest.Status(503).RetryAfter(50 * time.Millisecond))

	spans, metrics := llmtest.Spans(), llmtest.Metrics() // any providers of OpenTelemetry will do
	client, err := llmidem.New(providers.OpenAI(), llmidem.WithTracerProvider(spans),
		llmidem.WithMeterProvider(metrics), llmidem.WithLogger(logger()))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(context.Background())
	cfg := openai.DefaultConfig("token")
	cfg.BaseURL = srv.URL()
	api := goopenai.New(cfg, client)

	req := openai.EmbeddingRequest{Model: openai.SmallEmbedding3, Input: []string{"blue sky", "red sunset"}}
	for range 2 {
		if _, err := api.CreateEmbeddings(context.Background(), req); err != nil {
			log.Fatal(err)
		}
	}
	shown := llmtest.TreeAttributes("llmidem.idempotency.key", "llmidem.response.source",
		"gen_ai.usage.input_tokens", "llmidem.tokens.saved.input", "http.response.status_code", "error.type")
	for _, s := range spans.Named("embeddings text-embedding-3-small") {
		if err := spans.Tree(os.Stdout, s.Context.TraceID(), shown); err != nil {
			log.Fatal(err)
		}
	}
	printMetrics(metrics)
}

// printMetrics prints every measurement, without the attributes that all have.
func printMetrics(metrics *llmtest.MetricRecorder) {
	for _, m := range metrics.Measurements() {
		fmt.Print(m.Instrument)
		if !strings.HasSuffix(m.Instrument, ".duration") {
			fmt.Print(" ", m.Value)
		}
		for _, key := range []string{"llmidem.response.source", "gen_ai.token.type", "http.response.status_code", "llmidem.attempt.retry", "error.type"} {
			if v, ok := m.Attr(key); ok {
				fmt.Printf(" %s=%s", key, v.String())
			}
		}
		fmt.Println()
	}
}

// logger writes JSON to standard output, without the time.
func logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}
