package llmidem_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

const wireAnswer = `{"id":"c","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}]}`

// arrival is a request as a server read it off the wire.
type arrival struct {
	proto, uri, body string
	header, trailer  http.Header
	length           int64
	chunked          bool
}

// wire is a server on a real listener, HTTP/1 or HTTP/2, and a client to it.
type wire struct {
	t      *testing.T
	url    string
	rt     http.RoundTripper
	client *llmidem.Client

	mu  sync.Mutex
	saw []arrival
}

// onWire runs a test over both protocols. The handler gets the number of the
// request, from 1, when its body was read.
func onWire(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, n int), test func(*testing.T, *wire), opts ...llmidem.Option) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			s := &wire{t: t}
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, handle) }))
			if proto == "HTTP/2.0" {
				srv.EnableHTTP2 = true
				srv.StartTLS()
				s.rt = srv.Client().Transport
			} else {
				srv.Start()
			}
			t.Cleanup(srv.Close)
			s.url = srv.URL + "/v1"
			opts := append(opts[:len(opts):len(opts)], llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}), quiet)
			if s.rt != nil {
				opts = append(opts, llmidem.WithTransport(s.rt))
			} else {
				s.rt = srv.Client().Transport // for what goes without a client
			}
			client, err := llmidem.New(providers.OpenAI(), opts...)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
			s.client = client
			test(t, s)
			for _, a := range s.arrivals() {
				require.Equal(t, proto, a.proto)
			}
		})
	}
}

func (s *wire) serve(w http.ResponseWriter, r *http.Request, handle func(http.ResponseWriter, *http.Request, int)) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return // it is cut off
	}
	s.mu.Lock()
	s.saw = append(s.saw, arrival{proto: r.Proto, uri: r.RequestURI, body: string(text), header: r.Header.Clone(), trailer: r.Trailer.Clone(),
		length: r.ContentLength, chunked: len(r.TransferEncoding) > 0})
	n := len(s.saw)
	s.mu.Unlock()
	handle(w, r, n)
}

func (s *wire) arrivals() []arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]arrival(nil), s.saw...)
}

// post is a request with a body that can be read once and has no known length.
func (s *wire) post(route string, text io.Reader) *http.Request {
	t := s.t
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.url+route, struct{ io.Reader }{text})
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer sk-test")
	return req
}

func (s *wire) read(resp *http.Response, err error) exchanged {
	s.t.Helper()
	return (&bench{t: s.t}).read(resp, err)
}

func answers(w http.ResponseWriter, _ *http.Request, _ int) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, wireAnswer)
}

// busyFirst refuses the first request.
func busyFirst(w http.ResponseWriter, r *http.Request, n int) {
	if n == 1 {
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	answers(w, r, n)
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// R8: a chunked body without length arrives whole on every attempt, and has one
// answer with an equal one whose length is known.
func TestR8_ChunkedBody(t *testing.T) {
	for name, text := range map[string]string{"small": chatBody("chunked"), "in a file": chatBody(strings.Repeat("long ", 700_000))} {
		t.Run(name, func(t *testing.T) {
			onWire(t, busyFirst, func(t *testing.T, s *wire) {
				got := s.read(s.client.RoundTrip(s.post("/chat/completions", strings.NewReader(text))))
				require.Equal(t, "provider", got.source)
				require.Equal(t, wireAnswer, got.body)
				seen := s.arrivals()
				require.Len(t, seen, 2)
				require.True(t, seen[0].body == text && seen[1].body == text, "the same bytes")
				require.EqualValues(t, len(text), seen[1].length)
				require.Equal(t, seen[0].header.Get("Idempotency-Key"), seen[1].header.Get("Idempotency-Key"))
				again, err := http.NewRequest(http.MethodPost, s.url+"/chat/completions", strings.NewReader(text))
				require.NoError(t, err)
				again.Header.Set("Authorization", "Bearer sk-test")
				require.Equal(t, "cache", s.read(s.client.RoundTrip(again)).source)
			})
		})
	}
}

// A compressed body is the call that it says, and goes out as it came.
func TestBody_Gzip(t *testing.T) {
	text := chatBody("compressed")
	onWire(t, busyFirst, func(t *testing.T, s *wire) {
		zip := func(body, coding string) *http.Request {
			req := s.post("/chat/completions", strings.NewReader(body))
			req.Header.Set("Content-Encoding", coding)
			return req
		}
		packed := gzipped(t, text)
		first := s.read(s.client.RoundTrip(zip(packed, "gzip")))
		require.Equal(t, "provider", first.source)
		seen := s.arrivals()
		require.Len(t, seen, 2)
		for _, a := range seen {
			require.Equal(t, packed, a.body)
			require.Equal(t, "gzip", a.header.Get("Content-Encoding"))
		}
		plain := s.read(s.client.RoundTrip(s.post("/chat/completions", strings.NewReader(text))))
		require.Equal(t, "cache", plain.source, "the same call")
		require.Equal(t, first.header.Get("Idempotency-Key"), plain.header.Get("Idempotency-Key"))
		require.Equal(t, "cache", s.read(s.client.RoundTrip(zip(text, "identity"))).source)
		require.Equal(t, "cache", s.read(s.client.RoundTrip(zip(gzipped(t, text[:9])+gzipped(t, text[9:]), "X-GZIP"))).source, "two members")
		for name, req := range map[string]*http.Request{
			"no gzip": zip(text, "gzip"), "cut": zip(packed[:len(packed)-5], "gzip"), "with more behind": zip(packed+"x", "gzip"),
			"another coding": zip(packed, "br"), "two codings": zip(packed, "gzip, gzip"), "what it says is no JSON": zip(gzipped(t, "x"), "gzip"),
		} {
			_, err := s.client.RoundTrip(req)
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err), name)
			require.NotContains(t, err.Error(), "compressed", name)
		}
		require.Len(t, s.arrivals(), 2)
	})
}

// Of a list of inputs each has its answer, however the request came.
func TestP7_InputsOfACompressedBody(t *testing.T) {
	onWire(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[`+strings.TrimSuffix(strings.Repeat(`{"embedding":[1]},`, n), ",")+`]}`)
	}, func(t *testing.T, s *wire) {
		for i := range 3 {
			req := s.post("/embeddings", strings.NewReader(gzipped(t, `{"model":"m","input":["a","b"]}`)))
			req.Header.Set("Content-Encoding", "gzip")
			require.Equal(t, i < 2, s.read(s.client.RoundTrip(req)).source == "provider", "the first answer has one of two")
		}
		long := strings.Repeat("a", 2<<20)
		for i := range 2 {
			got := s.read(s.client.RoundTrip(s.post("/embeddings", strings.NewReader(`{"model":"m","input":["`+long+`","b","c","d"]}`))))
			require.Equal(t, "provider", got.source, "answer %d has too few", i+3)
			if i == 1 {
				require.Equal(t, "cache", s.read(s.client.RoundTrip(s.post("/embeddings", strings.NewReader(`{"model":"m","input":["`+long+`","b","c","d"]}`)))).source)
			}
		}
	})
}

// A bomb is bounded by MaxBody, like any body.
func TestBody_OverMaxBody(t *testing.T) {
	big := chatBody(strings.Repeat("x", 5000))
	makers := map[string]func(t *testing.T, s *wire) *http.Request{
		"of known length": func(t *testing.T, s *wire) *http.Request {
			req, err := http.NewRequest(http.MethodPost, s.url+"/chat/completions", strings.NewReader(big))
			require.NoError(t, err)
			return req
		},
		"of unknown length": func(t *testing.T, s *wire) *http.Request { return s.post("/chat/completions", strings.NewReader(big)) },
		"compressed": func(t *testing.T, s *wire) *http.Request {
			req := s.post("/chat/completions", strings.NewReader(gzipped(t, big)))
			req.Header.Set("Content-Encoding", "gzip")
			return req
		},
	}
	for name, make := range makers {
		t.Run(name+" is refused", func(t *testing.T) {
			onWire(t, answers, func(t *testing.T, s *wire) {
				_, err := s.client.RoundTrip(make(t, s))
				require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
				require.ErrorContains(t, err, "PassOverMaxBody")
				require.Empty(t, s.arrivals())
			}, llmidem.Config{MaxBody: 1000})
		})
		t.Run(name+" passes where asked", func(t *testing.T) {
			spans := llmtest.Spans()
			onWire(t, answers, func(t *testing.T, s *wire) {
				bare := s.read(s.rt.RoundTrip(make(t, s)))
				for range 2 {
					got := s.read(s.client.RoundTrip(make(t, s)))
					got.header.Del("Date")
					bare.header.Del("Date")
					require.Equal(t, bare, got)
				}
				seen := s.arrivals()
				require.Len(t, seen, 3)
				for _, a := range seen[1:] {
					require.Equal(t, seen[0], a, "as a bare transport sends it, without key")
				}
				why, _ := spans.Spans()[0].Attr("llmidem.passed_through")
				require.Equal(t, "body_too_large", why.AsString())
			}, llmidem.Config{MaxBody: 1000, PassOverMaxBody: true}, llmidem.WithTracerProvider(spans))
		})
	}
	_, err := llmidem.New(providers.OpenAI(), llmidem.Config{Strict: true, PassOverMaxBody: true})
	require.ErrorContains(t, err, "PassOverMaxBody")
}

// announced is a body that sets a trailer when it was read.
type announced struct {
	io.Reader
	end func()
}

func (a *announced) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if err == io.EOF {
		a.end()
	}
	return n, err
}

// Trailers of a request go out on every attempt; those of an answer come after its
// body, announced or not, and are not given out again.
func TestTrailers(t *testing.T) {
	onWire(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			busyFirst(w, r, n)
			return
		}
		w.Header().Set("Trailer", "X-Announced")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, wireAnswer)
		w.(http.Flusher).Flush()
		w.Header().Set("X-Announced", "yes")
		w.Header().Set(http.TrailerPrefix+"X-Other", "too")
	}, func(t *testing.T, s *wire) {
		req := s.post("/chat/completions", nil)
		req.Trailer = http.Header{"X-Sum": nil}
		req.Body = io.NopCloser(&announced{strings.NewReader(chatBody("x")), func() { req.Trailer.Set("X-Sum", "17") }})
		resp, err := s.client.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, wireAnswer, s.read(resp, nil).body)
		require.Equal(t, http.Header{"X-Announced": {"yes"}, "X-Other": {"too"}}, resp.Trailer)
		seen := s.arrivals()
		require.Len(t, seen, 2)
		for _, a := range seen {
			require.Equal(t, http.Header{"X-Sum": {"17"}}, a.trailer)
			require.Equal(t, chatBody("x"), a.body)
		}
		resp, err = s.client.RoundTrip(s.post("/chat/completions", strings.NewReader(chatBody("x"))))
		require.NoError(t, err)
		require.Equal(t, "cache", s.read(resp, nil).source)
		require.Empty(t, resp.Trailer)
	})
}

// The same of a stream, which is read ahead of its caller, and of an answer that
// is too large to be kept.
func TestTrailers_OfWhatIsReadOn(t *testing.T) {
	events := `data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	large := `{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"` + strings.Repeat("x", 3000) + `"}}]}`
	onWire(t, func(w http.ResponseWriter, r *http.Request, n int) {
		w.Header().Set("Trailer", "X-Announced")
		kind, text := "text/event-stream", events
		if n == 2 {
			kind, text = "application/json", large
		}
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, text)
		w.(http.Flusher).Flush()
		w.Header().Set("X-Announced", "yes")
		w.Header().Set(http.TrailerPrefix+"X-Other", "too")
	}, func(t *testing.T, s *wire) {
		for _, tt := range []struct{ body, want string }{
			{`{"model":"m","stream":true,"messages":[]}`, events}, {`{"model":"m","messages":[]}`, large}} {
			resp, err := s.client.RoundTrip(s.post("/chat/completions", strings.NewReader(tt.body)))
			require.NoError(t, err)
			require.Contains(t, resp.Trailer, "X-Announced")
			require.Equal(t, tt.want, s.read(resp, nil).body)
			require.Equal(t, http.Header{"X-Announced": {"yes"}, "X-Other": {"too"}}, resp.Trailer)
		}
	}, llmidem.Config{MaxEntry: 2000})
}

// Informational answers are the caller's to see, and no attempts.
func TestInformationalAnswers(t *testing.T) {
	onWire(t, func(w http.ResponseWriter, r *http.Request, n int) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		answers(w, r, n)
	}, func(t *testing.T, s *wire) {
		var mu sync.Mutex
		var codes []int
		ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			mu.Lock()
			defer mu.Unlock()
			codes = append(codes, code)
			return nil
		}})
		ctx, receipt := llmidem.WithReceipt(ctx)
		req := s.post("/chat/completions", strings.NewReader(chatBody("x"))).WithContext(ctx)
		req.Header.Set("Expect", "100-continue")
		got := s.read(s.client.RoundTrip(req))
		require.Equal(t, 200, got.status)
		require.Equal(t, wireAnswer, got.body)
		require.Equal(t, 1, receipt().Attempts)
		require.Subset(t, codes, []int{103, 102})
		require.Len(t, s.arrivals(), 1)
	})
}

// A server that answers before it has read the body has refused it.
func TestExpectContinueRefused(t *testing.T) {
	refused := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refused++; refused == 1 {
			w.WriteHeader(http.StatusTooManyRequests) // the body is not asked for
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		answers(w, r, 0)
	}))
	defer srv.Close()
	client, err := llmidem.New(providers.OpenAI(), llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}), quiet)
	require.NoError(t, err)
	defer client.Close(context.Background())
	req, err := http.NewRequest(http.MethodPost, srv.URL+"/v1/chat/completions", strings.NewReader(chatBody(strings.Repeat("x", 3<<20))))
	require.NoError(t, err)
	req.Header.Set("Expect", "100-continue")
	require.Equal(t, 200, (&bench{t: t}).read(client.RoundTrip(req)).status)
	require.Equal(t, 2, refused)
}

// A server that switches protocols gives no answer that could be waited for.
func TestSwitchingProtocols(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = conn.Read(make([]byte, 1)) // until the client leaves
	}))
	defer srv.Close()
	client, err := llmidem.New(providers.OpenAI(), quiet)
	require.NoError(t, err)
	defer client.Close(context.Background())
	req, err := http.NewRequest(http.MethodPost, srv.URL+"/v1/chat/completions", strings.NewReader(chatBody("x")))
	require.NoError(t, err)
	resp, err := client.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
}

// R6a: nothing arrives at another origin, whatever the protocol and the body.
func TestR6a_RedirectOnTheWire(t *testing.T) {
	for _, status := range []int{301, 307, 308} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived at another origin") }))
			defer elsewhere.Close()
			onWire(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				http.Redirect(w, r, elsewhere.URL+"/v1/chat/completions", status)
			}, func(t *testing.T, s *wire) {
				for _, text := range []string{chatBody("secret"), chatBody(strings.Repeat("secret", 300_000))} {
					req, err := http.NewRequest(http.MethodPost, s.url+"/chat/completions", strings.NewReader(text))
					require.NoError(t, err)
					_, err = s.client.Do(req)
					require.Equal(t, llmidem.CodeRedirect, llmidem.CodeOf(err))
					require.NotContains(t, err.Error(), "secret")
				}
				_, err := s.client.Do(s.get("/files/f/content"))
				require.Equal(t, llmidem.CodeRedirect, llmidem.CodeOf(err), "also of what passes untouched")
			})
		})
	}
}

func (s *wire) get(route string) *http.Request {
	req, err := http.NewRequest(http.MethodGet, s.url+route, nil)
	require.NoError(s.t, err)
	return req
}

// A URL with a user is sent as net/http's client sends it.
func TestDo_UserOfTheURL(t *testing.T) {
	onWire(t, answers, func(t *testing.T, s *wire) {
		for _, token := range []string{"", "Bearer own"} {
			req := s.post("/chat/completions", strings.NewReader(chatBody("as "+token)))
			req.Header.Del("Authorization")
			if token != "" {
				req.Header.Set("Authorization", token)
			}
			req.URL.User = url.UserPassword("u", "p")
			s.read(s.client.Do(req))
			require.Equal(t, token, req.Header.Get("Authorization"), "the caller's request is not changed")
		}
		seen := s.arrivals()
		require.Equal(t, "Basic dTpw", seen[0].header.Get("Authorization"))
		require.Equal(t, "Bearer own", seen[1].header.Get("Authorization"))
	})
}

// A body that fails while it is read is refused, and nothing arrives.
func TestBody_FailsOnTheWay(t *testing.T) {
	broken := errors.New("broken")
	onWire(t, answers, func(t *testing.T, s *wire) {
		_, err := s.client.RoundTrip(s.post("/chat/completions", io.MultiReader(io.LimitReader(rand.Reader, 2<<20), failing{broken})))
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
		require.ErrorIs(t, err, broken)
		require.Empty(t, s.arrivals())
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
