package llmtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// newRequest makes a request for the transport in memory.
func newRequest(ctx context.Context, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, llmtest.MemoryURL+"/chat/completions", body)
	if err != nil {
		panic(err)
	}
	return req
}

func TestTimeInMemoryIsTheBubbles(t *testing.T) {
	// The server is made outside and used inside, as by a shared fixture.
	srv := llmtest.New(t)
	synctest.Test(t, func(t *testing.T) {
		srv.Next(llmtest.Delay(time.Hour), llmtest.Text("a b").Pace(time.Minute))
		start := time.Now()
		res, err := srv.Transport().RoundTrip(newRequest(t.Context(), strings.NewReader(chatBody("hi", ""))))
		require.NoError(t, err)
		_, err = io.ReadAll(res.Body)
		require.NoError(t, err)
		assert.Equal(t, time.Hour, time.Since(start))

		res, err = srv.Transport().RoundTrip(newRequest(t.Context(), strings.NewReader(chatBody("hi", `,"stream":true`))))
		require.NoError(t, err)
		lines := bufio.NewScanner(res.Body)
		var at []time.Duration
		start = time.Now()
		for lines.Scan() {
			if lines.Text() != "" {
				at = append(at, time.Since(start))
			}
		}
		m := time.Minute
		assert.Equal(t, []time.Duration{0, m, 2 * m, 3 * m, 4 * m}, at, "each event arrives when it is sent")
	})
}

func TestHangEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(llmtest.Hang(), llmtest.Hang().AfterWork(), llmtest.OK().LeaveOpen())
		cause := errors.New("gave up")
		for range 2 {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, cause)
			_, err := srv.Transport().RoundTrip(newRequest(ctx, strings.NewReader(chatBody("hi", ""))))
			cancel()
			assert.ErrorIs(t, err, cause)
		}
		assert.Equal(t, 1, srv.Ledger().Executions())

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		res, err := srv.Transport().RoundTrip(newRequest(ctx, strings.NewReader(chatBody("hi", ""))))
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Contains(t, string(body), "Answer to: hi")
	})
}

func TestClosingTheBodyEndsTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(llmtest.OK().Pace(time.Hour))
		start := time.Now()
		res, err := srv.Transport().RoundTrip(newRequest(t.Context(), strings.NewReader(chatBody("hi", `,"stream":true`))))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		_, err = res.Body.Read(make([]byte, 1))
		assert.Error(t, err)
		synctest.Wait()
		assert.Zero(t, time.Since(start))
	})
}

func TestCloseEndsWhatIsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.Start(llmtest.InMemory())
		srv.Next(llmtest.Hang(), llmtest.Text(strings.Repeat("word ", 20000)))
		failed := make(chan error)
		go func() {
			_, err := srv.Transport().RoundTrip(newRequest(t.Context(), strings.NewReader(chatBody("hi", ""))))
			failed <- err
		}()
		synctest.Wait()
		// A body that nobody reads, larger than what the server writes ahead.
		res, err := srv.Transport().RoundTrip(newRequest(t.Context(), strings.NewReader(chatBody("hi", `,"stream":true`))))
		require.NoError(t, err)
		synctest.Wait()
		go srv.Close()
		assert.Error(t, <-failed)
		synctest.Wait()
		_, err = io.ReadAll(res.Body)
		assert.Error(t, err)
		srv.Close()
		_, err = srv.Transport().RoundTrip(newRequest(t.Context(), nil))
		assert.Error(t, err)
		assert.Len(t, srv.Ledger().Requests, 2, "the ledger stays")
	})
}

// A hookLog notes when the httptrace hooks are called.
type hookLog struct {
	mu    sync.Mutex
	calls []string
}

func (l *hookLog) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, fmt.Sprintf(format, args...))
}

func (l *hookLog) context(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:              func(host string) { l.add("GetConn %s", host) },
		GotConn:              func(i httptrace.GotConnInfo) { l.add("GotConn %s", i.Conn.RemoteAddr()) },
		WroteHeaders:         func() { l.add("WroteHeaders") },
		WroteRequest:         func(i httptrace.WroteRequestInfo) { l.add("WroteRequest %v", i.Err) },
		GotFirstResponseByte: func() { l.add("GotFirstResponseByte") },
	})
}

func TestHooksTellWhatWasWritten(t *testing.T) {
	broken := errors.New("disk gone")
	all := []string{"GetConn llmtest.invalid", "GotConn llmtest", "WroteHeaders", "WroteRequest <nil>", "GotFirstResponseByte"}
	cases := []struct {
		name  string
		fault llmtest.Fault
		body  io.Reader
		err   bool
		want  []string
	}{
		{"answered", llmtest.OK(), strings.NewReader(chatBody("hi", "")), false, all},
		{"without a body", llmtest.OK(), nil, false, all},
		{"refused", llmtest.Refuse(), strings.NewReader("x"), true, all[:1]},
		{"dropped", llmtest.DropBefore(), strings.NewReader(chatBody("hi", "")), true, all[:4]},
		{"body fails", llmtest.OK(), io.MultiReader(strings.NewReader("{"), iotestErr{broken}), true, append(all[:3:3], "WroteRequest disk gone")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			srv := llmtest.New(t, llmtest.InMemory(), llmtest.AllowUnused())
			srv.Next(c.fault)
			var log hookLog
			res, err := srv.Transport().RoundTrip(newRequest(log.context(t.Context()), c.body))
			assert.Equal(t, c.err, err != nil, "%v", err)
			if err == nil {
				_ = res.Body.Close()
			}
			srv.Close()
			assert.Equal(t, c.want, log.calls)
		})
	}
}

type iotestErr struct{ err error }

func (r iotestErr) Read([]byte) (int, error) { return 0, r.err }

// A countedBody counts how often it is closed.
type countedBody struct {
	io.Reader
	closed atomic.Int32
}

func (b *countedBody) Close() error { b.closed.Add(1); return nil }

func TestTheRequestBodyIsClosedOnce(t *testing.T) {
	for _, f := range []llmtest.Fault{llmtest.OK(), llmtest.Refuse(), llmtest.DropAfter(), llmtest.Status(500)} {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(f)
		body := &countedBody{Reader: strings.NewReader(chatBody("hi", ""))}
		res, err := srv.Transport().RoundTrip(newRequest(t.Context(), body))
		if err == nil {
			_ = res.Body.Close()
		}
		srv.Close()
		assert.EqualValues(t, 1, body.closed.Load(), "%v", f)
	}
}

func TestRequestsThatNetHTTPRefuses(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	for name, change := range map[string]func(*http.Request){
		"scheme":       func(r *http.Request) { r.URL.Scheme = "ftp" },
		"host":         func(r *http.Request) { r.URL.Host = "" },
		"header value": func(r *http.Request) { r.Header.Set("Idempotency-Key", "a\r\nB: c") },
		"header name":  func(r *http.Request) { r.Header["a b"] = []string{"c"} },
		"no header":    func(r *http.Request) { r.Header = nil },
		"no url":       func(r *http.Request) { r.URL = nil },
		"too short":    func(r *http.Request) { r.ContentLength = 1000 },
		"too long":     func(r *http.Request) { r.ContentLength = 1 },
	} {
		req := newRequest(t.Context(), strings.NewReader(chatBody("hi", "")))
		change(req)
		_, err := srv.Transport().RoundTrip(req)
		assert.Error(t, err, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := srv.Transport().RoundTrip(newRequest(ctx, strings.NewReader("{}")))
	assert.ErrorIs(t, err, context.Canceled)
	srv.Close()
	assert.Zero(t, srv.Ledger().Executions())
}

func TestStreamsThatStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := llmtest.New(t, llmtest.InMemory())
		srv.Next(llmtest.CutEvents(2).LeaveOpen(), llmtest.StreamError(1).LeaveOpen())
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			start := time.Now()
			res, err := srv.Transport().RoundTrip(newRequest(ctx, strings.NewReader(chatBody("hi", `,"stream":true`))))
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			cancel()
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 2, strings.Count(string(body), "data: "))
			assert.Equal(t, time.Minute, time.Since(start))
		}
		srv.Next(llmtest.DropAfter().LeaveOpen())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := srv.Transport().RoundTrip(newRequest(ctx, strings.NewReader(chatBody("hi", ""))))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3, srv.Ledger().Executions())
	})
}
