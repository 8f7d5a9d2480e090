package peers

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

const (
	llamaScript   = "llama/server.mjs"
	modelVariable = "LLMIDEM_TEST_MODEL"
	once          = "Once upon a time"
)

// model skips a test where no model is named.
func model(t *testing.T) {
	t.Helper()
	name := os.Getenv(modelVariable)
	if name == "" {
		t.Skipf("%s is not set; set it to the path of stories260K.gguf", modelVariable)
	}
	_, err := os.Stat(name)
	require.NoError(t, err, modelVariable)
}

func llama(t *testing.T, args ...string) *peer {
	t.Helper()
	model(t)
	return start(t, llamaScript, args...)
}

// A ledger is what the model's server has seen and done.
type ledger struct {
	Keys             []string `json:"keys"`
	Generations      int      `json:"generations"`
	PromptTokens     int64    `json:"prompt_tokens"`
	CompletionTokens int64    `json:"completion_tokens"`
}

func (l ledger) usage() llmidem.Usage {
	return llmidem.Usage{InputTokens: l.PromptTokens, OutputTokens: l.CompletionTokens}
}

func ledgerOf(t *testing.T, p *peer) (l ledger) {
	t.Helper()
	p.get(t, "/ledger", &l)
	return l
}

func plus(a, b llmidem.Usage) llmidem.Usage {
	return llmidem.Usage{InputTokens: a.InputTokens + b.InputTokens, OutputTokens: a.OutputTokens + b.OutputTokens}
}

// The same call twice is one text through llmidem, paid for once, and two without it.
func TestLlamaTheSameCallTwice(t *testing.T) {
	p := llama(t)
	req, direct := question(once, 64), bare(t, p.url)
	var texts []string
	var drawn llmidem.Usage
	for range 2 {
		res, err := direct.CreateChatCompletion(t.Context(), req)
		require.NoError(t, err)
		texts = append(texts, res.Choices[0].Message.Content)
		drawn = plus(drawn, usage(res.Usage))
	}
	require.NotEqual(t, texts[0], texts[1], "64 tokens drawn twice at a temperature of 1")

	api := over(t, p.url)
	first, err := llmidem.Call(t.Context(), api.CreateChatCompletion, req)
	require.NoError(t, err)
	again, err := llmidem.Call(t.Context(), api.CreateChatCompletion, req)
	require.NoError(t, err)
	require.NotEmpty(t, first.Value.Choices[0].Message.Content)
	require.Equal(t, first.Value.Choices, again.Value.Choices)
	require.Equal(t, []llmidem.Source{llmidem.SourceProvider, llmidem.SourceCache},
		[]llmidem.Source{first.Receipt.Source, again.Receipt.Source})
	require.Positive(t, first.Receipt.Usage.InputTokens)
	require.Positive(t, first.Receipt.Usage.OutputTokens)
	require.Equal(t, first.Receipt.Usage, usage(first.Value.Usage))
	require.Equal(t, first.Receipt.Usage, again.Receipt.Saved)
	require.Zero(t, again.Receipt.Usage)

	other, err := llmidem.Call(t.Context(), api.CreateChatCompletion, req, llmidem.Occurrence(1))
	require.NoError(t, err)
	require.NotEqual(t, first.Value.Choices, other.Value.Choices)

	l := ledgerOf(t, p)
	require.Equal(t, 4, l.Generations)
	require.Equal(t, []string{"", "", first.Receipt.Key.String(), other.Receipt.Key.String()}, l.Keys)
	require.Equal(t, l.usage(), plus(drawn, plus(first.Receipt.Usage, other.Receipt.Usage)))
}

// A stream is given out, and given again, in the bytes that came.
func TestLlamaStreamsByteForByte(t *testing.T) {
	p := llama(t)
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"model":"stories","temperature":1,"max_tokens":48,"stream":true,"stream_options":{"include_usage":true},` +
			`"messages":[{"role":"user","content":"Once upon a time"}]}`,
		"/v1/completions": `{"model":"stories","temperature":1,"max_tokens":48,"stream":true,"stream_options":{"include_usage":true},` +
			`"prompt":"Once upon a time"}`,
	} {
		t.Run(path, func(t *testing.T) {
			below := &tap{RoundTripper: wire(t)}
			c := client(t, providers.OpenAI(), below)
			before := ledgerOf(t, p)
			var paid llmidem.Usage
			for i := range 3 {
				got, r, err := post(t, c, p.url+path, body)
				require.NoError(t, err)
				require.Len(t, below.seen, 1)
				require.Equal(t, below.seen[0].String(), got)
				require.True(t, r.Complete && r.Kept, "%+v", r)
				require.Equal(t, i == 0, r.Paid())
				if i == 0 {
					paid = r.Usage
					require.Positive(t, paid.OutputTokens)
				} else {
					require.Equal(t, paid, r.Saved)
				}
			}
			after := ledgerOf(t, p)
			require.Equal(t, before.Generations+1, after.Generations)
			require.Equal(t, after.usage(), plus(before.usage(), paid))
		})
	}
}

// twenty makes calls at once, each with the options that opts gives it.
func twenty(t *testing.T, p *peer, opts func(i int) []llmidem.CallOption) (texts map[string]int, used llmidem.Usage, paid int) {
	t.Helper()
	api, req := over(t, p.url), question(once, 64)
	var wg sync.WaitGroup
	var mu sync.Mutex
	texts = map[string]int{}
	for i := range 20 {
		wg.Go(func() {
			res, err := llmidem.Call(t.Context(), api.CreateChatCompletion, req, opts(i)...)
			if !assert.NoError(t, err) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			texts[res.Value.Choices[0].Message.Content]++
			used = plus(used, res.Receipt.Usage)
			if res.Receipt.Paid() {
				paid++
			}
		})
	}
	wg.Wait()
	return texts, used, paid
}

// Twenty equal calls at once are one generation, by which all are answered; twenty
// occurrences are as many, each with an answer of its own.
func TestLlamaTwentyAtOnce(t *testing.T) {
	p := llama(t, "--pace", "5")
	texts, used, paid := twenty(t, p, func(int) []llmidem.CallOption { return nil })
	require.Len(t, texts, 1)
	require.Equal(t, 1, paid)
	l := ledgerOf(t, p)
	require.Equal(t, 1, l.Generations)
	require.Len(t, l.Keys, 1)
	require.Equal(t, l.usage(), used)

	texts, more, paid := twenty(t, p, func(i int) []llmidem.CallOption { return []llmidem.CallOption{llmidem.Occurrence(uint64(i))} })
	require.Len(t, texts, 20)
	require.Equal(t, 20, paid)
	l = ledgerOf(t, p)
	require.Equal(t, 21, l.Generations)
	require.Equal(t, l.usage(), plus(used, more))
	slices.Sort(l.Keys)
	require.Len(t, slices.Compact(l.Keys), 20)
}

// A server that is killed in the middle of a stream is an error, never an answer that
// is shorter; the one that comes after it is asked again.
func TestLlamaKilledInTheMiddleOfAStream(t *testing.T) {
	p := llama(t, "--pace", "50")
	api, req := over(t, p.url), question(once, 200)
	req.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	ctx, receipt := llmidem.WithReceipt(t.Context())
	stream, err := api.CreateChatCompletionStream(ctx, req)
	require.NoError(t, err)
	cut := tell(t, stream, func(chunk int) {
		if chunk == 5 {
			p.kill(t)
		}
	})
	require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(cut.err), "%v", cut.err)
	require.Less(t, cut.chunks, 200)
	require.False(t, receipt().Complete || receipt().Kept)

	next := llama(t, "--port", port(t, p))
	ctx, receipt = llmidem.WithReceipt(t.Context())
	stream, err = api.CreateChatCompletionStream(ctx, req)
	require.NoError(t, err)
	whole := tell(t, stream, nothing)
	require.NoError(t, whole.err)
	require.NotEmpty(t, whole.finish)
	require.Equal(t, llmidem.SourceProvider, receipt().Source)
	require.True(t, receipt().Complete && receipt().Kept)
	require.Equal(t, whole.usage, receipt().Usage)
	require.Equal(t, ledger{Keys: []string{receipt().Key.String()}, Generations: 1,
		PromptTokens: whole.usage.InputTokens, CompletionTokens: whole.usage.OutputTokens}, ledgerOf(t, next))
}

// A server that is killed under a call and comes back answers it: the call is made
// again with the same key.
func TestLlamaRestartedUnderACall(t *testing.T) {
	p := llama(t, "--pace", "50")
	api := over(t, p.url, llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: 1000, Budget: 1000, BaseDelay: 10 * time.Millisecond}))
	type outcome struct {
		res llmidem.Result[openai.ChatCompletionResponse]
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		res, err := llmidem.Call(t.Context(), api.CreateChatCompletion, question(once, 200))
		done <- outcome{res, err}
	}()
	for ledgerOf(t, p).Generations == 0 { // until it has begun
		time.Sleep(time.Millisecond)
	}
	key := ledgerOf(t, p).Keys[0]
	p.kill(t)
	next := llama(t, "--port", port(t, p))
	got := <-done
	require.NoError(t, got.err)
	require.NotEmpty(t, got.res.Value.Choices[0].FinishReason)
	require.Greater(t, got.res.Receipt.Attempts, 1)
	require.Equal(t, key, got.res.Receipt.Key.String())
	l := ledgerOf(t, next)
	require.Equal(t, []string{key}, l.Keys)
	require.Equal(t, 1, l.Generations)
}

func port(t *testing.T, p *peer) string {
	u, err := url.Parse(p.url)
	require.NoError(t, err)
	return u.Port()
}

// What is no failure of the way is the server's to say: how an answer ended, and what
// it refuses.
func TestLlamaEndsAndRefusals(t *testing.T) {
	p := llama(t)
	api := over(t, p.url)
	long, err := llmidem.Call(t.Context(), api.CreateChatCompletion, question(once, 8))
	require.NoError(t, err)
	require.Equal(t, openai.FinishReasonLength, long.Value.Choices[0].FinishReason)
	require.EqualValues(t, 8, long.Receipt.Usage.OutputTokens)

	stopping := question(once, 400)
	stopping.Stop = []string{"."}
	ended, err := llmidem.Call(t.Context(), api.CreateChatCompletion, stopping)
	require.NoError(t, err)
	require.Equal(t, openai.FinishReasonStop, ended.Value.Choices[0].FinishReason)
	require.NotContains(t, ended.Value.Choices[0].Message.Content, ".")

	huge := question(once, 8)
	for range 8 {
		huge.Messages = append(huge.Messages, huge.Messages...)
	}
	for range 2 { // is not kept, either
		res, err := llmidem.Call(t.Context(), api.CreateChatCompletion, huge)
		var own *openai.APIError
		require.ErrorAs(t, err, &own)
		require.Equal(t, http.StatusBadRequest, own.HTTPStatusCode)
		require.Equal(t, "context_length_exceeded", own.Code)
		require.Equal(t, 1, res.Receipt.Attempts)
	}
	require.Equal(t, 2, ledgerOf(t, p).Generations)
	require.Len(t, ledgerOf(t, p).Keys, 4)
}
