package sdks

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/cloudwego/eino/schema"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	goopenai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"google.golang.org/genai"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// A program asks one thing through an SDK, gives out all that the SDK gives it, and
// returns the SDK's error.
type program struct {
	name   string
	rules  *identity.Rules
	stream bool
	fault  llmtest.Fault // what the server answers
	run    func(ctx context.Context, t *testing.T, hc *http.Client, note func(any)) error
}

func programs() []program {
	o, a, g := identity.OpenAI(), identity.Anthropic(), identity.Gemini()
	weather := llmtest.CallTool("weather", `{"city":"Zürich"}`)
	return []program{
		{name: "openai-go chat", rules: o, run: openaiChat},
		{name: "openai-go chat with tools", rules: o, run: openaiChat, fault: weather},
		{name: "openai-go chat stream", rules: o, run: openaiChatStream, stream: true},
		{name: "openai-go chat stream with tools", rules: o, run: openaiChatStream, stream: true, fault: weather},
		{name: "openai-go responses", rules: o, run: openaiResponses},
		{name: "openai-go responses stream", rules: o, run: openaiResponsesStream, stream: true},
		{name: "openai-go embeddings", rules: o, run: openaiEmbeddings},
		{name: "openai-go transcription", rules: o, run: openaiTranscription},
		{name: "go-openai chat stream", rules: o, run: goOpenAIStream, stream: true},
		{name: "anthropic message", rules: a, run: anthropicMessage},
		{name: "anthropic message with tools", rules: a, run: anthropicMessage, fault: weather},
		{name: "anthropic message stream", rules: a, run: anthropicStream, stream: true},
		{name: "anthropic message stream with tools", rules: a, run: anthropicStream, stream: true, fault: weather},
		{name: "genai content", rules: g, run: genaiContent},
		{name: "genai content stopped", rules: g, run: genaiContent, fault: llmtest.Block("SAFETY")},
		{name: "genai content stream", rules: g, run: genaiStream, stream: true},
		{name: "genai content stream with tools", rules: g, run: genaiStream, stream: true, fault: weather},
		{name: "langchaingo content", rules: o, run: langchainContent},
		{name: "langchaingo content stream", rules: o, run: langchainStream, stream: true},
		{name: "eino message", rules: o, run: einoMessage},
		{name: "eino message stream", rules: o, run: einoStream, stream: true},
		{name: "eino message stream with tools", rules: o, run: einoStream, stream: true, fault: weather},
	}
}

func openaiChat(ctx context.Context, _ *testing.T, hc *http.Client, note func(any)) error {
	api := openaiGo(hc)
	res, err := api.Chat.Completions.New(ctx, openaiQuestion)
	if err == nil {
		note(res.RawJSON())
	}
	return err
}

func openaiChatStream(ctx context.Context, _ *testing.T, hc *http.Client, note func(any)) error {
	api, question := openaiGo(hc), openaiQuestion
	question.N = openai.Int(2)
	question.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := api.Chat.Completions.NewStreaming(ctx, question)
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		note(stream.Current().RawJSON())
		all.AddChunk(stream.Current())
	}
	note(all.Usage)
	note(all.Choices)
	return stream.Err()
}

func openaiResponses(ctx context.Context, _ *testing.T, hc *http.Client, note func(any)) error {
	api := openaiGo(hc)
	res, err := api.Responses.New(ctx, responses.ResponseNewParams{Model: gpt, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(ask)}})
	if err == nil {
		note(res.RawJSON())
		note(res.OutputText())
	}
	return err
}

func openaiResponsesStream(ctx context.Context, _ *testing.T, hc *http.Client, note func(any)) error {
	api := openaiGo(hc)
	stream := api.Responses.NewStreaming(ctx, responses.ResponseNewParams{Model: gpt, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(ask)}})
	for stream.Next() {
		note(stream.Current().RawJSON())
	}
	return stream.Err()
}

func openaiEmbeddings(ctx context.Context, _ *testing.T, hc *http.Client, note func(any)) error {
	api := openaiGo(hc)
	res, err := api.Embeddings.New(ctx, openai.EmbeddingNewParams{Model: openai.EmbeddingModelTextEmbedding3Small,
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "two"}}})
	if err == nil {
		note(res.RawJSON())
	}
	return err
}

// The form has another boundary each time.
func openaiTranscription(ctx context.Context, _ *testing.T, hc *http.Client, note func(any)) error {
	api := openaiGo(hc)
	res, err := api.Audio.Transcriptions.New(ctx, openai.AudioTranscriptionNewParams{Model: "whisper-1",
		File: openai.File(strings.NewReader("sound"), "a.mp3", "audio/mpeg")})
	if err == nil {
		note(res.RawJSON())
	}
	return err
}

func goOpenAIStream(ctx context.Context, _ *testing.T, hc *http.Client, note func(any)) error {
	question := goOpenAIQuestion
	question.StreamOptions = &goopenai.StreamOptions{IncludeUsage: true}
	stream, err := goOpenAI(hc).CreateChatCompletionStream(ctx, question)
	if err != nil {
		return err
	}
	defer stream.Close()
	return each(stream.Recv, note)
}

// each notes what recv returns until it is over.
func each[T any](recv func() (T, error), note func(any)) error {
	for {
		piece, err := recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		note(piece)
	}
}

func anthropicMessage(ctx context.Context, _ *testing.T, hc *http.Client, note func(any)) error {
	api := anthropicGo(hc)
	res, err := api.Messages.New(ctx, anthropicQuestion)
	if err == nil {
		note(res.RawJSON())
	}
	return err
}

func anthropicStream(ctx context.Context, t *testing.T, hc *http.Client, note func(any)) error {
	api := anthropicGo(hc)
	stream := api.Messages.NewStreaming(ctx, anthropicQuestion)
	defer stream.Close()
	var all anthropic.Message
	for stream.Next() {
		note(stream.Current().RawJSON())
		require.NoError(t, all.Accumulate(stream.Current()))
	}
	note(all.Usage)
	note(all.Content)
	return stream.Err()
}

func genaiContent(ctx context.Context, t *testing.T, hc *http.Client, note func(any)) error {
	res, err := genaiGo(t, hc).Models.GenerateContent(ctx, flash, genai.Text(ask), nil)
	if err == nil {
		res.SDKHTTPResponse = nil // the headers, which say how it came
		note(res)
	}
	return err
}

func genaiStream(ctx context.Context, t *testing.T, hc *http.Client, note func(any)) error {
	cfg := &genai.GenerateContentConfig{CandidateCount: 2}
	for chunk, err := range genaiGo(t, hc).Models.GenerateContentStream(ctx, flash, genai.Text(ask), cfg) {
		if err != nil {
			return err
		}
		chunk.SDKHTTPResponse = nil
		note(chunk)
	}
	return nil
}

func langchainContent(ctx context.Context, t *testing.T, hc *http.Client, note func(any)) error {
	res, err := langchainGo(t, hc).GenerateContent(ctx, langchainQuestion)
	if err == nil {
		note(res)
	}
	return err
}

func langchainStream(ctx context.Context, t *testing.T, hc *http.Client, note func(any)) error {
	res, err := langchainGo(t, hc).GenerateContent(ctx, langchainQuestion, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		note(string(chunk))
		return nil
	}))
	if err == nil {
		note(res)
	}
	return err
}

func einoMessage(ctx context.Context, t *testing.T, hc *http.Client, note func(any)) error {
	res, err := einoGo(t, hc).Generate(ctx, []*schema.Message{schema.UserMessage(ask)})
	if err == nil {
		note(res)
	}
	return err
}

func einoStream(ctx context.Context, t *testing.T, hc *http.Client, note func(any)) error {
	stream, err := einoGo(t, hc).Stream(ctx, []*schema.Message{schema.UserMessage(ask)})
	if err != nil {
		return err
	}
	defer stream.Close()
	return each(stream.Recv, note)
}

// told is what a program has been given: JSON, a line each, and its error.
type told struct {
	lines []string
	err   error
}

// of runs a program.
func (p program) of(ctx context.Context, t *testing.T, hc *http.Client) told {
	var out told
	out.err = p.run(ctx, t, hc, func(v any) {
		text, ok := v.(string)
		if !ok {
			b, err := json.Marshal(v)
			require.NoError(t, err)
			text = string(b)
		}
		out.lines = append(out.lines, text)
	})
	return out
}
