package llmtest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// api is go-openai over a server.
func api(srv *llmtest.Server) *openai.Client {
	cfg := openai.DefaultConfig("token")
	cfg.BaseURL, cfg.HTTPClient = srv.URL(), srv.Client()
	return openai.NewClientWithConfig(cfg)
}

func question(text string) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{Model: openai.GPT4oMini,
		Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: text}}}
}

func TestGoOpenAIReadsEveryAnswer(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		c, ctx := api(srv), context.Background()
		res, err := c.CreateChatCompletion(ctx, question("hi"))
		require.NoError(t, err)
		assert.Equal(t, "Answer to: hi", res.Choices[0].Message.Content)
		assert.Equal(t, openai.FinishReasonStop, res.Choices[0].FinishReason)
		assert.Equal(t, 4, res.Usage.TotalTokens)

		for _, format := range []openai.EmbeddingEncodingFormat{openai.EmbeddingEncodingFormatFloat, openai.EmbeddingEncodingFormatBase64} {
			emb, err := c.CreateEmbeddings(ctx, openai.EmbeddingRequest{Model: openai.SmallEmbedding3, Input: []string{"a", "b"}, EncodingFormat: format})
			require.NoError(t, err)
			require.Len(t, emb.Data, 2)
			assert.Len(t, emb.Data[1].Embedding, 8)
			dot, err := emb.Data[0].DotProduct(&emb.Data[0])
			require.NoError(t, err)
			assert.InDelta(t, 1, dot, 1e-5)
		}
		_, err = c.Moderations(ctx, openai.ModerationRequest{Input: "hi"})
		assert.NoError(t, err)
		_, err = c.CreateCompletion(ctx, openai.CompletionRequest{Model: "m", Prompt: "hi"})
		assert.NoError(t, err)
		list, err := c.ListModels(ctx)
		assert.NoError(t, err)
		assert.Len(t, list.Models, 2)
	})
}

func TestGoOpenAIReadsStreams(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		s, err := api(srv).CreateChatCompletionStream(context.Background(), question("one two"))
		require.NoError(t, err)
		defer func() { _ = s.Close() }()
		var text strings.Builder
		var finish openai.FinishReason
		for {
			chunk, err := s.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			text.WriteString(chunk.Choices[0].Delta.Content)
			finish = chunk.Choices[0].FinishReason
		}
		assert.Equal(t, "Answer to: one two", text.String())
		assert.Equal(t, openai.FinishReasonStop, finish)
	})
}

func TestGoOpenAIReadsErrorsAndTools(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	srv.Next(llmtest.Status(429).Code("insufficient_quota"), llmtest.CallTool("weather", `{"city":"Bern"}`))
	_, err := api(srv).CreateChatCompletion(context.Background(), question("hi"))
	var apiErr *openai.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, 429, apiErr.HTTPStatusCode)
	assert.Equal(t, "insufficient_quota", apiErr.Code)
	res, err := api(srv).CreateChatCompletion(context.Background(), question("hi"))
	require.NoError(t, err)
	assert.Equal(t, `{"city":"Bern"}`, res.Choices[0].Message.ToolCalls[0].Function.Arguments)
}

func TestGoOpenAIOverAzure(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	cfg := openai.DefaultAzureConfig("token", srv.BaseURL())
	cfg.HTTPClient = srv.Client()
	res, err := openai.NewClientWithConfig(cfg).CreateChatCompletion(context.Background(), question("hi"))
	require.NoError(t, err)
	assert.Equal(t, "gpt-4o-mini", res.Model)
	assert.Equal(t, "token", srv.Ledger().Requests[0].Header.Get("Api-Key"))
}

func TestGoOpenAIReadsResponses(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	req := openai.CreateResponseRequest{Model: "m", Input: "one two"}
	res, err := api(srv).CreateResponse(context.Background(), req)
	require.NoError(t, err)
	assert.EqualValues(t, "completed", res.Status)

	srv.Next(llmtest.OK(), llmtest.StreamError(3).Code("overloaded"), llmtest.ForgedDone())
	for _, want := range []string{"Answer to: one two response.completed", " error", "Answer to: response.output_text.delta"} {
		s, err := api(srv).CreateResponseStream(context.Background(), req)
		require.NoError(t, err)
		var got, last string
		for {
			e, err := s.Recv()
			if err != nil {
				break
			}
			got += e.Delta
			last = string(e.Type)
		}
		assert.NoError(t, s.Close())
		assert.Equal(t, want, strings.TrimSuffix(got, " ")+" "+last)
	}
}

// go-openai reads what is no text, and sends what is no JSON.
func TestGoOpenAIReadsPicturesAndSounds(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		c, ctx := api(srv), context.Background()
		drawn, err := c.CreateImage(ctx, openai.ImageRequest{Prompt: "a dot", N: 2, ResponseFormat: openai.CreateImageResponseFormatB64JSON})
		require.NoError(t, err)
		require.Len(t, drawn.Data, 2)
		raw, err := base64.StdEncoding.DecodeString(drawn.Data[1].B64JSON)
		require.NoError(t, err)
		_, err = png.Decode(bytes.NewReader(raw))
		require.NoError(t, err)
		file := func() io.Reader { return openai.WrapReader(bytes.NewReader(raw), "dot.png", "image/png") }
		edited, err := c.CreateEditImage(ctx, openai.ImageEditRequest{Image: file(), Prompt: "rounder", N: 1})
		require.NoError(t, err)
		assert.NotEmpty(t, edited.Data[0].URL)
		varied, err := c.CreateVariImage(ctx, openai.ImageVariRequest{Image: file(), N: 1, ResponseFormat: openai.CreateImageResponseFormatB64JSON})
		require.NoError(t, err)
		assert.NotEqual(t, drawn.Data[1].B64JSON, varied.Data[0].B64JSON)

		speech, err := c.CreateSpeech(ctx, openai.CreateSpeechRequest{Model: openai.TTSModel1, Input: "one two", Voice: openai.VoiceAlloy})
		require.NoError(t, err)
		sound, err := io.ReadAll(speech)
		require.NoError(t, err)
		require.NoError(t, speech.Close())
		assert.Equal(t, "audio/mpeg", speech.Header().Get("Content-Type"))
		for _, format := range []openai.AudioResponseFormat{"", openai.AudioResponseFormatSRT, openai.AudioResponseFormatVerboseJSON} {
			req := openai.AudioRequest{Model: openai.Whisper1, FilePath: "a.mp3", Reader: bytes.NewReader(sound), Format: format}
			said, err := c.CreateTranscription(ctx, req)
			require.NoError(t, err)
			assert.Contains(t, said.Text, "Answer to: file ")
			req.Reader = bytes.NewReader(sound)
			same, err := c.CreateTranslation(ctx, req)
			require.NoError(t, err)
			assert.Equal(t, said.Text, same.Text)
		}
		assert.Equal(t, 10, srv.Ledger().Executions())
	})
}
