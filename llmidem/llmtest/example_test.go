package llmtest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// ask sends one chat and prints what came back.
func ask(client *http.Client, url, prompt, key string) {
	body := fmt.Sprintf(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":%q}]}`, prompt)
	req, err := http.NewRequest(http.MethodPost, url+"/chat/completions", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Idempotency-Key", key)
	res, err := client.Do(req)
	if err != nil {
		fmt.Println("no answer")
		return
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	_, after, _ := strings.Cut(string(answer), `"content":"`)
	text, _, _ := strings.Cut(after, `"`)
	fmt.Println(res.StatusCode, text, res.Header.Get("Idempotent-Replayed"), err)
}

func Example() {
	srv := llmtest.Start(llmtest.InMemory())
	defer srv.Close()

	srv.Next(llmtest.Status(429).RetryAfter(2*time.Second), llmtest.DropAfter())
	for range 3 {
		ask(srv.Client(), srv.URL(), "Why is the sky blue?", "idem_sky")
	}

	l := srv.Ledger()
	fmt.Println(len(l.Requests), "requests,", l.ExecutionsOf("idem_sky"), "executions,", l.Billed().Total(), "tokens")
	// Output:
	// 429   <nil>
	// no answer
	// 200 Answer to: Why is the sky blue?  <nil>
	// 3 requests, 2 executions, 24 tokens
}

func ExampleWithKeys() {
	srv := llmtest.Start(llmtest.InMemory(), llmtest.Sampled(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay}))
	defer srv.Close()

	srv.Next(llmtest.DropAfter())
	ask(srv.Client(), srv.URL(), "Heads or tails?", "idem_coin")
	ask(srv.Client(), srv.URL(), "Heads or tails?", "idem_coin")
	ask(srv.Client(), srv.URL(), "Heads or tails?", "idem_another")
	fmt.Println(srv.Ledger().Executions(), "executions,", srv.Ledger().Replays, "replay")
	// Output:
	// no answer
	// 200 Answer 1 to: Heads or tails? true <nil>
	// 200 Answer 2 to: Heads or tails?  <nil>
	// 2 executions, 1 replay
}

func ExampleServer_Handle() {
	srv := llmtest.Start(llmtest.InMemory())
	defer srv.Close()

	srv.Handle(func(r *llmtest.Request) llmtest.Fault {
		if strings.Contains(r.Prompt, "France") {
			return llmtest.Text("Paris")
		}
		return llmtest.OK()
	})
	ask(srv.Client(), srv.URL(), "The capital of France?", "")
	ask(srv.Client(), srv.URL(), "The capital of Italy?", "")
	// Output:
	// 200 Paris  <nil>
	// 200 Answer to: The capital of Italy?  <nil>
}

func ExampleServer_Transport() {
	srv := llmtest.Start()
	defer srv.Close()

	srv.Next(llmtest.CutEvents(3))
	client := &http.Client{Transport: srv.Transport()}
	body := `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Count."}]}`
	res, err := client.Post(llmtest.MemoryURL+"/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	events, err := io.ReadAll(res.Body)
	fmt.Println(bytes.Count(events, []byte("data: ")), "events, then", err)
	// Output:
	// 3 events, then unexpected EOF
}

func ExampleSpanRecorder_Tree() {
	rec := llmtest.Spans()
	tracer := rec.Tracer("example")

	ctx, call := tracer.Start(context.Background(), "chat gpt-4o-mini", trace.WithAttributes(
		attribute.String("llmidem.idempotency.key", "idem_44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")))
	for i, status := range []int{429, 200} {
		_, attempt := tracer.Start(ctx, "POST", trace.WithAttributes(
			attribute.Int("http.response.status_code", status), attribute.Int("llmidem.attempt.number", i+1)))
		if status != 200 {
			attempt.SetAttributes(attribute.String("error.type", "429"))
			attempt.SetStatus(codes.Error, "429")
		}
		attempt.End()
	}
	call.SetAttributes(attribute.String("llmidem.response.source", "provider"), attribute.Int("gen_ai.usage.output_tokens", 7))
	call.End()

	_, again := tracer.Start(context.Background(), "chat gpt-4o-mini", trace.WithLinks(trace.Link{
		SpanContext: call.SpanContext(), Attributes: []attribute.KeyValue{attribute.String("llmidem.link.type", "origin")}}))
	again.End()

	for _, s := range rec.Named("chat gpt-4o-mini") {
		if err := rec.Tree(os.Stdout, s.Context.TraceID()); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// chat gpt-4o-mini
	// │   llmidem.idempotency.key = idem_44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
	// │   llmidem.response.source = provider
	// │   gen_ai.usage.output_tokens = 7
	// ├── POST (Error: 429)
	// │       llmidem.attempt.number = 1
	// │       http.response.status_code = 429
	// │       error.type = 429
	// └── POST
	//         llmidem.attempt.number = 2
	//         http.response.status_code = 200
	// chat gpt-4o-mini
	//     link origin → chat gpt-4o-mini
}
