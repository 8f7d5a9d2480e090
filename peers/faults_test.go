package peers

import (
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// scripted is go-openai over llmidem over a script of faults.
func scripted(t *testing.T, p *peer, faults []fault, opts ...llmidem.Option) *goopenai.Client {
	t.Helper()
	s := &script{RoundTripper: wire(t), t: t, p: p, faults: faults}
	return goopenai.New(at(p.url), client(t, providers.OpenAI(), s, opts...))
}

// Each of aimock's faults is survived, and every attempt arrives with the same key.
func TestAimockFaultsAreSurvived(t *testing.T) {
	for _, faults := range [][]fault{
		nil,
		{drop},
		{limit},
		{disconnect},
		{status(408)},
		{status(500), status(502), status(503), status(504)},
		{status(529)},
		{drop, disconnect, status(504), drop, disconnect, status(529)},
		repeat(disconnect, 10),
	} {
		t.Run("after "+title(faults), func(t *testing.T) {
			p := aimock(t, fixture("hello", "Hello yourself.", nil))
			api := scripted(t, p, faults, llmidem.WithRetry(quick))
			for i := range 2 {
				res, err := llmidem.Call(t.Context(), api.CreateChatCompletion, question("hello", 64))
				require.NoError(t, err)
				require.Equal(t, "Hello yourself.", res.Value.Choices[0].Message.Content)
				r := res.Receipt
				require.Equal(t, []int{len(faults) + 1, 0}[i], r.Attempts)
				require.Equal(t, fixed, []llmidem.Usage{r.Usage, r.Saved}[i])
				requireCommitted(t, p, faults, true)
				for _, key := range keys(t, p) {
					require.Equal(t, r.Key.String(), key)
				}
			}
		})
	}
}

// Latency is no failure: the call waits.
func TestAimockLatency(t *testing.T) {
	p := aimock(t, fixture("hello", "Hello yourself.", nil))
	res, err := llmidem.Call(t.Context(), scripted(t, p, []fault{latency}).CreateChatCompletion, question("hello", 64))
	require.NoError(t, err)
	require.Equal(t, 1, res.Receipt.Attempts)
	require.Len(t, journal(t, p), 1)
}

// With the default policy a call is made again twice where it may have been executed,
// and what is final is told at once.
func TestAimockFaultsThatAreTold(t *testing.T) {
	for _, c := range []struct {
		faults   []fault
		attempts int
	}{
		{repeat(disconnect, 5), 3},
		{[]fault{status(400)}, 1},
		{[]fault{status(401)}, 1},
		{[]fault{status(404)}, 1},
		{[]fault{status(422)}, 1},
	} {
		t.Run(title(c.faults), func(t *testing.T) {
			p := aimock(t, fixture("hello", "Hello yourself.", nil))
			api := scripted(t, p, c.faults, llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: quick.BaseDelay}))
			res, err := llmidem.Call(t.Context(), api.CreateChatCompletion, question("hello", 64))
			require.Error(t, err)
			require.Equal(t, c.attempts, res.Receipt.Attempts)
			require.False(t, res.Receipt.Kept)
			if code := c.faults[0].code; code != 0 {
				var own *openai.APIError
				require.ErrorAs(t, err, &own)
				require.Equal(t, code, own.HTTPStatusCode)
			}
			requireCommitted(t, p, c.faults[:c.attempts], false)
			for _, key := range keys(t, p) {
				require.Equal(t, res.Receipt.Key.String(), key)
			}
		})
	}
}

// What has status 200 and is no answer is the SDK's to refuse, and for the next who
// asks it is as if it had not been.
func TestAimockMalformed(t *testing.T) {
	p := aimock(t, fixture("hello", "Hello yourself.", nil))
	api := scripted(t, p, []fault{malformed})
	res, err := llmidem.Call(t.Context(), api.CreateChatCompletion, question("hello", 64))
	require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(err), "%v", err)
	require.Equal(t, 1, res.Receipt.Attempts)
	require.False(t, res.Receipt.Complete || res.Receipt.Kept)
	again, err := llmidem.Call(t.Context(), api.CreateChatCompletion, question("hello", 64))
	require.NoError(t, err)
	require.Equal(t, "Hello yourself.", again.Value.Choices[0].Message.Content)
	require.True(t, again.Receipt.Paid() && again.Receipt.Complete && again.Receipt.Kept)
	requireCommitted(t, p, []fault{malformed}, true)
}

// As a stream go-openai alone reads it as one without events; llmidem says that it is
// no answer.
func TestAimockMalformedStream(t *testing.T) {
	p := aimock(t, fixture("hello", "Hello yourself.", nil))
	api := scripted(t, p, []fault{malformed})
	for i, want := range []string{"", "Hello yourself."} {
		ctx, receipt := llmidem.WithReceipt(t.Context())
		stream, err := api.CreateChatCompletionStream(ctx, question("hello", 64))
		require.NoError(t, err)
		told := tell(t, stream, nothing)
		require.Equal(t, want, told.text.String())
		if i == 0 { // go-openai alone reads an empty answer
			require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(told.err))
		}
		require.True(t, receipt().Paid())
		require.Equal(t, i == 1, receipt().Complete)
		require.Equal(t, i == 1, receipt().Kept)
	}
	requireCommitted(t, p, []fault{malformed}, true)
}

// A stream that aimock breaks off is an error, and nothing is kept of it: who asks
// again gets a whole one, and from then on that.
func TestAimockStreamsThatBreakOff(t *testing.T) {
	const text = "It was a dark and stormy night, and the rain fell in torrents."
	for name, breaks := range map[string]map[string]any{
		"after some chunks": {"truncateAfterChunks": 4, "latency": 20},
		"after some time":   {"disconnectAfterMs": 700, "latency": 200},
	} {
		t.Run(name, func(t *testing.T) {
			p := aimock(t, fixture("story", text, breaks))
			api, req := over(t, p.url), question("story", 64)
			req.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
			ctx, receipt := llmidem.WithReceipt(t.Context())
			stream, err := api.CreateChatCompletionStream(ctx, req)
			require.NoError(t, err)
			cut := tell(t, stream, nothing)
			require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(cut.err), "%v", cut.err)
			require.Contains(t, text, cut.text.String())
			require.Less(t, cut.text.Len(), len(text))
			require.False(t, receipt().Complete || receipt().Kept)
			require.True(t, journal(t, p)[0].Response.Interrupted)

			p.answers(t, fixture("story", text, nil))
			for _, source := range []llmidem.Source{llmidem.SourceProvider, llmidem.SourceCache} {
				ctx, receipt = llmidem.WithReceipt(t.Context())
				stream, err = api.CreateChatCompletionStream(ctx, req)
				require.NoError(t, err)
				whole := tell(t, stream, nothing)
				require.NoError(t, whole.err)
				require.Equal(t, text, whole.text.String())
				require.Equal(t, fixed, whole.usage)
				require.Equal(t, source, receipt().Source)
				require.True(t, receipt().Complete && receipt().Kept)
			}
			require.Equal(t, []string{receipt().Key.String(), receipt().Key.String()}, keys(t, p))
		})
	}
}

// A stream that fails before its first event is made again, as any call.
func TestAimockStreamsThatDoNotBegin(t *testing.T) {
	faults := []fault{drop, disconnect, status(503)}
	p := aimock(t, fixture("hello", "Hello yourself.", nil))
	api := scripted(t, p, faults, llmidem.WithRetry(quick))
	ctx, receipt := llmidem.WithReceipt(t.Context())
	stream, err := api.CreateChatCompletionStream(ctx, question("hello", 64))
	require.NoError(t, err)
	whole := tell(t, stream, nothing)
	require.NoError(t, whole.err)
	require.Equal(t, "Hello yourself.", whole.text.String())
	require.Equal(t, len(faults)+1, receipt().Attempts)
	requireCommitted(t, p, faults, true)
	for _, e := range journal(t, p) {
		require.Equal(t, receipt().Key.String(), e.Headers["idempotency-key"])
		require.Equal(t, "/v1/chat/completions", e.Path)
	}
}
