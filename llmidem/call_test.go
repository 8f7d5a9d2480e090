package llmidem_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// A forgotten wiring must not look like protection.
func TestCall_WithoutLlmidemBeneath(t *testing.T) {
	b := newBench(t)
	bare := func(context.Context, string) (string, error) { return "an answer", nil }
	res, err := llmidem.Call(context.Background(), bare, "x")
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
	require.ErrorContains(t, err, "goopenai.New")
	require.Equal(t, "an answer", res.Value, "the value is there beside the error")

	own := errors.New("refused by the SDK")
	_, err = llmidem.Call(context.Background(), func(context.Context, string) (string, error) { return "", own }, "x")
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
	require.ErrorIs(t, err, own)

	_, err = llmidem.Call(context.Background(), func(ctx context.Context, _ int) (openai.ModelsList, error) { return b.api.ListModels(ctx) }, 0)
	require.NoError(t, err, "a request that is no inference call passed through a client")
}

// errors.As finds the SDK's own error, with the final status, and ours.
func TestCall_Errors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Status(429), llmtest.Status(400).Code("bad_thing").Message("the prompt was: secret"))
		res, err := b.ask(context.Background(), "secret")
		var api *openai.APIError
		require.ErrorAs(t, err, &api)
		require.Equal(t, 400, api.HTTPStatusCode)
		require.Equal(t, "the prompt was: secret", api.Message, "the SDK's error keeps the provider's message")
		var own *llmidem.Error
		require.ErrorAs(t, err, &own)
		require.Equal(t, llmidem.CodeFailed, own.Code)
		require.Equal(t, 2, own.Attempts)
		require.Equal(t, res.Receipt.Key, own.Key)
		require.Equal(t, res.Receipt.Address, own.Address)
		require.Equal(t, res.Receipt.TraceID, own.TraceID)
		require.Equal(t, "400", own.ErrorType())
		require.Contains(t, own.Error(), "bad_thing")
		require.NotContains(t, own.Error(), "secret", "our text never repeats the message")
		require.NotContains(t, b.logs.all(), "secret")
		require.Contains(t, own.Error(), own.Key.String())
	})
}

func TestCall_AmbiguousStatusIsSaidToBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Status(504) })
		_, err := b.ask(context.Background(), "x")
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
		requireStatusOf(t, err, 504)
		b.srv.Handle(nil)
		require.True(t, b.mustAsk("x").Receipt.Paid(), "in doubt, and made again by the default policy")
	})
}

func TestCall_OnUnknownFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, llmidem.Config{OnUnknown: llmidem.Fail, OnAmbiguous: llmidem.Fail})
		b.srv.Next(llmtest.DropAfter())
		res, err := b.ask(context.Background(), "x")
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
		_, err = b.ask(context.Background(), "x")
		require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
		require.ErrorContains(t, err, "Forget")
		require.Len(t, b.srv.Ledger().Bodies(), 1)
		require.NoError(t, b.client.Forget(context.Background(), res.Receipt.Address))
		require.True(t, b.mustAsk("x").Receipt.Paid())
	})
}

func TestCall_SeveralIdentities(t *testing.T) {
	b := newBench(t)
	two := func(ctx context.Context, prompts []string) (int, error) {
		for _, p := range prompts {
			if _, err := b.api.CreateChatCompletion(ctx, chat(p)); err != nil {
				return 0, err
			}
		}
		return len(prompts), nil
	}
	res, err := llmidem.Call(context.Background(), two, []string{"a", "b", "a"})
	require.NoError(t, err)
	require.Equal(t, 2, res.Receipt.Calls)
	require.Equal(t, 2, res.Receipt.Attempts)
	require.EqualValues(t, b.srv.Ledger().Billed().Output, res.Receipt.Usage.OutputTokens)
	require.Positive(t, res.Receipt.Saved.OutputTokens)
	_, err = llmidem.Call(context.Background(), two, []string{"a", "b"}, llmidem.Key("one-key"))
	require.Equal(t, llmidem.CodeConflict, llmidem.CodeOf(err))
}

func TestWithCall_AndWithReceipt(t *testing.T) {
	b := newBench(t)
	ctx := llmidem.WithCall(context.Background(), llmidem.User("u"), llmidem.Scope("outer"))
	ctx, receipt := llmidem.WithReceipt(ctx, llmidem.Scope("inner"))
	require.Zero(t, receipt().Calls)
	_, err := b.api.CreateChatCompletion(ctx, chat("x"))
	require.NoError(t, err)
	first := receipt()
	require.Equal(t, 1, first.Calls)
	same, err := b.ask(context.Background(), "x", llmidem.User("u"), llmidem.Scope("inner"))
	require.NoError(t, err)
	require.Equal(t, first.Key, same.Receipt.Key)
	require.False(t, same.Receipt.Paid())
}

func TestBind(t *testing.T) {
	b := newBench(t)
	variadic := func(ctx context.Context, req openai.ChatCompletionRequest, users ...string) (openai.ChatCompletionResponse, error) {
		req.User = strings.Join(users, "+")
		return b.api.CreateChatCompletion(ctx, req)
	}
	_, err := llmidem.Call(context.Background(), llmidem.Bind(variadic, "a", "b"), chat("x"))
	require.NoError(t, err)
	require.Contains(t, string(b.srv.Ledger().Bodies()[0]), `"user":"a+b"`)
}

func TestCall_FreshIsTheSameCallForItsRetries(t *testing.T) {
	b := newBench(t)
	fresh := llmidem.Fresh()
	require.True(t, b.mustAsk("x", fresh).Receipt.Paid())
	require.False(t, b.mustAsk("x", fresh).Receipt.Paid())
	require.True(t, b.mustAsk("x", llmidem.Fresh()).Receipt.Paid())
	require.True(t, b.mustAsk("x", llmidem.Fresh(), llmidem.Scope("s")).Receipt.Paid())
}

// An option that cannot be honoured may be used by many calls at once: each has an
// error of its own.
func TestK9_BadKeyOfManyCalls(t *testing.T) {
	b := newBench(t)
	bad := llmidem.Key("two words")
	seen := map[string]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := b.ask(context.Background(), "bad key", bad)
			var e *llmidem.Error
			if errors.As(err, &e) && e.Code == llmidem.CodeInvalid {
				mu.Lock()
				defer mu.Unlock()
				seen[e.TraceID] = true
			}
		})
	}
	all.Wait()
	require.Len(t, seen, 8, "each names its own trace")
}
