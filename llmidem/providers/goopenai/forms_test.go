package goopenai_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// A stream's events come when they come without llmidem, its end included, and an
// answer that is no stream when it comes.
func TestTiming_AsWithoutUs(t *testing.T) {
	times := func(t *testing.T, ours bool) (events []string) {
		synctest.Test(t, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.InMemory())
			srv.Handle(func(*llmtest.Request) llmtest.Fault {
				return llmtest.Text("one two three four").Delay(3 * time.Second).Pace(700 * time.Millisecond)
			})
			cfg := openai.DefaultConfig("t")
			cfg.BaseURL, cfg.HTTPClient = srv.URL(), srv.Client()
			api := openai.NewClientWithConfig(cfg)
			if ours {
				api = goopenai.New(cfg, newClient(t, srv.Provider())).Client
			}
			start := time.Now()
			note := func(what any, err error) {
				events = append(events, fmt.Sprint(time.Since(start), " ", what, " ", err))
			}
			chat, err := api.CreateChatCompletionStream(context.Background(), question)
			note("chat", err)
			for err == nil {
				var chunk openai.ChatCompletionStreamResponse
				chunk, err = chat.Recv()
				note(chunk.Choices, err)
			}
			require.NoError(t, chat.Close())
			text, err := api.CreateCompletionStream(context.Background(), openai.CompletionRequest{Model: "m", Prompt: "p"})
			note("text", err)
			for err == nil {
				var chunk openai.CompletionResponse
				chunk, err = text.Recv()
				note(chunk.Choices, err)
			}
			require.NoError(t, text.Close())
			responses, err := api.CreateResponseStream(context.Background(), openai.CreateResponseRequest{Model: "m", Input: "p"})
			note("responses", err)
			for err == nil {
				var event openai.ResponseStreamEvent
				event, err = responses.Recv()
				note(event.Type, err)
			}
			require.NoError(t, responses.Close())
			_, err = api.CreateChatCompletion(context.Background(), question)
			note("whole", err)
		})
		return events
	}
	want := times(t, false)
	require.Greater(t, len(want), 20)
	require.Equal(t, want, times(t, true))
}

// A form above the size that is kept in memory is sent again with the same bytes,
// and is the same call whatever its boundary and the name of its file.
func TestForm_LargeFileIsSentAgain(t *testing.T) {
	sound := bytes.Repeat([]byte("sound"), 1<<20)
	ask := func(p *pair, name string, sound []byte) *openai.AudioResponse {
		res, err := p.ours.CreateTranscription(context.Background(), openai.AudioRequest{Model: "whisper-1", FilePath: name, Reader: bytes.NewReader(sound)})
		require.NoError(t, err)
		return &res
	}
	p := newPair(t)
	p.service.next(busy, broken)
	require.Equal(t, "words", ask(p, "a.mp3", sound).Text)
	sent := p.service.take()
	require.Len(t, sent, 3)
	require.True(t, sent[0].Body == sent[1].Body && sent[1].Body == sent[2].Body)
	require.Greater(t, len(sent[2].Body), len(sound))
	require.Equal(t, "cache", ask(p, "other.mp3", sound).Header().Get("Llmidem-Source"))
	require.Equal(t, "provider", ask(p, "a.wav", sound).Header().Get("Llmidem-Source"), "another kind of file")
	sound[len(sound)/2]++
	require.Equal(t, "provider", ask(p, "a.mp3", sound).Header().Get("Llmidem-Source"), "another file")
	require.Len(t, p.service.take(), 2)
}

// Numbers of a form are text: that an answer has fewer images than n is noticed all
// the same.
func TestP7_ImagesOfAForm(t *testing.T) {
	p := newPair(t)
	p.service.next(status(200, "application/json", `{"data":[{"b64_json":"AAAA"}]}`))
	for i, want := range []int{1, 2, 2} {
		res, err := p.ours.CreateEditImage(context.Background(), requests()["CreateEditImage"].(openai.ImageEditRequest))
		require.NoError(t, err)
		require.Len(t, res.Data, want)
		require.Len(t, p.service.take(), []int{1, 1, 0}[i])
	}
}

// Transcripts as text are kept in each format, and error texts in their place not.
func TestP7b_TranscriptsAsText(t *testing.T) {
	p := newPair(t)
	req := func() openai.AudioRequest {
		return openai.AudioRequest{Model: "whisper-1", FilePath: "a.mp3", Reader: strings.NewReader("sound"), Format: openai.AudioResponseFormatVTT}
	}
	p.service.next(status(200, "text/vtt", "upstream error"))
	for i, want := range []string{"upstream error", "WEBVTT", "WEBVTT"} {
		res, err := p.ours.CreateTranscription(context.Background(), req())
		require.NoError(t, err)
		require.Contains(t, res.Text, want)
		require.Len(t, p.service.take(), []int{1, 1, 0}[i])
	}
}

// Speech is handed on as it came, and again from the record, each caller's own.
func TestP7b_SpeechIsRaw(t *testing.T) {
	p := newPair(t)
	for i := range 2 {
		res, err := p.ours.CreateSpeech(context.Background(), requests()["CreateSpeech"].(openai.CreateSpeechRequest))
		require.NoError(t, err)
		text, err := io.ReadAll(res)
		require.NoError(t, err)
		require.NoError(t, res.Close())
		require.Equal(t, "\xff\xfbsound", string(text))
		require.Equal(t, "audio/mpeg", res.Header().Get("Content-Type"))
		require.Len(t, p.service.take(), 1-i)
	}
}

// A form whose file fails is go-openai's error, and nothing is sent.
func TestForm_FileFails(t *testing.T) {
	p := newPair(t)
	broken := errors.New("the disk is gone")
	for _, api := range []*openai.Client{p.bare, p.ours} {
		_, err := api.CreateTranslation(context.Background(), openai.AudioRequest{Model: "m", FilePath: "a.mp3", Reader: io.MultiReader(strings.NewReader("x"), failing{broken})})
		require.ErrorIs(t, err, broken)
	}
	require.Empty(t, p.service.take())
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A form may ask for a stream, which is text there too: its events are not waited
// for, as without llmidem.
func TestForm_Stream(t *testing.T) {
	p := newPair(t)
	events := "data: {\"type\":\"transcript.text.delta\",\"delta\":\"w\"}\n\ndata: {\"type\":\"transcript.text.done\",\"text\":\"w\"}\n\n"
	from, to := io.Pipe()
	p.service.next(func() (*http.Response, error) {
		resp := page(200, "text/event-stream", "")
		resp.ContentLength, resp.Body = -1, from
		return resp, nil
	})
	client, err := llmidem.New(providers.OpenAI(), quiet, llmidem.WithTransport(p.service))
	require.NoError(t, err)
	defer client.Close(context.Background())
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nsound\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--b--\r\n"
	req, err := http.NewRequest(http.MethodPost, "https://api.invalid/v1/audio/transcriptions", strings.NewReader(form))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	go func() { _, _ = io.WriteString(to, events[:60]) }() // not the end
	resp, err := client.RoundTrip(req)
	require.NoError(t, err, "it is given out before its end")
	go func() { _, _ = io.WriteString(to, events[60:]); to.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, events, string(text))
	require.NoError(t, resp.Body.Close())
}
