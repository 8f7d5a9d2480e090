package llmidem_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

func TestStream_OtherServices(t *testing.T) {
	for name, c := range map[string]struct {
		rules       *identity.Rules
		path, body  string
		contentType string
		events      []string // the last of which makes it whole
		ping        string
		usage       llmidem.Usage
	}{
		"Anthropic": {identity.Anthropic(), "/v1/messages", `{"model":"claude","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"q"}]}`,
			"text/event-stream", []string{
				"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n",
				"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
				"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n",
				"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
				"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\n",
				"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
			}, "event: ping\ndata: {\"type\": \"ping\"}\n\n", llmidem.Usage{InputTokens: 3, OutputTokens: 5}},
		"Gemini": {identity.Gemini(), "/v1beta/models/gemini-2.0-flash:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"q"}]}]}`,
			"text/event-stream", []string{
				"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"H\"}]}}]}\r\n\r\n",
				"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"i\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":5,\"totalTokenCount\":8}}\r\n\r\n",
			}, ": wait\r\n\r\n", llmidem.Usage{InputTokens: 3, OutputTokens: 5}},
		"Ollama": {identity.Ollama(), "/api/chat", `{"model":"llama","messages":[{"role":"user","content":"q"}]}`,
			"application/x-ndjson", []string{
				`{"model":"llama","message":{"role":"assistant","content":"Hi"},"done":false}` + "\n",
				`{"model":"llama","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":5}` + "\n",
			}, "", llmidem.Usage{InputTokens: 3, OutputTokens: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			whole := strings.Join(c.events, "")
			var sent string
			executed := 0
			wire := roundTrip(func(r *http.Request) (*http.Response, error) {
				executed++
				return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"Content-Type": {c.contentType}},
					ContentLength: -1, Body: io.NopCloser(strings.NewReader(sent))}, nil
			})
			client, err := llmidem.New(llmidem.Provider{Name: "other", Rules: c.rules}, llmidem.WithTransport(wire), quiet)
			require.NoError(t, err)
			defer client.Close(context.Background())
			ask := func(opts ...llmidem.CallOption) (string, llmidem.Receipt, error) {
				ctx, receipt := llmidem.WithReceipt(context.Background(), opts...)
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://other.invalid"+c.path, strings.NewReader(c.body))
				require.NoError(t, err)
				resp, err := client.RoundTrip(req)
				require.NoError(t, err)
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				return string(text), receipt(), err
			}
			sent = c.ping + strings.Join(c.events, c.ping)
			for i := range 2 {
				text, r, err := ask()
				require.NoError(t, err)
				require.Equal(t, whole, text)
				require.True(t, r.Complete && r.Kept, "%+v", r)
				require.Equal(t, i == 0, r.Paid())
				require.Equal(t, c.usage, map[bool]llmidem.Usage{true: r.Usage, false: r.Saved}[i == 0])
			}
			require.Equal(t, 1, executed)
			sent = strings.Join(c.events[:1], "")
			text, r, err := ask(llmidem.Fresh())
			require.Equal(t, llmidem.CodeInterrupted, llmidem.CodeOf(err))
			require.Equal(t, sent, text)
			require.False(t, r.Kept)
		})
	}
}
