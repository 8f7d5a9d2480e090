package llmidem_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestP1_FingerprintMismatchIsConflict(t *testing.T) {
	key := "order-17"
	t.Run("recorded", func(t *testing.T) {
		b := newBench(t)
		b.mustAsk("one", llmidem.Key(key))
		_, err := b.ask(context.Background(), "two", llmidem.Key(key))
		require.Equal(t, llmidem.CodeConflict, llmidem.CodeOf(err))
		require.Equal(t, 1, b.srv.Ledger().Executions())
	})
	t.Run("in flight", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(llmtest.Delay(time.Second))
			first := make(chan error)
			go func() { _, err := b.ask(context.Background(), "one", llmidem.Key(key)); first <- err }()
			synctest.Wait()
			_, err := b.ask(context.Background(), "two", llmidem.Key(key))
			require.Equal(t, llmidem.CodeConflict, llmidem.CodeOf(err))
			require.NoError(t, <-first)
			require.Equal(t, 1, b.srv.Ledger().Executions())
		})
	})
	t.Run("in doubt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(llmtest.HTML())
			_, err := b.ask(context.Background(), "one", llmidem.Key(key))
			require.Error(t, err)
			_, err = b.ask(context.Background(), "two", llmidem.Key(key))
			require.Equal(t, llmidem.CodeConflict, llmidem.CodeOf(err))
		})
	})
	t.Run("one option for two calls", func(t *testing.T) {
		b := newBench(t, llmidem.WithRecall(llmidem.RecallOff))
		option := llmidem.Key(key)
		b.mustAsk("one", option)
		b.mustAsk("one", option)
		_, err := b.ask(context.Background(), "two", option)
		require.Equal(t, llmidem.CodeConflict, llmidem.CodeOf(err))
	})
}

func TestP4_Bounds(t *testing.T) {
	t.Run("entries", func(t *testing.T) {
		b := newBench(t, llmidem.Config{CacheCapacity: 2})
		for _, p := range []string{"a", "b", "c", "a"} {
			b.mustAsk(p)
		}
		require.Equal(t, 4, b.srv.Ledger().Executions())
		require.Equal(t, llmidem.SourceCache, b.mustAsk("c").Receipt.Source)
	})
	t.Run("bytes", func(t *testing.T) {
		b := newBench(t, llmidem.Config{CacheBytes: 1500})
		for _, p := range []string{"a", "b", "c", "a"} {
			b.mustAsk(p)
		}
		require.Equal(t, 4, b.srv.Ledger().Executions())
	})
}

// P6: what has expired is executed anew, and the receipt says so.
func TestP6_AfterTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{CacheTTL: time.Minute})
		b.mustAsk("a")
		time.Sleep(59 * time.Second)
		r := b.mustAsk("a").Receipt
		require.Equal(t, llmidem.SourceCache, r.Source)
		require.Equal(t, 59*time.Second, r.Age)
		time.Sleep(2 * time.Second)
		r = b.mustAsk("a").Receipt
		require.Equal(t, llmidem.SourceProvider, r.Source)
		require.Zero(t, r.Age)
		require.Equal(t, 2, b.srv.Ledger().Executions())
	})
}

func TestP5_EmptyCompletionReplaysExactly(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.Text(""))
	first := b.mustAsk("nothing")
	require.Empty(t, first.Value.Choices[0].Message.Content)
	second := b.mustAsk("nothing")
	require.Equal(t, llmidem.SourceCache, second.Receipt.Source)
	require.Equal(t, first.Value.Choices, second.Value.Choices)
}

// What is not a whole answer is given out as it came, and never again.
func TestP7_NeverKept(t *testing.T) {
	portkey := llmtest.Status(246).Body("application/json", `{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"x"}}]}`)
	for name, fault := range map[string]llmtest.Fault{
		"cut JSON": llmtest.CutJSON(), "HTML with 200": llmtest.HTML(), "JSON error with 200": llmtest.ErrorOK(),
		"no finish reason": llmtest.NoFinish(), "Portkey's 246": portkey, "error status": llmtest.Status(400),
		"empty body": llmtest.Reply("application/json", ""), "text": llmtest.Reply("text/plain", "rate limited"),
		"null": llmtest.Reply("application/json", "null"), "no choices": llmtest.Reply("application/json", `{"choices":[]}`),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(fault)
			first := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
			require.NotEqual(t, llmidem.SourceCache, first.source)
			second := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
			require.Equal(t, string(llmidem.SourceProvider), second.source, "what is not whole is not recalled")
			third := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
			require.Equal(t, string(llmidem.SourceCache), third.source)
			require.Equal(t, second.body, third.body)
		})
	}
}

func TestP7a_OneOfTwoChoices(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.MissingChoice())
	req := chat("two")
	req.N = 2
	ask := func() llmidem.Result[openai.ChatCompletionResponse] {
		res, err := llmidem.Call(context.Background(), b.api.CreateChatCompletion, req)
		require.NoError(t, err)
		return res
	}
	first := ask()
	require.Len(t, first.Value.Choices, 1, "as plain go-openai would return it")
	require.False(t, first.Receipt.Complete || first.Receipt.Kept)
	second := ask()
	require.Equal(t, llmidem.SourceProvider, second.Receipt.Source)
	require.Len(t, second.Value.Choices, 2)
	require.Equal(t, llmidem.SourceCache, ask().Receipt.Source)
}

// What is given out of a status-200 answer that is not whole is byte for byte
// what a bare transport gives.
func TestP7_AsWithoutUs(t *testing.T) {
	for _, fault := range []llmtest.Fault{llmtest.CutJSON(), llmtest.HTML(), llmtest.ErrorOK(), llmtest.NoFinish(),
		llmtest.Status(400).Header("X-Ratelimit-Limit-Requests", "5"), llmtest.Status(404)} {
		t.Run(fault.String(), func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(fault)
			ours := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
			other := newBench(t)
			other.srv.Next(fault)
			bare := other.read(other.srv.Transport().RoundTrip(other.request("/chat/completions", chatBody("x"))))
			require.Equal(t, bare.status, ours.status)
			require.Equal(t, bare.body, ours.body)
			for name := range bare.header {
				if name != "Date" && name != "X-Request-Id" {
					require.Equal(t, bare.header[name], ours.header[name], name)
				}
			}
		})
	}
}

func TestP7b_CompressedAnswers(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := io.WriteString(w, `{"id":"c1","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"zipped"}}]}`)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, tt := range map[string]struct {
		body string
		kept bool
	}{"whole": {zipped.String(), true}, "cut": {zipped.String()[:zipped.Len()-6], false}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(llmtest.Reply("application/json", tt.body).Header("Content-Encoding", "gzip"))
			first := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
			require.Equal(t, tt.body, first.body)
			second := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
			require.Equal(t, tt.kept, second.source == string(llmidem.SourceCache))
			if tt.kept {
				require.Equal(t, tt.body, second.body)
				require.Equal(t, "gzip", second.header.Get("Content-Encoding"))
			}
		})
	}
}

func TestP8_EachCallerHasItsOwnCopy(t *testing.T) {
	b := newBench(t)
	first := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
	resp, err := b.client.RoundTrip(b.request("/chat/completions", chatBody("x")))
	require.NoError(t, err)
	resp.Header.Set("Content-Type", "text/mutated")
	_, err = io.Copy(scribbler{}, resp.Body)
	require.NoError(t, err)
	third := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
	require.Equal(t, first.body, third.body)
	require.Equal(t, first.header.Get("Content-Type"), third.header.Get("Content-Type"))
}

// scribbler changes what it is given to write.
type scribbler struct{}

func (scribbler) Write(p []byte) (int, error) {
	for i := range p {
		//lint:ignore SA1023 a Writer that does what it must not is what is tested
		p[i] = 'x'
	}
	return len(p), nil
}

func TestP9_TenantsAreApart(t *testing.T) {
	b := newBench(t)
	other := b.apiOver(b.client, "sk-other")
	b.mustAsk("secret")
	res, err := llmidem.Call(context.Background(), other.CreateChatCompletion, chat("secret"))
	require.NoError(t, err)
	require.Equal(t, llmidem.SourceProvider, res.Receipt.Source)
	require.Equal(t, 2, b.srv.Ledger().Executions())
	require.Len(t, b.logs.with("second account"), 1)
	require.NotContains(t, b.logs.all(), "sk-")
}

// A rotated credential keeps its answers under WithTenant.
func TestP9a_RotatedCredential(t *testing.T) {
	b := newBench(t, llmidem.WithTenant("acme"))
	rotated := b.apiOver(b.client, "sk-next")
	b.mustAsk("shared")
	res, err := llmidem.Call(context.Background(), rotated.CreateChatCompletion, chat("shared"))
	require.NoError(t, err)
	require.Equal(t, llmidem.SourceCache, res.Receipt.Source)
	require.Empty(t, b.logs.with("second account"))
}

func TestP11_HeadersOfTheFirstAnswer(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.OK().Header("Set-Cookie", "session=1").Header("X-Ratelimit-Remaining-Requests", "7").Header("Llmidem-Source", "forged").Header("Llmidem-Other", "forged").Header("Idempotent-Replayed", "true"))
	first := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
	require.Equal(t, "session=1", first.header.Get("Set-Cookie"))
	require.Equal(t, "7", first.header.Get("X-Ratelimit-Remaining-Requests"))
	require.Equal(t, "provider", first.source, "an inbound Llmidem-Source is stripped")
	require.Empty(t, first.header.Get("Llmidem-Other"))
	require.Empty(t, first.header.Get("Idempotent-Replayed"), "believed only from a provider that replays")
	second := b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x"))))
	require.Equal(t, "cache", second.source)
	require.Equal(t, "true", second.header.Get("Idempotent-Replayed"))
	require.Empty(t, second.header.Get("Set-Cookie"))
	require.Empty(t, second.header.Get("X-Ratelimit-Remaining-Requests"))
	require.Empty(t, second.header.Get("Date"))
	require.Equal(t, first.header.Get("X-Request-Id"), second.header.Get("X-Request-Id"))
	require.Equal(t, first.header.Get("Idempotency-Key"), second.header.Get("Idempotency-Key"))
	require.NotEmpty(t, second.header.Get("Idempotency-Key"))
}

func TestK16a_BestOfFive(t *testing.T) {
	for _, tt := range []struct {
		name    string
		policy  llmidem.RecallPolicy
		opts    func(i int) []llmidem.CallOption
		answers int
		warns   int
	}{
		{"always", llmidem.RecallAlways, nil, 1, 1},
		{"always, with occurrences", llmidem.RecallAlways, func(i int) []llmidem.CallOption { return []llmidem.CallOption{llmidem.Occurrence(uint64(i))} }, 5, 0},
		{"always, fresh", llmidem.RecallAlways, func(int) []llmidem.CallOption { return []llmidem.CallOption{llmidem.Fresh()} }, 5, 0},
		{"always, in a scope", llmidem.RecallAlways, func(int) []llmidem.CallOption { return []llmidem.CallOption{llmidem.Scope("job")} }, 1, 0},
		{"undelivered", llmidem.RecallUndelivered, nil, 5, 0},
		{"undelivered, in a scope", llmidem.RecallUndelivered, func(int) []llmidem.CallOption { return []llmidem.CallOption{llmidem.Scope("job")} }, 1, 0},
		{"off", llmidem.RecallOff, nil, 5, 0},
		{"always, without recall", llmidem.RecallAlways, func(int) []llmidem.CallOption { return []llmidem.CallOption{llmidem.NoRecall()} }, 5, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()), llmidem.WithRecall(tt.policy))
			texts := map[string]bool{}
			for i := range 5 {
				var opts []llmidem.CallOption
				if tt.opts != nil {
					opts = tt.opts(i)
				}
				texts[b.mustAsk("draw", opts...).Value.Choices[0].Message.Content] = true
			}
			require.Len(t, texts, tt.answers)
			require.Len(t, b.logs.with("given a second time"), tt.warns)
		})
	}
}

func TestRecallUndelivered_KeepsWhatNobodyGot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()), llmidem.WithRecall(llmidem.RecallUndelivered))
		b.srv.Next(llmtest.Delay(3 * time.Second))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := b.ask(ctx, "draw")
		require.Equal(t, llmidem.CodeInProgress, llmidem.CodeOf(err))
		time.Sleep(5 * time.Second)
		require.Equal(t, llmidem.SourceCache, b.mustAsk("draw").Receipt.Source, "nobody had it yet")
		require.Equal(t, llmidem.SourceProvider, b.mustAsk("draw").Receipt.Source, "now somebody has")
		require.Equal(t, 2, b.srv.Ledger().Executions())
	})
}

// Equal callers at the same time draw an answer each, while one that asks again
// after its timeout gets the one that is under way.
func TestRecallUndelivered_AtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()), llmidem.WithRecall(llmidem.RecallUndelivered))
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Delay(3 * time.Second) })
		texts := map[string]bool{}
		for _, o := range b.askAll(5, "draw") {
			require.NoError(t, o.err)
			texts[o.res.Value.Choices[0].Message.Content] = true
		}
		require.Len(t, texts, 5)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := b.ask(ctx, "lost")
		require.Error(t, err)
		b.mustAsk("lost")
		require.Equal(t, 6, b.srv.Ledger().Executions())
	})
}

// An SDK that asks again inside one call gets what it had.
func TestRecallUndelivered_RetryOfTheSDK(t *testing.T) {
	b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.Sampled()), llmidem.WithRecall(llmidem.RecallUndelivered))
	twice := func(ctx context.Context, req openai.ChatCompletionRequest) (openai.ChatCompletionResponse, error) {
		if _, err := b.api.CreateChatCompletion(ctx, req); err != nil {
			return openai.ChatCompletionResponse{}, err
		}
		return b.api.CreateChatCompletion(ctx, req)
	}
	res, err := llmidem.Call(context.Background(), twice, chat("draw"))
	require.NoError(t, err)
	require.Equal(t, 1, b.srv.Ledger().Executions())
	require.Equal(t, 1, res.Receipt.Calls)
	require.Equal(t, 1, res.Receipt.Attempts)
}

func TestNotRecalled_StateAtTheProvider(t *testing.T) {
	for _, member := range []string{`"conversation":"conv_1"`, `"background":true`} {
		b := newBench(t)
		text := `{"model":"m","input":"x",` + member + `}`
		for range 2 {
			require.Equal(t, "provider", b.read(b.client.RoundTrip(b.request("/responses", text))).source)
		}
		require.Len(t, b.srv.Ledger().Bodies(), 2)
	}
}

// Not drawn: embeddings are given again under RecallUndelivered too.
func TestRecallUndelivered_Embeddings(t *testing.T) {
	b := newBench(t, llmidem.WithRecall(llmidem.RecallUndelivered))
	for i := range 3 {
		res, err := llmidem.Call(context.Background(), b.api.CreateEmbeddings,
			openai.EmbeddingRequestConverter(openai.EmbeddingRequest{Model: "text-embedding-3-small", Input: []string{"a", "b"}}))
		require.NoError(t, err)
		require.Equal(t, i == 0, res.Receipt.Paid(), strconv.Itoa(i))
	}
}

func TestP7_ResponsesThatFailedOrWait(t *testing.T) {
	for status, doubt := range map[string]bool{"failed": false, "cancelled": false, "queued": true, "in_progress": true} {
		t.Run(status, func(t *testing.T) {
			b := newBench(t, llmidem.Config{OnUnknown: llmidem.Fail})
			b.srv.Next(llmtest.Reply("application/json", `{"id":"r1","object":"response","status":"`+status+`","output":[]}`))
			text := `{"model":"m","input":"x"}`
			require.Equal(t, "provider", b.read(b.client.RoundTrip(b.request("/responses", text))).source)
			resp, err := b.client.RoundTrip(b.request("/responses", text))
			if doubt { // it may yet be executed
				require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
				return
			}
			require.Equal(t, "provider", b.read(resp, err).source, "the provider has said that it is over")
		})
	}
}

// What a call that ended without an answer leaves behind: doubt, where it may
// have been executed, and nothing where it was not.
func TestOnUnknown_WhatIsInDoubt(t *testing.T) {
	for name, tt := range map[string]struct {
		fault llmtest.Fault
		doubt bool
	}{
		"400":            {llmtest.Status(400), false},
		"429":            {llmtest.Status(429), false},
		"504":            {llmtest.Status(504), true},
		"HTML with 200":  {llmtest.HTML(), true},
		"cut":            {llmtest.DropMiddle(), true},
		"over the limit": {llmtest.Text(strings.Repeat("long ", 1000)), false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, llmidem.Config{OnUnknown: llmidem.Fail, MaxEntry: 2000}, llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: 1}))
			b.srv.Next(tt.fault)
			_, first := b.ask(context.Background(), "x")
			_ = first // of any kind
			_, err := b.ask(context.Background(), "x")
			if tt.doubt {
				require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// P7b: of an answer that is no JSON only the framing proves the end.
func TestP7b_Speech(t *testing.T) {
	chunked := []string{"chunked"}
	for name, tt := range map[string]struct {
		kind     string
		length   int64
		encoding []string
		kept     bool
	}{
		"with a length": {"audio/mpeg", 5, nil, true}, "chunked": {"audio/mpeg", -1, chunked, true},
		"until the connection closes": {"audio/mpeg", -1, nil, false}, "an error page": {"text/html", 5, nil, false},
		"an error": {"application/json", 5, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			sends := 0
			client := b.client.Over(roundTrip(func(req *http.Request) (*http.Response, error) {
				sends++
				return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, ContentLength: tt.length, TransferEncoding: tt.encoding,
					Header: http.Header{"Content-Type": {tt.kind}}, Body: io.NopCloser(body("audio"))}, nil
			}))
			for range 2 {
				got := b.read(client.RoundTrip(b.request("/audio/speech", `{"model":"tts-1","input":"x","voice":"alloy"}`)))
				require.Equal(t, "audio", got.body)
			}
			require.Equal(t, tt.kept, sends == 1)
		})
	}
}
