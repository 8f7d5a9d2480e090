package llmidem_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// realClient is a client over real connections to a server: through its own
// transport, or through that of the server's client where certificates matter.
func realClient(t *testing.T, srv *llmtest.Server, rt http.RoundTripper) *bench {
	t.Helper()
	opts := []llmidem.Option{llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}), quiet}
	if rt != nil {
		opts = append(opts, llmidem.WithTransport(rt))
	}
	client, err := llmidem.New(srv.Provider(), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
	b := &bench{t: t, srv: srv, client: client}
	b.api = b.apiOver(client, "sk-test")
	return b
}

// net/http sends a POST with an Idempotency-Key again by itself when a kept-alive
// connection dies, below every count. With five warm connections that made six
// executions of one call.
func TestR7_WarmConnectionsDropped(t *testing.T) {
	for _, tt := range []struct {
		name  string
		opts  []llmtest.Option
		drop  func() llmtest.Fault
		proto string
	}{
		{"HTTP/1, before the work", nil, llmtest.DropBefore, "HTTP/1.1"},
		{"HTTP/1, after the work", nil, llmtest.DropAfter, "HTTP/1.1"},
		{"HTTP/2, stream reset", []llmtest.Option{llmtest.HTTP2()}, llmtest.DropAfter, "HTTP/2.0"},
		{"HTTP/2, connection dropped", []llmtest.Option{llmtest.HTTP2()},
			func() llmtest.Fault { return llmtest.DropAfter().WholeConnection() }, "HTTP/2.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := llmtest.New(t, tt.opts...)
			var rt http.RoundTripper
			if tt.opts != nil {
				rt = srv.Client().Transport
			}
			b := realClient(t, srv, rt)
			b.warm(5)
			srv.Reset()
			srv.Handle(func(*llmtest.Request) llmtest.Fault { return tt.drop() })
			res, err := b.ask(context.Background(), "dropped")
			require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
			require.Equal(t, 3, res.Receipt.Attempts)
			seen := srv.Ledger()
			require.Len(t, seen.Bodies(), 3, "requests equal attempts")
			require.Equal(t, tt.proto, seen.Requests[0].Proto)
			if tt.name != "HTTP/1, before the work" {
				require.Equal(t, 3, seen.Executions(), "executions equal attempts")
			}
		})
	}
}

// warm makes n connections that are kept alive.
func (b *bench) warm(n int) {
	b.t.Helper()
	var gate sync.WaitGroup
	gate.Add(n)
	b.srv.Handle(func(*llmtest.Request) llmtest.Fault {
		gate.Done()
		gate.Wait() // all at once, so that each has a connection of its own
		return llmtest.OK()
	})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			_, err := b.ask(context.Background(), "warm "+strconv.Itoa(i))
			require.NoError(b.t, err)
		})
	}
	wg.Wait()
}

// Nobody listens: nothing was written, so the call is known not to be executed.
func TestR10_ConnectionRefused(t *testing.T) {
	srv := llmtest.New(t)
	client, err := llmidem.New(srv.Provider(), llmidem.Config{OnAmbiguous: llmidem.Fail}, quiet)
	require.NoError(t, err)
	defer client.Close(context.Background())
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, refused.Close()) // nobody listens there now
	b := &bench{t: t, srv: srv, client: client}
	req := b.request("/chat/completions", chatBody("x"))
	req.URL.Host = refused.Addr().String()
	_, err = client.RoundTrip(req)
	var e *llmidem.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, llmidem.CodeFailed, e.Code, "not sent is not ambiguous")
	require.Equal(t, 5, e.Attempts)
	require.Equal(t, "connection_error", e.ErrorType())
}

func TestR6_CertificateIsFinal(t *testing.T) {
	srv := llmtest.New(t, llmtest.WithTLS())
	b := realClient(t, srv, nil) // a transport that does not trust the server
	res, err := b.ask(context.Background(), "x")
	require.Equal(t, llmidem.CodeFailed, llmidem.CodeOf(err))
	require.ErrorContains(t, err, "certificate")
	require.Equal(t, 1, res.Receipt.Attempts)
}

// http2Server answers every request but the first ones, which it treats as the
// given frames say.
func http2Server(t *testing.T, first func(f *http2.Framer, stream uint32)) (url string, seen func() int, client *http.Client) {
	t.Helper()
	ts := httptest.NewUnstartedServer(nil)
	ts.EnableHTTP2 = true
	ts.StartTLS()
	cert := ts.TLS.Certificates
	pool := ts.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	ts.Close()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: cert, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	var mu sync.Mutex
	count := 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				serveFrames(conn, func(f *http2.Framer, stream uint32) {
					mu.Lock()
					count++
					n := count
					mu.Unlock()
					if n == 1 {
						first(f, stream)
					} else {
						answerFrames(f, stream)
					}
				})
			})
		}
	})
	rt := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com"}, ForceAttemptHTTP2: true}
	t.Cleanup(func() { rt.CloseIdleConnections(); ln.Close(); wg.Wait() })
	return "https://" + ln.Addr().String() + "/v1", func() int { mu.Lock(); defer mu.Unlock(); return count }, &http.Client{Transport: rt}
}

// serveFrames reads requests off a connection and gives each to handle when its
// stream has ended.
func serveFrames(conn net.Conn, handle func(*http2.Framer, uint32)) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	f := http2.NewFramer(conn, conn)
	_ = f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.DataFrame:
			if frame.StreamEnded() {
				handle(f, frame.StreamID)
			}
		}
	}
}

func answerFrames(f *http2.Framer, stream uint32) {
	text := `{"id":"c","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}]}`
	var block headerBlock
	enc := hpack.NewEncoder(&block)
	_ = enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	_ = enc.WriteField(hpack.HeaderField{Name: "content-type", Value: "application/json"})
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndHeaders: true})
	_ = f.WriteData(stream, true, []byte(text))
}

type headerBlock []byte

func (b *headerBlock) Write(p []byte) (int, error) { *b = append(*b, p...); return len(p), nil }

// What an HTTP/2 server says it did not process was not executed: it is sent
// again although ambiguous ends are not.
func TestR7a_UnprocessedStreams(t *testing.T) {
	for name, first := range map[string]func(f *http2.Framer, stream uint32){
		"REFUSED_STREAM": func(f *http2.Framer, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream) },
		"GOAWAY below the stream": func(f *http2.Framer, stream uint32) {
			_ = f.WriteGoAway(0, http2.ErrCodeNo, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, seen, hc := http2Server(t, first)
			srv := llmtest.New(t, llmtest.InMemory())
			client, err := llmidem.New(srv.Provider(), llmidem.WithTransport(hc.Transport),
				llmidem.Config{OnAmbiguous: llmidem.Fail}, llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}), quiet)
			require.NoError(t, err)
			defer client.Close(context.Background())
			req, err := http.NewRequest(http.MethodPost, url+"/chat/completions", body(chatBody("x")))
			require.NoError(t, err)
			b := &bench{t: t}
			got := b.read(client.RoundTrip(req))
			require.Equal(t, 200, got.status)
			require.Equal(t, 2, seen())
		})
	}
}

// A reset without that promise is ambiguous.
func TestR7a_OtherResetIsAmbiguous(t *testing.T) {
	url, seen, hc := http2Server(t, func(f *http2.Framer, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeInternal) })
	srv := llmtest.New(t, llmtest.InMemory())
	client, err := llmidem.New(srv.Provider(), llmidem.WithTransport(hc.Transport), llmidem.Config{OnAmbiguous: llmidem.Fail}, quiet)
	require.NoError(t, err)
	defer client.Close(context.Background())
	req, err := http.NewRequest(http.MethodPost, url+"/chat/completions", body(chatBody("x")))
	require.NoError(t, err)
	_, err = client.RoundTrip(req)
	require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
	require.Equal(t, 1, seen())
}

// GOAWAY that counts the stream in lets it be answered; with an error behind it,
// what became of the stream is not known.
func TestR7a_GoAwayAboveTheStream(t *testing.T) {
	for name, tt := range map[string]struct {
		first func(f *http2.Framer, stream uint32)
		code  llmidem.Code
	}{
		"answered": {func(f *http2.Framer, stream uint32) {
			_ = f.WriteGoAway(stream, http2.ErrCodeNo, nil)
			answerFrames(f, stream)
		}, ""},
		"broken off": {func(f *http2.Framer, stream uint32) {
			_ = f.WriteGoAway(stream, http2.ErrCodeInternal, nil)
			_ = f.WriteRSTStream(stream, http2.ErrCodeInternal)
		}, llmidem.CodeAmbiguous},
	} {
		t.Run(name, func(t *testing.T) {
			url, seen, hc := http2Server(t, tt.first)
			client, err := llmidem.New(llmtest.New(t, llmtest.InMemory()).Provider(), llmidem.WithTransport(hc.Transport),
				llmidem.Config{OnAmbiguous: llmidem.Fail}, quiet)
			require.NoError(t, err)
			defer client.Close(context.Background())
			req, err := http.NewRequest(http.MethodPost, url+"/chat/completions", body(chatBody("x")))
			require.NoError(t, err)
			resp, err := client.RoundTrip(req)
			require.Equal(t, tt.code, llmidem.CodeOf(err))
			if err == nil {
				require.Equal(t, 200, (&bench{t: t}).read(resp, nil).status)
			}
			require.Equal(t, 1, seen())
		})
	}
}
