package goopenai_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
)

// requests are a request for each method that is an inference call.
func requests() map[string]any {
	png := func(text string) io.Reader { return openai.WrapReader(strings.NewReader(text), "a.png", "image/png") }
	chat := openai.ChatCompletionRequest{Model: "m", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "hi"}}}
	completion := openai.CompletionRequest{Model: "m", Prompt: "hi"}
	response := openai.CreateResponseRequest{Model: "m", Input: "hi"}
	audio := func() openai.AudioRequest {
		return openai.AudioRequest{Model: "whisper-1", FilePath: "a.mp3", Reader: strings.NewReader("sound")}
	}
	return map[string]any{
		"CreateChatCompletion": chat, "CreateChatCompletionStream": chat,
		"CreateCompletion": completion, "CreateCompletionStream": completion,
		"CreateResponse": response, "CreateResponseStream": response,
		"CreateEmbeddings":    openai.EmbeddingRequest{Model: "m", Input: "hi"},
		"CreateImage":         openai.ImageRequest{Model: "m", Prompt: "a cat", N: 2},
		"CreateEditImage":     openai.ImageEditRequest{Model: "m", Image: png("cat"), Mask: png("mask"), Prompt: "a hat", N: 2},
		"CreateVariImage":     openai.ImageVariRequest{Image: png("cat"), N: 2},
		"CreateTranscription": audio(), "CreateTranslation": audio(),
		"CreateSpeech": openai.CreateSpeechRequest{Model: "tts-1", Input: "hi", Voice: "alloy"},
		"Moderations":  openai.ModerationRequest{Input: "hi"},
	}
}

// classified is testdata/surface.txt: every method of go-openai's client, every
// field of a request of an inference method, and what each is.
func classified(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/surface.txt")
	require.NoError(t, err)
	list := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, class, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(line, "#") {
			require.NotContains(t, list, name, "listed twice")
			list[name] = class
		}
	}
	return list
}

// compare holds what was found out about go-openai against the list.
func compare(t *testing.T, kind string, found map[string]string) {
	t.Helper()
	list := classified(t)
	for name, class := range found {
		if want, ok := list[name]; !ok {
			t.Errorf("%s of go-openai is not classified: look whether it is %q, and add it to testdata/surface.txt", name, name+": "+class)
		} else if want != class {
			t.Errorf("%s is classified as %q and is %q", name, want, class)
		}
	}
	for name := range list {
		if _, ok := found[name]; !ok && strings.HasPrefix(name, kind+" ") {
			t.Errorf("%s is classified, and go-openai has it no more", name)
		}
	}
}

func methods() []string {
	var names []string
	api := reflect.TypeFor[*openai.Client]()
	for i := range api.NumMethod() {
		names = append(names, api.Method(i).Name)
	}
	return names
}

// Every method is an inference call, passes untouched, or sends nothing.
func TestSurface_Methods(t *testing.T) {
	found := map[string]string{}
	for _, name := range methods() {
		p := newPair(t)
		r := call(t, p.ours, name, requests()[name])
		require.True(t, r.Err == nil || errors.Is(r.Err, io.EOF), "%s: %v", name, r.Err)
		keys, sent := 0, p.service.take()
		for _, q := range sent {
			if q.Header.Get("Idempotency-Key") != "" {
				keys++
			}
		}
		switch {
		case len(sent) == 0:
			found["method "+name] = "local"
		case keys == 0:
			found["method "+name] = "passes"
		default:
			require.Len(t, sent, keys)
			found["method "+name] = "inference"
		}
		_, listed := requests()[name]
		require.Equal(t, listed, keys > 0, "%s: requests() has the inference calls", name)
	}
	compare(t, "method", found)
}

func status(code int, kind, text string) fault {
	return func() (*http.Response, error) { return page(code, kind, text), nil }
}

var (
	errWire = syscall.ECONNRESET
	reset   = func() (*http.Response, error) { return nil, errWire }
	refusal = status(400, "application/json", `{"error":{"message":"no","type":"invalid_request_error","code":"bad"}}`)
	busy    = status(429, "application/json", `{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}`)
	broken  = status(500, "text/html", "<html>oops</html>")
)

// An inference call has a key, is repeated after a fault with the same bytes, and
// is executed once for two equal calls; what its caller gets is what go-openai
// alone gives, each time.
func TestSurface_InferenceCalls(t *testing.T) {
	for name := range requests() {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			want := call(t, p.bare, name, requests()[name])
			alone := p.service.take()
			require.Len(t, alone, 1)

			p.service.next(busy, reset)
			got := call(t, p.ours, name, requests()[name])
			require.Equal(t, want.plain(), got.plain())
			require.Equal(t, "provider", got.Header.Get("Llmidem-Source"))
			sent := p.service.take()
			require.Len(t, sent, 3)
			key := sent[0].Header.Get("Idempotency-Key")
			require.Regexp(t, "^idem_[0-9a-f]{64}$", key)
			for _, q := range sent {
				require.Equal(t, sent[0], q)
			}
			sent[0].Header.Del("Idempotency-Key")
			require.Equal(t, alone[0], sent[0], "as go-openai sends it, but for the key")

			again := call(t, p.ours, name, requests()[name])
			require.Empty(t, p.service.take(), "an equal call is not sent")
			require.Equal(t, key, again.Header.Get("Idempotency-Key"))
			require.Equal(t, "cache", again.Header.Get("Llmidem-Source"))
			want.Header, again.Header = nil, nil
			require.Equal(t, want.plain(), again.plain())
		})
	}
}

// Errors that stay are the same with and without llmidem.
func TestSurface_ErrorsOfInferenceCalls(t *testing.T) {
	for name := range requests() {
		t.Run(name, func(t *testing.T) {
			for kind, f := range map[string]fault{"refusal": refusal, "broken": broken, "reset": reset} {
				p := newPair(t)
				p.service.next(f)
				want := call(t, p.bare, name, requests()[name])
				p.service.next(slices.Repeat([]fault{f}, 10)...)
				got := call(t, p.ours, name, requests()[name])
				require.Error(t, want.Err, kind)
				require.Equal(t, want.plain(), got.plain(), kind)
			}
		})
	}
}

// What is no inference call is as without llmidem: the request, the answer, the
// error, each time anew, and its span says that it was passed.
func TestSurface_WhatPasses(t *testing.T) {
	for _, name := range methods() {
		if _, ok := requests()[name]; ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			for _, f := range []fault{nil, refusal, broken, reset} {
				p.service.next(f)
				want := call(t, p.bare, name, nil)
				alone := p.service.take()
				p.spans.Reset()
				for range 2 {
					p.service.next(f)
					got := call(t, p.ours, name, nil)
					require.Equal(t, want.plain(), got.plain())
					require.Empty(t, got.Header.Get("Llmidem-Source"))
					require.NotEqual(t, llmidem.CodeInvalid, llmidem.CodeOf(got.Err))
					require.Equal(t, alone, p.service.take())
				}
				require.Len(t, p.spans.Spans(), 2*len(alone))
				for _, span := range p.spans.Spans() {
					why, _ := span.Attr("llmidem.passed_through")
					require.Equal(t, "no_such_route", why.AsString())
				}
			}
		})
	}
}
