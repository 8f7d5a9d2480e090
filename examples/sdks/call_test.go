package sdks

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/cloudwego/eino/schema"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"
	"google.golang.org/genai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// A calling is a method of an SDK under llmidem.Call.
type calling struct {
	name  string
	rules *identity.Rules
	call  func(ctx context.Context, t *testing.T, hc *http.Client, opts ...llmidem.CallOption) (string, llmidem.Receipt, error)
}

// calls binds the variadic methods of the SDKs. A method of three arguments needs a
// function of one.
func calls() []calling {
	o, a, g := identity.OpenAI(), identity.Anthropic(), identity.Gemini()
	return []calling{
		{"openai-go chat", o, func(ctx context.Context, _ *testing.T, hc *http.Client, opts ...llmidem.CallOption) (string, llmidem.Receipt, error) {
			api := openaiGo(hc)
			res, err := llmidem.Call(ctx, llmidem.Bind(api.Chat.Completions.New), openaiQuestion, opts...)
			if err != nil {
				return "", res.Receipt, err
			}
			return res.Value.Choices[0].Message.Content, res.Receipt, nil
		}},
		{"openai-go responses", o, func(ctx context.Context, _ *testing.T, hc *http.Client, opts ...llmidem.CallOption) (string, llmidem.Receipt, error) {
			api := openaiGo(hc)
			question := responses.ResponseNewParams{Model: gpt, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(ask)}}
			res, err := llmidem.Call(ctx, llmidem.Bind(api.Responses.New), question, opts...)
			if err != nil {
				return "", res.Receipt, err
			}
			return res.Value.OutputText(), res.Receipt, nil
		}},
		{"anthropic", a, func(ctx context.Context, _ *testing.T, hc *http.Client, opts ...llmidem.CallOption) (string, llmidem.Receipt, error) {
			api := anthropicGo(hc)
			res, err := llmidem.Call(ctx, llmidem.Bind(api.Messages.New), anthropicQuestion, opts...)
			if err != nil {
				return "", res.Receipt, err
			}
			return res.Value.Content[0].Text, res.Receipt, nil
		}},
		{"genai", g, func(ctx context.Context, t *testing.T, hc *http.Client, opts ...llmidem.CallOption) (string, llmidem.Receipt, error) {
			api := genaiGo(t, hc)
			generate := func(ctx context.Context, text string) (*genai.GenerateContentResponse, error) {
				return api.Models.GenerateContent(ctx, flash, genai.Text(text), nil)
			}
			res, err := llmidem.Call(ctx, generate, ask, opts...)
			if err != nil {
				return "", res.Receipt, err
			}
			return res.Value.Text(), res.Receipt, nil
		}},
		{"langchaingo", o, func(ctx context.Context, t *testing.T, hc *http.Client, opts ...llmidem.CallOption) (string, llmidem.Receipt, error) {
			res, err := llmidem.Call(ctx, llmidem.Bind(langchainGo(t, hc).GenerateContent), langchainQuestion, opts...)
			if err != nil {
				return "", res.Receipt, err
			}
			return res.Value.Choices[0].Content, res.Receipt, nil
		}},
		{"eino", o, func(ctx context.Context, t *testing.T, hc *http.Client, opts ...llmidem.CallOption) (string, llmidem.Receipt, error) {
			res, err := llmidem.Call(ctx, llmidem.Bind(einoGo(t, hc).Generate), []*schema.Message{schema.UserMessage(ask)}, opts...)
			if err != nil {
				return "", res.Receipt, err
			}
			return res.Value.Content, res.Receipt, nil
		}},
	}
}

// Calls are retried below the SDK and paid for once each: five askings of three
// different calls are three executions.
func TestCall(t *testing.T) {
	for _, c := range calls() {
		t.Run(c.name, func(t *testing.T) {
			over(t, program{rules: c.rules}, func(t *testing.T, srv *llmtest.Server, hc *http.Client) {
				srv.Next(llmtest.Status(429), llmtest.DropBefore(), llmtest.OK())
				var paid llmidem.Usage
				for i, opts := range [][]llmidem.CallOption{nil, nil, {llmidem.User("a")}, {llmidem.User("a")}, {llmidem.Occurrence(1)}} {
					text, r, err := c.call(t.Context(), t, hc, opts...)
					require.NoError(t, err)
					require.Equal(t, "Answer to: "+ask, text)
					require.Equal(t, []int{3, 0, 1, 0, 1}[i], r.Attempts)
					require.Equal(t, r.Attempts > 0, r.Paid())
					require.True(t, r.Complete && r.Kept)
					require.Equal(t, 1, r.Calls)
					require.Equal(t, 1, srv.Ledger().ExecutionsOf(r.Key.String()))
					require.Equal(t, llmidem.Usage{InputTokens: 3, OutputTokens: 5}, llmidem.Usage{
						InputTokens: r.Usage.InputTokens + r.Saved.InputTokens, OutputTokens: r.Usage.OutputTokens + r.Saved.OutputTokens})
					paid.InputTokens += r.Usage.InputTokens
					paid.OutputTokens += r.Usage.OutputTokens
				}
				l := srv.Ledger()
				require.Equal(t, 3, l.Executions())
				require.Len(t, l.Requests, 5)
				require.EqualValues(t, l.Billed().Total(), paid.InputTokens+paid.OutputTokens)
			})
		})
	}
}

// An error of Call has the key, and the SDK's own error in its chain.
func TestCallErrors(t *testing.T) {
	for _, c := range calls() {
		t.Run(c.name, func(t *testing.T) {
			over(t, program{rules: c.rules}, func(t *testing.T, srv *llmtest.Server, hc *http.Client) {
				srv.Next(llmtest.Status(400).Message("bad prompt"))
				_, r, err := c.call(t.Context(), t, hc)
				var own *llmidem.Error
				require.ErrorAs(t, err, &own)
				require.Equal(t, r.Key, own.Key)
				require.Equal(t, 1, own.Attempts)
				require.NotContains(t, own.Error(), "bad prompt", "which may echo the prompt")
				if c.name == "langchaingo" { // has no type of its own
					require.ErrorContains(t, errors.Unwrap(err), "400: bad prompt")
				} else {
					require.Contains(t, describe(err), "Error 400")
				}
				var claude *anthropic.Error
				require.Equal(t, c.name == "anthropic", errors.As(err, &claude))
				require.Zero(t, srv.Ledger().Executions())
			})
		})
	}
}

// A client that does not go through llmidem is found out.
func TestCallWithoutAClient(t *testing.T) {
	for _, c := range calls() {
		srv := llmtest.New(t, llmtest.InMemory())
		_, _, err := c.call(t.Context(), t, srv.Client())
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err), c.name)
	}
}
