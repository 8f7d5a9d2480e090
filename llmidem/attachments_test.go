package llmidem_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b) // never fails
	return b
}

// document makes a file and its handle.
func document(t testing.TB, content []byte) (path string, a *identity.Attachment) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "confidential.png")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	a, err := identity.File(path)
	require.NoError(t, err)
	return path, a
}

// picture is a chat about an image.
func picture(prompt, url string) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{Model: "gpt-4o-mini", Messages: []openai.ChatCompletionMessage{{Role: "user", MultiContent: []openai.ChatMessagePart{
		{Type: openai.ChatMessagePartTypeText, Text: prompt},
		{Type: openai.ChatMessagePartTypeImageURL, ImageURL: &openai.ChatMessageImageURL{URL: url}},
	}}}}
}

func pictureBody(prompt, url string) string {
	return `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"` + prompt + `"},{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`
}

func dataURI(a *identity.Attachment, content []byte) string {
	return "data:" + a.MediaType() + ";base64," + base64.StdEncoding.EncodeToString(content)
}

// api is go-openai over the wire's client.
func (s *wire) api() *goopenai.Client {
	cfg := openai.DefaultConfig("sk-test")
	cfg.BaseURL = s.url
	cfg.HTTPClient = nil
	return goopenai.New(cfg, s.client)
}

func (s *wire) with(req *http.Request, a ...*identity.Attachment) *http.Request {
	return req.WithContext(llmidem.WithAttachments(req.Context(), a...))
}

// K13: what goes over the wire of a handle is what the inline request sends, on
// every attempt and under the same key, and the two have one answer.
func TestK13_HandleIsItsContentOnTheWire(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 3 << 20} {
		content := noise(n)
		_, a := document(t, content)
		onWire(t, busyFirst, func(t *testing.T, s *wire) {
			ctx := llmidem.WithAttachments(context.Background(), a)
			held, err := llmidem.Call(ctx, s.api().CreateChatCompletion, picture("what is it?", a.DataURI()))
			require.NoError(t, err)
			require.Equal(t, llmidem.SourceProvider, held.Receipt.Source)
			inline, err := llmidem.Call(context.Background(), s.api().CreateChatCompletion, picture("what is it?", dataURI(a, content)))
			require.NoError(t, err)
			require.Equal(t, llmidem.SourceCache, inline.Receipt.Source, "they are one call")
			require.Equal(t, held.Receipt.Key, inline.Receipt.Key)
			_, err = llmidem.Call(context.Background(), s.api().CreateChatCompletion, picture("what is it?", dataURI(a, content)), llmidem.NoRecall())
			require.NoError(t, err)
			saw := s.arrivals()
			require.Len(t, saw, 3)
			for _, x := range saw {
				require.True(t, x.body == saw[2].body)
				require.Equal(t, saw[2].length, x.length)
				require.False(t, x.chunked)
				require.Equal(t, saw[2].header.Get("Idempotency-Key"), x.header.Get("Idempotency-Key"))
			}
		})
	}
}

func TestAttachments_InForms(t *testing.T) {
	content := noise(3 << 20)
	_, a := document(t, content)
	onWire(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"text":"hello"}`)
	}, func(t *testing.T, s *wire) {
		ctx := llmidem.WithAttachments(context.Background(), a)
		held, err := llmidem.Call(ctx, s.api().CreateTranscription, openai.AudioRequest{Model: "whisper-1", FilePath: "x.wav", Reader: strings.NewReader(a.Raw())})
		require.NoError(t, err)
		inline, err := llmidem.Call(context.Background(), s.api().CreateTranscription, openai.AudioRequest{Model: "whisper-1", FilePath: "x.wav", Reader: bytes.NewReader(content)})
		require.NoError(t, err)
		require.Equal(t, held.Receipt.Key, inline.Receipt.Key)
		require.Equal(t, llmidem.SourceCache, inline.Receipt.Source)
		saw := s.arrivals()
		require.Len(t, saw, 2)
		require.True(t, saw[0].body == saw[1].body)
		require.EqualValues(t, len(saw[0].body), saw[0].length)
		require.Equal(t, 1, strings.Count(saw[1].body, string(content)))
		require.NotContains(t, saw[1].body, a.Raw())
	})
}

func TestAttachments_BesideALargeText(t *testing.T) {
	content := noise(2 << 20)
	_, a := document(t, content)
	dir := spoolDir(t)
	onWire(t, busyFirst, func(t *testing.T, s *wire) {
		long := strings.Repeat("long ", 700_000) // which goes into a file
		got := s.read(s.client.RoundTrip(s.with(s.post("/chat/completions", strings.NewReader(pictureBody(long, a.DataURI()))), a)))
		require.Equal(t, 200, got.status)
		for _, x := range s.arrivals() {
			require.True(t, x.body == pictureBody(long, dataURI(a, content)))
		}
	})
	require.Empty(t, files(t, dir))
}

func TestAttachments_AreCountedAsPlaceholders(t *testing.T) {
	content := noise(1 << 20)
	_, a := document(t, content)
	onWire(t, answers, func(t *testing.T, s *wire) {
		got := s.read(s.client.RoundTrip(s.with(s.post("/chat/completions", strings.NewReader(pictureBody("x", a.DataURI()))), a)))
		require.Equal(t, 200, got.status)
		require.Len(t, s.arrivals()[0].body, len(pictureBody("x", dataURI(a, content))))
	}, llmidem.Config{MaxBody: 10_000})
}

func TestAttachments_RefusedBeforeAnythingIsSent(t *testing.T) {
	path, a := document(t, noise(1000))
	other := identity.Bytes(noise(1000))
	onWire(t, answers, func(t *testing.T, s *wire) {
		refused := func(req *http.Request, target error) {
			t.Helper()
			_, err := s.client.RoundTrip(req)
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
			if target != nil {
				require.ErrorIs(t, err, target)
			}
			require.NotContains(t, err.Error(), "confidential")
			require.NotContains(t, err.Error(), a.DataURI()[100:])
		}
		post := func() *http.Request {
			return s.post("/chat/completions", strings.NewReader(pictureBody("x", a.DataURI())))
		}
		refused(post(), nil)
		refused(s.with(post(), other), nil)
		gz := s.with(s.post("/chat/completions", strings.NewReader(gzipped(t, pictureBody("x", a.DataURI())))), a)
		gz.Header.Set("Content-Encoding", "gzip")
		refused(gz, nil)
		old := s.with(post(), a)
		require.NoError(t, os.WriteFile(path, noise(1001), 0o600))
		refused(old, identity.ErrChanged)
		gone := s.with(post(), a)
		require.NoError(t, os.Remove(path))
		refused(gone, os.ErrNotExist)
		require.NoError(t, os.WriteFile(path, noise(1000), 0o600))
		require.Empty(t, s.arrivals())
	})
}

// A placeholder that somebody has pasted into a text reads nothing and changes nothing.
func TestAttachments_PastedPlaceholderIsText(t *testing.T) {
	_, a := document(t, noise(1000))
	onWire(t, answers, func(t *testing.T, s *wire) {
		for i, text := range []string{"what is " + a.DataURI(), a.DataURI() + "?", a.Base64()} {
			plain := s.read(s.client.RoundTrip(s.post("/chat/completions", strings.NewReader(chatBody(text)))))
			with := s.read(s.client.RoundTrip(s.with(s.post("/chat/completions", strings.NewReader(chatBody(text))), a)))
			require.Equal(t, plain.header.Get("Idempotency-Key"), with.header.Get("Idempotency-Key"))
			require.Equal(t, "cache", with.source)
			require.Len(t, s.arrivals(), i+1)
			require.Equal(t, chatBody(text), s.arrivals()[i].body)
		}
	})
}

// A request that is no inference call passes as it is, and so does one without model.
func TestAttachments_OfWhatPasses(t *testing.T) {
	_, a := document(t, noise(1000))
	onWire(t, answers, func(t *testing.T, s *wire) {
		for i, post := range []struct{ route, body string }{
			{"/files", `"` + a.DataURI() + `"`}, {"/chat/completions", `{"messages":[{"role":"user","content":"` + a.DataURI() + `"}]}`},
		} {
			require.Equal(t, 200, s.read(s.client.RoundTrip(s.with(s.post(post.route, strings.NewReader(post.body)), a))).status)
			require.Equal(t, post.body, s.arrivals()[i].body)
		}
	})
}

// The file changes after the first attempt, of which nothing is known or which was
// turned away: there is no second one.
func TestAttachments_FileThatChangesBetweenAttempts(t *testing.T) {
	for status, code := range map[int]llmidem.Code{429: llmidem.CodeFailed, 500: llmidem.CodeAmbiguous} {
		for name, change := range map[string]func(path string) error{
			"grown":     func(path string) error { return os.WriteFile(path, noise(2_000_001), 0o600) },
			"truncated": func(path string) error { return os.Truncate(path, 1_000_000) },
			"replaced": func(path string) error {
				return errors.Join(os.WriteFile(path+"2", bytes.Repeat([]byte{1}, 2_000_000), 0o600), os.Rename(path+"2", path))
			},
		} {
			path, a := document(t, noise(2_000_000))
			onWire(t, func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 1 {
					if err := change(path); err != nil {
						t.Error(err)
					}
					w.WriteHeader(status)
					return
				}
				answers(w, r, n)
			}, func(t *testing.T, s *wire) {
				require.NoError(t, os.WriteFile(path, noise(2_000_000), 0o600))
				ask := func() (llmidem.Result[openai.ChatCompletionResponse], error) {
					return llmidem.Call(llmidem.WithAttachments(context.Background(), a), s.api().CreateChatCompletion, picture("x", a.DataURI()))
				}
				_, err := ask()
				require.ErrorIs(t, err, identity.ErrChanged, name)
				require.Equal(t, code, llmidem.CodeOf(err), name)
				var e *llmidem.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, 1, e.Attempts, "the second was never made")
				require.NotContains(t, err.Error(), "confidential")
				require.Len(t, s.arrivals(), 1)
				res, err := ask() // about what the file holds now
				require.NoError(t, err)
				require.NotEqual(t, e.Key, res.Receipt.Key)
			})
		}
	}
}

// onServer runs a test over both protocols against a handler that reads the body
// itself.
func onServer(t *testing.T, handle http.HandlerFunc, test func(t *testing.T, url string, client *llmidem.Client), opts ...llmidem.Option) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(handle)
			srv.EnableHTTP2 = true
			opts := append(opts[:len(opts):len(opts)], llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}), quiet)
			if proto == "HTTP/2.0" {
				srv.StartTLS()
				opts = append(opts, llmidem.WithTransport(srv.Client().Transport))
			} else {
				srv.Start()
			}
			defer srv.Close()
			client, err := llmidem.New(providers.OpenAI(), opts...)
			require.NoError(t, err)
			defer func() { require.NoError(t, client.Close(context.Background())) }()
			test(t, srv.URL+"/v1", client)
		})
	}
}

func attached(t *testing.T, ctx context.Context, url string, prompt string, a *identity.Attachment) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(llmidem.WithAttachments(ctx, a), http.MethodPost, url+"/chat/completions", strings.NewReader(pictureBody(prompt, a.DataURI())))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer sk-test")
	return req
}

// The file changes while it is sent: the request never ends, is not made again, and
// leaves no record behind.
func TestAttachments_FileThatChangesWhileItIsSent(t *testing.T) {
	content := noise(16 << 20)
	path, a := document(t, content)
	change := map[string]func() error{
		"grown":     func() error { return os.WriteFile(path, append(content[:len(content):len(content)], 'x'), 0o600) },
		"truncated": func() error { return os.Truncate(path, 5<<20) },
		"touched":   func() error { return os.WriteFile(path, content, 0o600) },
		"replaced": func() error {
			return errors.Join(os.WriteFile(path+"2", content, 0o600), os.Rename(path+"2", path))
		},
	}
	for name, do := range change {
		var whole, seen atomic.Int32
		var once sync.Once
		var spoil atomic.Bool
		onServer(t, func(w http.ResponseWriter, r *http.Request) {
			seen.Add(1)
			_, _ = io.CopyN(io.Discard, r.Body, 100_000)
			if spoil.Load() {
				once.Do(func() {
					if err := do(); err != nil {
						t.Error(err)
					}
				})
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return // cut off
			}
			whole.Add(1)
			answers(w, r, 1)
		}, func(t *testing.T, url string, client *llmidem.Client) {
			require.NoError(t, os.WriteFile(path, content, 0o600))
			once, seen, whole = sync.Once{}, atomic.Int32{}, atomic.Int32{}
			spoil.Store(true)
			_, err := client.RoundTrip(attached(t, context.Background(), url, name, a))
			require.ErrorIs(t, err, identity.ErrChanged)
			require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(err), "no server executes half a request")
			require.NotContains(t, err.Error(), "confidential")
			require.EqualValues(t, 1, seen.Load())
			require.Zero(t, whole.Load())
			spoil.Store(false)
			require.NoError(t, os.WriteFile(path, content, 0o600))
			resp, err := client.RoundTrip(attached(t, context.Background(), url, name, a))
			require.NoError(t, err, "no record is in the way")
			require.Equal(t, "provider", resp.Header.Get("Llmidem-Source"))
			require.NoError(t, resp.Body.Close())
		}, llmidem.Config{OnUnknown: llmidem.Fail})
	}
}

// A server that answers before it has the whole of a request answered something
// else than what the key stands for.
func TestAttachments_AnswerToHalfARequestIsNotKept(t *testing.T) {
	content := noise(1 << 20)
	a, err := identity.Reader(bytes.NewReader(content), int64(len(content)))
	require.NoError(t, err)
	sends := 0
	client, err := llmidem.New(providers.OpenAI(), quiet, llmidem.WithTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
		sends++
		_, _ = io.Copy(io.Discard, req.Body) // and does not care how it ends
		_ = req.Body.Close()
		return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{"Content-Type": {"application/json"}},
			ContentLength: int64(len(wireAnswer)), Body: io.NopCloser(strings.NewReader(wireAnswer))}, nil
	})))
	require.NoError(t, err)
	defer client.Close(context.Background())
	req := attached(t, context.Background(), "https://api.example/v1", "x", a)
	content[5]++
	_, err = client.RoundTrip(req)
	require.ErrorIs(t, err, identity.ErrChanged)
	content[5]--
	resp, err := client.RoundTrip(attached(t, context.Background(), "https://api.example/v1", "x", a))
	require.NoError(t, err)
	require.Equal(t, "provider", resp.Header.Get("Llmidem-Source"))
	require.Equal(t, 2, sends)
}

func TestAttachments_CancelledInTheMiddle(t *testing.T) {
	_, a := document(t, noise(16<<20))
	ctx, cancel := context.WithCancel(context.Background())
	var first atomic.Bool
	first.Store(true)
	onServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 100_000)
		if first.Swap(false) {
			cancel()
		}
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			answers(w, r, 1)
		}
	}, func(t *testing.T, url string, client *llmidem.Client) {
		ctx, cancel = context.WithCancel(context.Background())
		defer cancel()
		first.Store(true)
		req := attached(t, ctx, url, "x", a)
		req = req.WithContext(llmidem.WithCall(req.Context(), llmidem.NoRecall())) // else the call goes on without its caller
		_, err := client.RoundTrip(req)
		require.ErrorIs(t, err, context.Canceled)
		resp, err := client.RoundTrip(attached(t, context.Background(), url, "x", a))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	})
}

func TestAttachments_ManySendsOfOneHandle(t *testing.T) {
	content := noise(700_000)
	_, a := document(t, content)
	onWire(t, answers, func(t *testing.T, s *wire) {
		ctx := llmidem.WithAttachments(context.Background(), a)
		var group sync.WaitGroup
		for i := range 64 {
			group.Go(func() {
				if _, err := llmidem.Call(ctx, s.api().CreateChatCompletion, picture(fmt.Sprint(i), a.DataURI())); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		uri := dataURI(a, content)
		for _, x := range s.arrivals() {
			require.True(t, strings.Contains(x.body, `"`+uri+`"`))
		}
		require.Len(t, s.arrivals(), 64)
	})
}

func TestAttachments_AreAddedToThoseOfTheContext(t *testing.T) {
	a, b, c := identity.Bytes([]byte("a")), identity.Bytes([]byte("b")), identity.Bytes([]byte("c"))
	onWire(t, answers, func(t *testing.T, s *wire) {
		outer := llmidem.WithAttachments(context.Background(), a)
		left, right := llmidem.WithAttachments(outer, b), llmidem.WithAttachments(outer, c)
		try := func(ctx context.Context, x *identity.Attachment) error {
			_, err := s.api().CreateChatCompletion(ctx, picture("x", x.DataURI()))
			return err
		}
		require.NoError(t, try(left, a))
		require.NoError(t, try(left, b))
		require.NoError(t, try(right, c))
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(try(right, b)), "of another branch")
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(try(outer, c)))
	})
}

// A stream is a call like others: made again, and one with the inline request.
func TestAttachments_OfAStream(t *testing.T) {
	content := noise(300_000)
	_, a := document(t, content)
	b := newBench(t, llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}))
	b.srv.Next(llmtest.Status(503), llmtest.OK())
	ask := func(ctx context.Context, url string) streamed {
		s, err := llmidem.CallStream(ctx, b.api.CreateChatCompletionStream, picture("what is it?", url))
		require.NoError(t, err)
		defer s.Close()
		out := drainStream(s)
		require.NoError(t, out.err)
		return out
	}
	held := ask(llmidem.WithAttachments(context.Background(), a), a.DataURI())
	inline := ask(context.Background(), dataURI(a, content))
	require.Equal(t, held.text, inline.text)
	require.Equal(t, held.r.Key, inline.r.Key)
	require.Equal(t, llmidem.SourceCache, inline.r.Source)
	bodies := b.srv.Ledger().Bodies()
	require.Len(t, bodies, 2)
	for _, sent := range bodies {
		require.Contains(t, string(sent), dataURI(a, content))
	}
}

// A redirect within the origin is followed with the content, not the placeholder.
func TestAttachments_FollowRedirects(t *testing.T) {
	content := noise(300_000)
	_, a := document(t, content)
	onWire(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			http.Redirect(w, r, "/v2/chat/completions", http.StatusTemporaryRedirect)
			return
		}
		answers(w, r, n)
	}, func(t *testing.T, s *wire) {
		req, err := http.NewRequest(http.MethodPost, s.url+"/chat/completions", strings.NewReader(pictureBody("x", a.DataURI())))
		require.NoError(t, err)
		require.Equal(t, 200, s.read(s.client.Do(s.with(req, a))).status)
		require.Len(t, s.arrivals(), 2)
		for _, x := range s.arrivals() {
			require.True(t, x.body == pictureBody("x", dataURI(a, content)))
		}
	})
}
