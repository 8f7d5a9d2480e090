package llmtest_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// A fakeT is a test that a test may let fail. Its TB is nil: what it does not
// have is not called.
type fakeT struct {
	testing.TB
	cleanup []func()
	errors  []string
	fatal   bool
}

func (f *fakeT) Helper()                   {}
func (f *fakeT) Cleanup(fn func())         { f.cleanup = append(f.cleanup, fn) }
func (f *fakeT) Failed() bool              { return len(f.errors) > 0 }
func (f *fakeT) Skipped() bool             { return false }
func (f *fakeT) Fatal(...any)              { f.fatal = true; panic(f) }
func (f *fakeT) Errorf(s string, a ...any) { f.errors = append(f.errors, s) }

func TestUnusedFaultsFailTheTest(t *testing.T) {
	for _, c := range []struct {
		opts []llmtest.Option
		want int
	}{{nil, 1}, {[]llmtest.Option{llmtest.AllowUnused()}, 0}} {
		var f fakeT
		srv := llmtest.New(&f, c.opts...)
		srv.Next(llmtest.Status(429), llmtest.OK())
		assert.Len(t, srv.Unused(), 2)
		for _, fn := range f.cleanup {
			fn()
		}
		assert.Len(t, f.errors, c.want)
	}
}

func TestAPatternThatIsNoneIsReported(t *testing.T) {
	bad := llmtest.WithKeys(llmidem.Keys{Pattern: "("})
	assert.PanicsWithError(t, "llmtest: WithKeys: Pattern is no regular expression: error parsing regexp: missing closing ): `^(?:()$`", func() { llmtest.Start(bad) })
	var f fakeT
	assert.Panics(t, func() { llmtest.New(&f, bad) })
	assert.True(t, f.fatal)
}

func TestFaultsGoToRequestsInOrderOfArrival(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		srv.Handle(func(q *llmtest.Request) llmtest.Fault {
			if q.Prompt == "fail" && srv.Ledger().ExecutionsOfPrompt("fail") == 0 {
				return llmtest.Status(500).AfterWork()
			}
			return llmtest.OK()
		})
		srv.Next(llmtest.Status(418))
		assert.Equal(t, 418, chat(srv, "fail").Status, "the queue comes first")
		assert.Equal(t, 500, chat(srv, "fail").Status)
		assert.Equal(t, 200, chat(srv, "fail").Status)
		assert.Equal(t, 200, chat(srv, "hi").Status)
		srv.Reset()
		assert.Empty(t, srv.Ledger().Requests)
		assert.Contains(t, chat(srv, "fail").Body, `"id":"chatcmpl-llmtest-1"`)
	})
}

func TestManyAtOnce(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		const n = 50
		for range n / 5 {
			srv.Next(llmtest.DropAfter(), llmtest.Status(429), llmtest.OK(), llmtest.DropMiddle(), llmtest.DropBefore())
		}
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() { chat(srv, "hi", "Idempotency-Key", "k") })
		}
		wg.Wait()
		l := srv.Ledger()
		assert.Len(t, l.Requests, n)
		assert.Equal(t, n/5*3, l.Executions())
		assert.Len(t, l.Bodies(), n)
	})
}

func TestResetWhileAnAnswerIsOnItsWay(t *testing.T) {
	srv := llmtest.New(t, llmtest.InMemory())
	in, out := make(chan struct{}), make(chan struct{})
	srv.Handle(func(*llmtest.Request) llmtest.Fault { close(in); <-out; return llmtest.Status(500) })
	done := make(chan reply)
	go func() { done <- chat(srv, "hi") }()
	<-in
	srv.Reset()
	close(out)
	assert.Equal(t, 500, (<-done).Status)
	assert.Empty(t, srv.Ledger().Requests)
}

func TestOneConnectionOfHTTP2IsDroppedWhole(t *testing.T) {
	srv := llmtest.New(t, llmtest.HTTP2())
	assert.True(t, strings.HasPrefix(srv.URL(), "https://"))
	entered := make(chan struct{})
	srv.Handle(func(q *llmtest.Request) llmtest.Fault {
		switch q.Prompt {
		case "hang":
			close(entered)
			return llmtest.Hang()
		case "drop":
			return llmtest.DropBefore().WholeConnection()
		case "stream":
			return llmtest.DropBefore()
		}
		return llmtest.OK()
	})
	require.NoError(t, chat(srv, "warm").Err)
	done := make(chan error)
	go func() { done <- chat(srv, "hang").Err }()
	<-entered
	assert.ErrorContains(t, chat(srv, "stream").Err, "stream error")
	select {
	case err := <-done:
		t.Fatal("a reset stream took the connection with it", err)
	default:
	}
	assert.Error(t, chat(srv, "drop").Err)
	assert.Error(t, <-done)
	l := srv.Ledger()
	assert.Equal(t, "HTTP/2.0", l.Requests[0].Proto)
	for _, q := range l.Requests {
		assert.Equal(t, l.Requests[0].Conn, q.Conn)
	}
	require.NoError(t, chat(srv, "new").Err)
}

func TestNetHTTPSendsAgainByItself(t *testing.T) {
	// What the ledger is for: a request with a key and GetBody that dies on a warm
	// connection is sent again by net/http, out of sight of its caller.
	srv := llmtest.New(t)
	require.NoError(t, chat(srv, "warm").Err)
	srv.Next(llmtest.DropAfter(), llmtest.OK())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+"/chat/completions", strings.NewReader(chatBody("hi", "")))
	require.NoError(t, err)
	req.Header.Set("Idempotency-Key", "k")
	res, err := srv.Client().Do(req)
	require.NoError(t, err)
	_ = res.Body.Close()
	assert.Equal(t, 2, srv.Ledger().ExecutionsOf("k"))
}

func TestCloseEndsWhatHangs(t *testing.T) {
	for _, w := range wires() {
		t.Run(w.name, func(t *testing.T) {
			srv := llmtest.Start(w.opts...)
			entered := make(chan struct{})
			srv.Handle(func(*llmtest.Request) llmtest.Fault { close(entered); return llmtest.Hang() })
			done := make(chan error)
			go func() { done <- chat(srv, "hi").Err }()
			<-entered
			srv.Close()
			assert.Error(t, <-done)
			srv.Close()
		})
	}
}

func TestTheListenerIsNotStartedAfterClose(t *testing.T) {
	srv := llmtest.Start()
	srv.Close()
	assert.Panics(t, func() { srv.URL() })
}

func TestAClientThatLeavesDoesNotStopTheWork(t *testing.T) {
	srv := llmtest.New(t)
	entered := make(chan struct{})
	srv.Handle(func(*llmtest.Request) llmtest.Fault { close(entered); return llmtest.Delay(time.Hour) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- send(ctx, srv, http.MethodPost, srv.URL()+"/chat/completions", chatBody("hi", "")).Err
	}()
	<-entered
	cancel()
	assert.ErrorIs(t, <-done, context.Canceled)
	srv.Close()
	assert.Equal(t, 1, srv.Ledger().Executions())
}

func TestBodiesThatAreTooLarge(t *testing.T) {
	overAll(t, func(t *testing.T, srv *llmtest.Server) {
		r := chat(srv, strings.Repeat("word ", 1000))
		assert.Equal(t, 413, r.Status)
		assert.Contains(t, r.Body, `"type":"invalid_request_error"`)
		assert.Equal(t, 200, chat(srv, "hi").Status)
	}, llmtest.WithMaxBody(1000))
}
