package llmidem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// streamed is a stream read to its end.
type streamed struct {
	text   string
	chunks []openai.ChatCompletionStreamResponse
	err    error // nil for io.EOF
	r      llmidem.Receipt
}

type chatStream = llmidem.Stream[openai.ChatCompletionStreamResponse]

func (b *bench) open(ctx context.Context, prompt string, opts ...llmidem.CallOption) (*chatStream, error) {
	req := chat(prompt)
	req.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	return llmidem.CallStream(ctx, b.api.CreateChatCompletionStream, req, opts...)
}

func (b *bench) mustOpen(prompt string) *chatStream {
	b.t.Helper()
	s, err := b.open(context.Background(), prompt)
	require.NoError(b.t, err)
	return s
}

func drainStream(s *chatStream) streamed {
	var out streamed
	var text strings.Builder
	for chunk, err := range s.All() {
		if err != nil {
			out.err = err
			break
		}
		out.chunks = append(out.chunks, chunk)
		for _, c := range chunk.Choices {
			text.WriteString(c.Delta.Content)
		}
	}
	out.text, out.r = text.String(), s.Receipt()
	return out
}

// stream asks for a stream and reads it.
func (b *bench) stream(prompt string, opts ...llmidem.CallOption) streamed {
	b.t.Helper()
	s, err := b.open(context.Background(), prompt, opts...)
	require.NoError(b.t, err)
	return drainStream(s)
}

func (b *bench) mustStream(prompt string, opts ...llmidem.CallOption) streamed {
	b.t.Helper()
	out := b.stream(prompt, opts...)
	require.NoError(b.t, out.err)
	return out
}

// direct is what go-openai alone makes of a stream.
func (b *bench) direct(prompt string) streamed {
	b.t.Helper()
	cfg := openai.DefaultConfig("sk-direct")
	cfg.BaseURL = b.srv.URL()
	cfg.HTTPClient = b.srv.Client()
	req := chat(prompt)
	req.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	s, err := openai.NewClientWithConfig(cfg).CreateChatCompletionStream(context.Background(), req)
	require.NoError(b.t, err)
	defer s.Close()
	var out streamed
	for {
		chunk, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(b.t, err)
		out.chunks = append(out.chunks, chunk)
	}
}

// rawStream reads a stream without an SDK.
func (b *bench) rawStream(prompt string) exchanged {
	b.t.Helper()
	text := strings.TrimSuffix(chatBody(prompt), "}") + `,"stream":true}`
	return b.read(b.client.RoundTrip(b.request("/chat/completions", text)))
}

func TestS1_StreamIsPaidForAndKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Status(429), llmtest.OK())
		out := b.mustStream("one")
		require.NotEmpty(t, out.text)
		require.True(t, out.r.Paid() && out.r.Complete && out.r.Kept, "%+v", out.r)
		require.Equal(t, 2, out.r.Attempts)
		require.EqualValues(t, b.srv.Ledger().Billed().Output, out.r.Usage.OutputTokens)
		require.Len(t, b.srv.Ledger().Keys(), 1)
	})
}

func TestT7_ReplayIsTheSame(t *testing.T) {
	b := newBench(t)
	first, second := b.mustStream("again"), b.mustStream("again")
	require.Equal(t, first.chunks, second.chunks)
	require.Equal(t, llmidem.SourceCache, second.r.Source)
	require.Equal(t, first.r.Usage, second.r.Saved)
	require.Zero(t, second.r.Usage)
	require.Equal(t, first.r.TraceID, second.r.Origin)
	require.Equal(t, 1, b.srv.Ledger().Executions())
}

func TestT7_ReplayIsByteEqual(t *testing.T) {
	chunk := func(text string) string {
		return `data: {"id":"c","choices":[{"index":0,"delta":{"content":"` + text + `"}}]}`
	}
	const finish = `data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	for name, body := range map[string]string{
		"plain":           chunk("a") + "\n\n" + finish + "\n\ndata: [DONE]\n\n",
		"CRLF":            chunk("a") + "\r\n\r\n" + finish + "\r\n\r\ndata: [DONE]\r\n\r\n",
		"no last newline": chunk("a") + "\n\n" + finish + "\n\ndata: [DONE]",
		"stray blanks":    "\n\n" + chunk("a") + "\n\n\n\n" + finish + "\n\n\ndata: [DONE]\n\n\n\n",
		"fields":          "id: 7\nevent: message\n" + chunk("a") + "\nretry: 9\nother\n\n" + finish + "\n\ndata:[DONE]\n\n",
		"BOM":             "\xEF\xBB\xBF" + chunk("a") + "\n\n" + finish + "\n\ndata: [DONE]\n\n",
		"multi-line data": "data: {\"choices\":\ndata: [{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n" + finish + "\n\ndata: [DONE]\n\n",
	} {
		t.Run("T3 "+name, func(t *testing.T) {
			b := newBench(t)
			b.srv.Next(llmtest.Reply("text/event-stream", body))
			first, second := b.rawStream("bytes"), b.rawStream("bytes")
			require.Equal(t, body, first.body)
			require.Equal(t, body, second.body)
			require.Equal(t, "cache", second.source)
			require.Equal(t, "text/event-stream", second.header.Get("Content-Type"))
		})
	}
}

func TestT1_CommentsAndPingsStayOut(t *testing.T) {
	for name, text := range map[string]string{
		"comment": ": keep-alive\n\n", "bare comment": ":\n", "ping": "event: ping\ndata: {\"type\": \"ping\"}\n\n",
		"OpenRouter": ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n",
	} {
		for _, end := range []string{"\n", "\r\n", "\r"} {
			t.Run(fmt.Sprintf("%s %q", name, end), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t)
					reply := llmtest.Text("one two").Newline(end)
					b.srv.Next(reply, reply.Before(text), reply.Before(text).Split(1))
					same := strings.NewReplacer("llmtest-2", "llmtest-1", "llmtest-3", "llmtest-1").Replace
					clean := b.rawStream("a").body
					require.Equal(t, clean, same(b.rawStream("b").body))
					require.Equal(t, clean, same(b.rawStream("c").body))
				})
			})
		}
	}
}

func TestT4_SplitAtEveryByte(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.OK().Split(1))
	out := b.mustStream("bytes")
	require.True(t, out.r.Kept)
	require.Equal(t, out.chunks, b.mustStream("bytes").chunks)
}

func TestT6_ToolsChoicesUsage(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.CallTool("weather", `{"city":"Paris"}`), llmtest.CallTool("weather", `{"city":"Paris"}`))
	first, direct := b.mustStream("tool"), b.direct("tool")
	require.Equal(t, len(direct.chunks), len(first.chunks))
	require.Equal(t, first.chunks, b.mustStream("tool").chunks)
	req := chat("two")
	req.N = 2
	for range 2 {
		s, err := llmidem.CallStream(context.Background(), b.api.CreateChatCompletionStream, req)
		require.NoError(t, err)
		require.NoError(t, drainStream(s).err)
		require.True(t, s.Receipt().Kept)
	}
	require.Equal(t, 3, b.srv.Ledger().Executions())
}

func TestCallStream_InfersEveryStream(t *testing.T) {
	b := newBench(t)
	text, err := llmidem.CallStream(context.Background(), b.api.CreateCompletionStream, openai.CompletionRequest{Model: "gpt-3.5-turbo-instruct", Prompt: "p"})
	require.NoError(t, err)
	var all string
	for c, err := range text.All() {
		require.NoError(t, err)
		all += c.Choices[0].Text
	}
	require.NotEmpty(t, all)
	require.True(t, text.Receipt().Kept)
	require.NotEmpty(t, text.Header().Get("Idempotency-Key"))
	for range 2 {
		resp, err := llmidem.CallStream(context.Background(), b.api.CreateResponseStream, openai.CreateResponseRequest{Model: "gpt-4o", Input: "q"})
		require.NoError(t, err)
		last := ""
		for e, err := range resp.All() {
			require.NoError(t, err)
			last = string(e.Type)
		}
		require.Equal(t, "response.completed", last)
		require.True(t, resp.Receipt().Kept)
	}
	require.Equal(t, 2, b.srv.Ledger().Executions())
}

func TestP5_EmptyStreamReplays(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.Text(""))
	first := b.mustStream("empty")
	require.Empty(t, first.text)
	require.True(t, first.r.Kept)
	require.Equal(t, first.chunks, b.mustStream("empty").chunks)
}
