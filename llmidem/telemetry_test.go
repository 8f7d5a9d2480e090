package llmidem_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// attrs are a span's attributes as text.
func attrs(s llmtest.Span) map[string]string {
	m := map[string]string{}
	for _, kv := range s.Attributes {
		m[string(kv.Key)] = kv.Value.String()
	}
	return m
}

func links(s llmtest.Span) map[string]trace.SpanID {
	m := map[string]trace.SpanID{}
	for _, l := range s.Links {
		for _, kv := range l.Attributes {
			if kv.Key == "llmidem.link.type" {
				m[kv.Value.AsString()] = l.SpanContext.SpanID()
			}
		}
	}
	return m
}

func TestSpans_FirstSuccess(t *testing.T) {
	b := newBench(t)
	req := chat("x")
	req.Temperature, req.MaxCompletionTokens = 0.5, 100
	res, err := llmidem.Call(context.Background(), b.api.CreateChatCompletion, req)
	require.NoError(t, err)
	call := b.spans.Named("chat gpt-4o-mini")[0]
	require.Equal(t, trace.SpanKindClient, call.Kind)
	require.Equal(t, codes.Unset, call.Status)
	require.Equal(t, llmidem.ScopeName, call.Scope)
	got := attrs(call)
	for name, want := range map[string]string{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "llmtest", "gen_ai.request.model": "gpt-4o-mini",
		"gen_ai.request.temperature": "0.5", "gen_ai.request.max_tokens": "100", "server.address": "llmtest.invalid", "server.port": "80",
		"llmidem.idempotency.key": res.Receipt.Key.String(), "llmidem.response.source": "provider", "llmidem.attempt.count": "1",
		"gen_ai.response.finish_reasons": `["stop"]`, "gen_ai.response.model": "gpt-4o-mini", "gen_ai.response.id": res.Value.ID,
		"gen_ai.usage.input_tokens": "1", "gen_ai.usage.output_tokens": "3",
	} {
		require.Equal(t, want, got[name], name)
	}
	for _, absent := range []string{"error.type", "llmidem.tokens.saved.input", "llmidem.cache.age", "gen_ai.request.stream", "gen_ai.conversation.id", "gen_ai.system"} {
		require.NotContains(t, got, absent)
	}
	attempt := b.spans.Named("POST")[0]
	require.Equal(t, call.Context.SpanID(), attempt.Parent.SpanID())
	got = attrs(attempt)
	for name, want := range map[string]string{
		"http.request.method": "POST", "url.full": "http://llmtest.invalid/v1/chat/completions", "http.response.status_code": "200",
		"llmidem.attempt.number": "1", "http.request.header.idempotency-key": `["` + res.Receipt.Key.String() + `"]`,
	} {
		require.Equal(t, want, got[name], name)
	}
	for name := range got {
		require.NotContains(t, name, "gen_ai.", "backends would count the cost twice")
	}
	require.NotContains(t, got, "http.request.resend_count")
}

func TestSpans_RetryThenSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Status(503).RetryAfter(2*time.Second), llmtest.OK())
		b.mustAsk("x")
		call := b.spans.Named("chat gpt-4o-mini")[0]
		require.Equal(t, codes.Unset, call.Status, "a retry that succeeds is no error")
		require.NotContains(t, attrs(call), "error.type")
		require.Equal(t, "2", attrs(call)["llmidem.attempt.count"])
		attempts := b.spans.Named("POST")
		require.Len(t, attempts, 2)
		require.Equal(t, codes.Error, attempts[0].Status)
		require.Equal(t, "503", attrs(attempts[0])["error.type"])
		require.Equal(t, "refused", attrs(attempts[0])["llmidem.attempt.class"])
		require.Equal(t, "1", attrs(attempts[1])["http.request.resend_count"])
		require.Equal(t, "2", attrs(attempts[1])["llmidem.retry.delay"])
		require.Equal(t, codes.Unset, attempts[1].Status)
		line := b.logs.with("attempt failed; retrying")
		require.Len(t, line, 1)
		for _, text := range []string{"WARN", "llmidem.attempt.number=1", "error.type=503", "llmidem.retry.delay=2", "llmidem.idempotency.key=idem_", "trace_id=" + call.Context.TraceID().String(), "span_id="} {
			require.Contains(t, line[0], text)
		}
	})
}

func TestSpans_RecalledAndWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Delay(time.Second))
		b.askAll(2, "x")
		time.Sleep(time.Minute)
		b.mustAsk("x")
		bySource := map[string]llmtest.Span{}
		for _, s := range b.spans.Named("chat gpt-4o-mini") {
			bySource[attrs(s)["llmidem.response.source"]] = s
		}
		paid, waited, recalled := bySource["provider"], bySource["coalesced"], bySource["cache"]
		require.Equal(t, paid.Context.SpanID(), links(waited)["leader"])
		require.Equal(t, paid.Context.SpanID(), links(recalled)["origin"])
		for _, s := range []llmtest.Span{waited, recalled} {
			got := attrs(s)
			require.Equal(t, "0", got["llmidem.attempt.count"])
			require.Equal(t, attrs(paid)["gen_ai.usage.output_tokens"], got["llmidem.tokens.saved.output"])
			require.NotContains(t, got, "gen_ai.usage.output_tokens", "only when this call paid")
		}
		require.Equal(t, "60", attrs(recalled)["llmidem.cache.age"])
		require.NotContains(t, attrs(paid), "llmidem.tokens.saved.output")
		require.Len(t, b.spans.Named("POST"), 1)
		require.Len(t, b.logs.with("INFO reused answer"), 2)
		require.Contains(t, b.logs.with("source=cache")[0], "origin_trace_id="+paid.Context.TraceID().String())
	})
}

func TestSpans_ReplayByTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Class: llmidem.Replay})))
		b.srv.Next(llmtest.DropAfter(), llmtest.OK())
		b.mustAsk("x")
		call := attrs(b.spans.Named("chat gpt-4o-mini")[0])
		require.Equal(t, "replay", call["llmidem.response.source"])
		require.Equal(t, "2", call["llmidem.attempt.count"])
		require.Equal(t, `["true"]`, attrs(b.spans.Named("POST")[1])["http.response.header.idempotent-replayed"])
		require.Contains(t, call, "llmidem.tokens.saved.output")
		require.Contains(t, call, "gen_ai.usage.output_tokens", "after an attempt of unknown outcome of this same call it is paid as well")
	})
}

func TestSpans_Failure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Status(500).Message("secret").Delay(time.Second) })
		b.askAll(2, "x")
		spans := b.spans.Named("chat gpt-4o-mini")
		require.Len(t, spans, 2)
		for _, s := range spans {
			require.Equal(t, codes.Error, s.Status)
			require.Equal(t, "500", attrs(s)["error.type"])
			require.NotContains(t, s.Description, "secret")
			require.NotContains(t, attrs(s), "gen_ai.usage.output_tokens")
		}
		require.Len(t, b.logs.with("WARN call failed"), 2)
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.DropBefore() })
		_, err := b.ask(context.Background(), "x")
		require.Error(t, err)
		require.Equal(t, "connection_error", attrs(b.spans.Named("chat gpt-4o-mini")[0])["error.type"])
		_, err = b.ask(context.Background(), "x", llmidem.Key(""))
		require.Error(t, err)
		require.NotEmpty(t, b.spans.With("error.type", "invalid"))
	})
}

// Nothing of prompt, answer, credential or query is in spans and logs.
func TestTelemetry_HoldsNoSecrets(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.Text("the-answer"), llmtest.Status(400).Message("the-answer"))
	for _, prompt := range []string{"the-prompt", "the-prompt too"} {
		req := b.request("/chat/completions", chatBody(prompt))
		req.URL.RawQuery = "key=the-query"
		req.Header.Set("Authorization", "Bearer the-credential")
		b.read(b.client.RoundTrip(req))
	}
	all := b.logs.all()
	for _, s := range b.spans.Spans() {
		raw, err := json.Marshal(attrs(s))
		require.NoError(t, err)
		all += s.Name + s.Description + string(raw)
	}
	for _, secret := range []string{"the-prompt", "the-answer", "the-query", "the-credential"} {
		require.NotContains(t, all, secret)
	}
	require.Contains(t, all, "idem_")
}

func TestTelemetry_Options(t *testing.T) {
	b := newBench(t, llmidem.WithAttemptSpans(false), llmidem.WithPropagators(propagation.TraceContext{}))
	b.mustAsk("x")
	require.Empty(t, b.spans.Named("POST"))
	call := b.spans.Named("chat gpt-4o-mini")[0]
	sent := b.srv.Ledger().Requests[0].Header.Get("Traceparent")
	require.Contains(t, sent, call.Context.TraceID().String())
	require.Contains(t, sent, call.Context.SpanID().String())
}

func TestNewLogHandler(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(llmidem.NewLogHandler(slog.NewJSONHandler(&out, nil))).With("app", "x").WithGroup("g")
	ctx, span := llmtest.Spans().Tracer("t").Start(context.Background(), "s")
	log.InfoContext(ctx, "with")
	require.Contains(t, out.String(), span.SpanContext().TraceID().String())
	require.Contains(t, out.String(), span.SpanContext().SpanID().String())
	out.Reset()
	log.InfoContext(context.Background(), "without")
	require.NotContains(t, out.String(), "trace_id")
	out.Reset()
	log.InfoContext(ctx, "own", "trace_id", "mine")
	require.NotContains(t, out.String(), span.SpanContext().TraceID().String())
}

// The attempt's context is a child of the call's, in the transport below too.
func TestSpans_TransportBelowIsInside(t *testing.T) {
	b := newBench(t)
	var inside trace.SpanContext
	var once sync.Once
	client := b.client.Over(roundTrip(func(req *http.Request) (*http.Response, error) {
		once.Do(func() { inside = trace.SpanContextFromContext(req.Context()) })
		return b.srv.Transport().RoundTrip(req)
	}))
	b.read(client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
	require.Equal(t, b.spans.Named("POST")[0].Context.SpanID(), inside.SpanID())
}

func TestWithCaptureContent(t *testing.T) {
	b := newBench(t, llmidem.WithCaptureContent(true))
	b.srv.Next(llmtest.Text("the answer"))
	text := `{"model":"m","messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"look"},` +
		`{"type":"image_url","image_url":{"url":"https://x.invalid/secret.png"}}]},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
		`{"role":"tool","tool_call_id":"t1","content":"42"}]}`
	b.read(b.client.RoundTrip(b.request("/chat/completions", text)))
	got := attrs(b.spans.Named("chat m")[0])
	require.JSONEq(t, `[{"role":"system","parts":[{"type":"text","content":"be brief"}]},`+
		`{"role":"user","parts":[{"type":"text","content":"look"},{"type":"image_url"}]},`+
		`{"role":"assistant","parts":[{"type":"tool_call","id":"t1","name":"f","arguments":"{}"}]},`+
		`{"role":"tool","parts":[{"type":"tool_call_response","id":"t1","response":"42"}]}]`, got["gen_ai.input.messages"])
	require.JSONEq(t, `[{"role":"assistant","parts":[{"type":"text","content":"the answer"}],"finish_reason":"stop"}]`, got["gen_ai.output.messages"])
	require.NotContains(t, got["gen_ai.input.messages"], "secret")
}

// A *url.Error from below would print Gemini's ?key= in every log.
func TestErrors_HoldNoURL(t *testing.T) {
	b := newBench(t, llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: 1}))
	cause := errors.New("cause")
	client := b.client.Over(roundTrip(func(req *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: req.URL.String(), Err: cause}
	}))
	req := b.request("/chat/completions", chatBody("x"))
	req.URL.RawQuery = "key=the-query"
	_, err := client.Do(req)
	require.ErrorIs(t, err, cause)
	for e := err; e != nil; e = errors.Unwrap(e) {
		require.NotContains(t, e.Error(), "the-query")
	}
}
