package sdks

import (
	"context"
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	einoopenai "github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	goopenai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	langchain "github.com/tmc/langchaingo/llms/openai"
	"google.golang.org/genai"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

const (
	gpt    = "gpt-4o-mini"
	claude = anthropic.ModelClaudeHaiku4_5
	flash  = "gemini-2.5-flash"
	ask    = "one two three"
	origin = "http://llmtest.invalid"
)

// The SDKs, each over one http.Client and without retries of its own.

func openaiGo(hc *http.Client) openai.Client {
	return openai.NewClient(option.WithAPIKey("token"), option.WithBaseURL(llmtest.MemoryURL),
		option.WithHTTPClient(hc), option.WithMaxRetries(0))
}

func goOpenAI(hc *http.Client) *goopenai.Client {
	cfg := goopenai.DefaultConfig("token")
	cfg.BaseURL, cfg.HTTPClient = llmtest.MemoryURL, hc
	return goopenai.NewClientWithConfig(cfg)
}

func anthropicGo(hc *http.Client) anthropic.Client {
	return anthropic.NewClient(anthropicoption.WithAPIKey("token"), anthropicoption.WithBaseURL(origin),
		anthropicoption.WithHTTPClient(hc), anthropicoption.WithMaxRetries(0))
}

func genaiGo(t *testing.T, hc *http.Client) *genai.Client {
	c, err := genai.NewClient(context.Background(), &genai.ClientConfig{Backend: genai.BackendGeminiAPI, APIKey: "token",
		HTTPClient: hc, HTTPOptions: genai.HTTPOptions{BaseURL: origin}})
	require.NoError(t, err)
	return c
}

func langchainGo(t *testing.T, hc *http.Client) *langchain.LLM {
	c, err := langchain.New(langchain.WithToken("token"), langchain.WithBaseURL(llmtest.MemoryURL),
		langchain.WithModel(gpt), langchain.WithHTTPClient(hc))
	require.NoError(t, err)
	return c
}

func einoGo(t *testing.T, hc *http.Client) *einoopenai.ChatModel {
	c, err := einoopenai.NewChatModel(context.Background(), &einoopenai.ChatModelConfig{APIKey: "token",
		BaseURL: llmtest.MemoryURL, Model: gpt, HTTPClient: hc})
	require.NoError(t, err)
	return c
}

// What they are asked.

var (
	openaiQuestion = openai.ChatCompletionNewParams{Model: gpt,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(ask)}}
	goOpenAIQuestion = goopenai.ChatCompletionRequest{Model: gpt,
		Messages: []goopenai.ChatCompletionMessage{{Role: "user", Content: ask}}}
	anthropicQuestion = anthropic.MessageNewParams{Model: claude, MaxTokens: 99,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(ask))}}
	langchainQuestion = []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, ask)}
)
