package sdks

import (
	"context"
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
	goopenai "github.com/sashabaranov/go-openai"
	"github.com/sashabaranov/go-openai/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// A pair is one question in the types of two SDKs.
type pair struct {
	name    string
	ours    openai.ChatCompletionNewParams
	theirs  goopenai.ChatCompletionRequest
	differs []string // where the documents differ, beside the member stream
}

var parameters = map[string]any{"type": "object", "required": []string{"city"},
	"properties": map[string]any{"city": map[string]any{"type": "string"}}}

var definition = &jsonschema.Definition{Type: jsonschema.Object, Required: []string{"city"},
	Properties: map[string]jsonschema.Definition{"city": {Type: jsonschema.String}}}

type (
	ours   = openai.ChatCompletionNewParams
	theirs = goopenai.ChatCompletionRequest
	said   = goopenai.ChatCompletionMessage
)

// pairs are without what both leave to the caller: model, and messages where a case
// is not about them.
func pairs() []pair {
	seed := 7
	weather := shared.FunctionDefinitionParam{Name: "weather", Description: openai.String("Tells the weather."),
		Strict: openai.Bool(true), Parameters: parameters}
	schema := shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "answer", Schema: parameters}
	strict := schema
	strict.Strict = openai.Bool(true)
	format := func(s shared.ResponseFormatJSONSchemaJSONSchemaParam) openai.ChatCompletionNewParamsResponseFormatUnion {
		return openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{JSONSchema: s}}
	}
	theirFormat := func(strict bool) *goopenai.ChatCompletionResponseFormat {
		return &goopenai.ChatCompletionResponseFormat{Type: "json_schema",
			JSONSchema: &goopenai.ChatCompletionResponseFormatJSONSchema{Name: "answer", Strict: strict, Schema: definition}}
	}
	return []pair{
		{name: "plain"},
		{name: "user", ours: ours{User: openai.String("u-42")}, theirs: theirs{User: "u-42"}},
		{name: "options",
			ours: ours{Temperature: openai.Float(0.7), TopP: openai.Float(0.25), N: openai.Int(2), Seed: openai.Int(7), MaxCompletionTokens: openai.Int(99),
				Stop: openai.ChatCompletionNewParamsStopUnion{OfStringArray: []string{"END"}}},
			theirs: theirs{Temperature: 0.7, TopP: 0.25, N: 2, Seed: &seed, MaxCompletionTokens: 99, Stop: []string{"END"}}},
		{name: "conversation",
			ours:   ours{Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."), openai.UserMessage("Hi"), openai.AssistantMessage("Hello"), openai.UserMessage("So?")}},
			theirs: theirs{Messages: []said{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Hi"}, {Role: "assistant", Content: "Hello"}, {Role: "user", Content: "So?"}}}},
		{name: "parts",
			ours: ours{Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
				openai.TextContentPart("What is this?"), openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: picture, Detail: "low"})})}},
			theirs: theirs{Messages: []said{{Role: "user", MultiContent: []goopenai.ChatMessagePart{{Type: "text", Text: "What is this?"},
				{Type: "image_url", ImageURL: &goopenai.ChatMessageImageURL{URL: picture, Detail: "low"}}}}}}},
		{name: "tools",
			ours: ours{Tools: []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(weather)},
				ToolChoice: openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("auto")}},
			theirs: theirs{Tools: []goopenai.Tool{{Type: "function", Function: &goopenai.FunctionDefinition{Name: "weather",
				Description: "Tells the weather.", Strict: true, Parameters: definition}}}, ToolChoice: "auto"}},
		{name: "result of a tool",
			ours: ours{Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hi"),
				{OfAssistant: &openai.ChatCompletionAssistantMessageParam{ToolCalls: []openai.ChatCompletionMessageToolCallUnionParam{
					{OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{ID: "c1",
						Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{Name: "weather", Arguments: `{"city":"Bern"}`}}}}}},
				openai.ToolMessage("It rains.", "c1")}},
			theirs: theirs{Messages: []said{{Role: "user", Content: "Hi"}, {Role: "assistant", ToolCalls: []goopenai.ToolCall{{ID: "c1", Type: "function",
				Function: goopenai.FunctionCall{Name: "weather", Arguments: `{"city":"Bern"}`}}}}, {Role: "tool", Content: "It rains.", ToolCallID: "c1"}}}},
		{name: "JSON object",
			ours:   ours{ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONObject: &shared.ResponseFormatJSONObjectParam{}}},
			theirs: theirs{ResponseFormat: &goopenai.ChatCompletionResponseFormat{Type: "json_object"}}},
		{name: "strict schema", ours: ours{ResponseFormat: format(strict)}, theirs: theirs{ResponseFormat: theirFormat(true)}},
		// go-openai writes "strict": false where openai-go, which can tell it from
		// not set, writes nothing.
		{name: "schema", ours: ours{ResponseFormat: format(schema)}, theirs: theirs{ResponseFormat: theirFormat(false)},
			differs: []string{"/params/response_format/json_schema/strict"}},
		// A temperature of 0 cannot be said in go-openai: it is left out.
		{name: "temperature of 0", ours: ours{Temperature: openai.Float(0)}, theirs: theirs{Temperature: 0},
			differs: []string{"/params/temperature"}},
	}
}

const picture = "data:image/png;base64,iVBORw0KGgo="

// both asks through both SDKs over one client each and returns what arrived.
func (p pair) both(t *testing.T, stream bool, opts ...option.RequestOption) (a, b llmtest.Request) {
	srv := llmtest.New(t, llmtest.InMemory())
	over := func() *http.Client {
		client, err := llmidem.New(srv.Provider(), llmidem.WithTransport(srv.Transport()), quiet)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
		return &http.Client{Transport: client}
	}
	p.ours.Model, p.theirs.Model = gpt, gpt
	if p.ours.Messages == nil {
		p.ours.Messages, p.theirs.Messages = openaiQuestion.Messages, goOpenAIQuestion.Messages
	}
	ctx, api := t.Context(), openaiGo(over())
	if stream {
		p.ours.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
		p.theirs.StreamOptions = &goopenai.StreamOptions{IncludeUsage: true}
		first := api.Chat.Completions.NewStreaming(ctx, p.ours, opts...)
		for first.Next() {
		}
		require.NoError(t, first.Err())
		second, err := goOpenAI(over()).CreateChatCompletionStream(ctx, p.theirs)
		require.NoError(t, err)
		defer second.Close()
		require.NoError(t, each(second.Recv, func(any) {}))
	} else {
		_, err := api.Chat.Completions.New(ctx, p.ours, opts...)
		require.NoError(t, err)
		_, err = goOpenAI(over()).CreateChatCompletion(ctx, p.theirs)
		require.NoError(t, err)
	}
	l := srv.Ledger()
	require.Len(t, l.Requests, 2)
	require.NotEmpty(t, l.Requests[0].Key)
	return l.Requests[0], l.Requests[1]
}

// difference is where the identities of two requests differ.
func difference(t *testing.T, a, b llmtest.Request) []string {
	docs := make([]identity.Document, 2)
	for i, q := range []llmtest.Request{a, b} {
		doc, err := identity.OpenAI().Identify(identity.Request{Path: q.Path, Header: q.Header, Body: q.Body}, identity.Call{})
		require.NoError(t, err)
		docs[i] = doc
	}
	var out []string
	for _, d := range identity.Diff(docs[0], docs[1]) {
		out = append(out, d.Pointer)
	}
	return out
}

// A question has one key, whichever SDK asks it. What the two write differently is
// that go-openai says "stream": false, where openai-go leaves it out; said by both,
// nothing is left but what one of them cannot say.
func TestOneKeyInTwoSDKs(t *testing.T) {
	for _, p := range pairs() {
		t.Run(p.name, func(t *testing.T) {
			a, b := p.both(t, true)
			require.Equal(t, p.differs, difference(t, a, b))
			require.Equal(t, len(p.differs) == 0, a.Key == b.Key)

			a, b = p.both(t, false, option.WithJSONSet("stream", false))
			require.Equal(t, p.differs, difference(t, a, b))
			require.Equal(t, len(p.differs) == 0, a.Key == b.Key)

			a, b = p.both(t, false)
			require.ElementsMatch(t, append([]string{"/params/stream"}, p.differs...), difference(t, a, b))
			require.NotEqual(t, a.Key, b.Key)
		})
	}
}

// How the frameworks on top write the plain question, against openai-go: langchaingo
// always says a temperature, 0 unless it is told another.
func TestKeysOfFrameworks(t *testing.T) {
	arrived := func(run func(context.Context, *testing.T, *http.Client, func(any)) error) llmtest.Request {
		srv := llmtest.New(t, llmtest.InMemory())
		require.NoError(t, run(t.Context(), t, srv.Client(), func(any) {}))
		return srv.Ledger().Requests[0]
	}
	plain := arrived(openaiChat)
	require.Empty(t, difference(t, plain, arrived(einoMessage)))
	require.Equal(t, []string{"/params/temperature"}, difference(t, plain, arrived(langchainContent)))
}

// Where the key is the same, what one SDK has paid for is given to another.
func TestOneAnswerForTwoSDKs(t *testing.T) {
	over(t, program{rules: identity.OpenAI()}, func(t *testing.T, srv *llmtest.Server, hc *http.Client) {
		var lines []any
		require.NoError(t, einoMessage(t.Context(), t, hc, func(v any) { lines = append(lines, v) }))
		ctx, receipt := llmidem.WithReceipt(t.Context())
		require.NoError(t, openaiChat(ctx, t, hc, func(v any) { lines = append(lines, v) }))
		require.Equal(t, llmidem.SourceCache, receipt().Source)
		require.Len(t, lines, 2)
		require.Equal(t, 1, srv.Ledger().Executions())
	})
}
