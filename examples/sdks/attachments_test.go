package sdks

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	goopenai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
	"google.golang.org/genai"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// posted keeps what was posted and under which key, and answers nothing of use.
type posted struct{ bodies, keys []string }

func (p *posted) RoundTrip(req *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	p.bodies, p.keys = append(p.bodies, string(b)), append(p.keys, req.Header.Get("Idempotency-Key"))
	return &http.Response{StatusCode: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
}

// Placeholders of attachments go into the types of every SDK, fields of bytes too,
// and what is posted is what the content inline posts.
func TestAttachmentsFitTheTypesOfSDKs(t *testing.T) {
	content := []byte("\x89PNG\r\n\x1a\n" + strings.Repeat("pixels", 1000))
	inline64 := base64.StdEncoding.EncodeToString(content)
	a := identity.Bytes(content)
	ctx := context.Background()
	type texts struct{ uri, base64, raw string }
	for name, sdk := range map[string]struct {
		provider llmidem.Provider
		post     func(ctx context.Context, hc *http.Client, x texts) error
		bytes    bool // the SDK's field holds bytes
	}{
		"go-openai": {provider: providers.OpenAI(), post: func(ctx context.Context, hc *http.Client, x texts) error {
			_, err := goOpenAI(hc).CreateChatCompletion(ctx, goopenai.ChatCompletionRequest{Model: gpt, Messages: []goopenai.ChatCompletionMessage{{
				Role: "user", MultiContent: []goopenai.ChatMessagePart{{Type: "image_url", ImageURL: &goopenai.ChatMessageImageURL{URL: x.uri}}}}}})
			return err
		}},
		"openai-go chat": {provider: providers.OpenAI(), post: func(ctx context.Context, hc *http.Client, x texts) error {
			client := openaiGo(hc)
			_, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: gpt, Messages: []openai.ChatCompletionMessageParamUnion{
				openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
					openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: x.uri}),
					openai.InputAudioContentPart(openai.ChatCompletionContentPartInputAudioInputAudioParam{Data: x.base64, Format: "wav"}),
				})}})
			return err
		}},
		"openai-go responses": {provider: providers.OpenAI(), post: func(ctx context.Context, hc *http.Client, x texts) error {
			client := openaiGo(hc)
			_, err := client.Responses.New(ctx, responses.ResponseNewParams{Model: gpt, Input: responses.ResponseNewParamsInputUnion{
				OfInputItemList: responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage(responses.ResponseInputMessageContentListParam{
					{OfInputFile: &responses.ResponseInputFileParam{FileData: openai.String(x.uri), Filename: openai.String("a.png")}},
					{OfInputFile: &responses.ResponseInputFileParam{FileData: openai.String(x.base64), Filename: openai.String("b.png")}},
				}, "user")}}})
			return err
		}},
		"openai-go form": {provider: providers.OpenAI(), post: func(ctx context.Context, hc *http.Client, x texts) error {
			client := openaiGo(hc)
			_, err := client.Audio.Transcriptions.New(ctx, openai.AudioTranscriptionNewParams{Model: "whisper-1",
				File: openai.File(strings.NewReader(x.raw), "a.wav", "audio/wav")})
			return err
		}},
		"anthropic": {provider: providers.Anthropic(), post: func(ctx context.Context, hc *http.Client, x texts) error {
			client := anthropicGo(hc)
			_, err := client.Messages.New(ctx, anthropic.MessageNewParams{Model: claude, MaxTokens: 9, Messages: []anthropic.MessageParam{
				anthropic.NewUserMessage(anthropic.NewImageBlockBase64("image/png", x.base64),
					anthropic.NewDocumentBlock(anthropic.Base64PDFSourceParam{Data: x.base64}))}})
			return err
		}},
		"genai": {provider: providers.Gemini(), bytes: true, post: func(ctx context.Context, hc *http.Client, x texts) error {
			_, err := genaiGo(t, hc).Models.GenerateContent(ctx, flash, []*genai.Content{{Role: "user", Parts: []*genai.Part{
				{InlineData: &genai.Blob{Data: []byte(x.base64), MIMEType: "image/png"}}}}}, nil)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			wire := &posted{}
			client, err := llmidem.New(sdk.provider, llmidem.WithTransport(wire))
			require.NoError(t, err)
			defer client.Close(ctx)
			hc := &http.Client{Transport: client}
			plain := texts{"data:image/png;base64," + inline64, inline64, string(content)}
			if sdk.bytes {
				plain.base64 = string(content)
			}
			require.Error(t, sdk.post(ctx, hc, plain))
			require.Error(t, sdk.post(llmidem.WithAttachments(ctx, a), hc, texts{a.DataURI(), a.Base64(), a.Raw()}))
			require.Len(t, wire.bodies, 2)
			require.Equal(t, wire.keys[0], wire.keys[1])
			require.NotEmpty(t, wire.keys[0])
			require.NotContains(t, wire.bodies[1], "llmidem-attachment")
			require.Len(t, wire.bodies[1], len(wire.bodies[0]))
			if name != "openai-go form" { // whose boundary is drawn
				require.Equal(t, wire.bodies[0], wire.bodies[1])
			}
			require.Error(t, sdk.post(ctx, hc, texts{a.DataURI(), a.Base64(), a.Raw()}))
			require.Len(t, wire.bodies, 2, "without the handle nothing is sent")
		})
	}
}
