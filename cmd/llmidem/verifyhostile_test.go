package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/stretchr/testify/require"
)

// handler serves a function, and counts what it is asked.
func handler(t *testing.T, fn func(w http.ResponseWriter, r *http.Request, n int)) (url string, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fn(w, r, int(asked.Add(1)))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, asked
}

func TestVerifyServiceThatCannotBeAsked(t *testing.T) {
	for _, c := range []struct {
		fault llmtest.Fault
		want  string
	}{
		{llmtest.Status(401).Message("Incorrect API key provided: " + apiKey), "401 invalid_api_key: set the variable that --api-key-env names to a key that may use the model"},
		{llmtest.Status(403).Code(apiKey), "403: set the variable"},
		{llmtest.Status(404), "404 invalid_request_error: --base-url (as an SDK is configured with it)"},
		{llmtest.Status(429), "429 rate_limit_exceeded: a limit or the balance is used up"},
		{llmtest.Status(500).Body("text/plain", "goroutine 1 [running] "+apiKey), "500"},
		{llmtest.Status(503).Body("application/json", `{"error":{"code":"`+apiKey+`"}}`), "503"},
		{llmtest.HTML(), "200, but no whole answer of the openai API; see --base-url and --provider"},
		{llmtest.ErrorOK(), "200, but no whole answer of the openai API"},
		{llmtest.CutJSON(), "200, but no whole answer of the openai API"},
		{llmtest.Reply("application/json", `{"choices":null}`), "200, but no whole answer of the openai API"},
		{llmtest.Reply("application/json", strings.Repeat("[", 1<<20)), "200, but no whole answer of the openai API"},
		{llmtest.DropAfter(), "the connection was cut, or what came is no HTTP; see --base-url and --timeout"},
		{llmtest.DropMiddle(), "the connection was cut, or what came is no HTTP"},
	} {
		srv := llmtest.New(t)
		srv.Next(c.fault)
		r := verifyURL(t, srv.URL(), "--json", "--expect", "replay")
		require.Equal(t, statusMute, r.status, c.fault)
		require.Empty(t, r.out)
		require.Contains(t, r.err, "\nllmidem: "+srv.URL()+"/chat/completions: "+c.want, c.fault)
		require.Equal(t, 3, strings.Count(r.err, "\n"))
		require.Len(t, srv.Ledger().Requests, 1)
	}
}

func TestVerifyFollowsNoRedirect(t *testing.T) {
	other := llmtest.New(t)
	otherURL := other.URL()
	for _, status := range []int{301, 302, 307, 308} {
		srv := llmtest.New(t)
		srv.Handle(func(*llmtest.Request) llmtest.Fault { return llmtest.Redirect(status, otherURL+"/chat/completions") })
		r := verifyURL(t, srv.URL())
		require.Equal(t, statusMute, r.status)
		require.Contains(t, r.err, "it redirects, which is not followed")
		require.Len(t, srv.Ledger().Requests, 1)
	}
	require.Empty(t, other.Ledger().Requests, "no key, prompt or credential travels")
}

func TestVerifyReadsAHugeAnswerInPart(t *testing.T) {
	var sent atomic.Int64
	url, _ := handler(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		block := []byte(strings.Repeat(" ", 64<<10))
		for {
			n, err := w.Write(block)
			if sent.Add(int64(n)); err != nil {
				return // the client has left
			}
		}
	})
	r := verifyURL(t, url)
	require.Equal(t, statusMute, r.status)
	require.Contains(t, r.err, "an answer of more than 1 MiB")
}

func TestVerifyWhatIsNoHTTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			n, _ := c.Read(buf)
			_, _ = c.Write(buf[:n]) // the request itself, credential and all
			_ = c.Close()
		}
	}()
	r := verifyURL(t, "http://"+l.Addr().String())
	require.Equal(t, statusMute, r.status)
	require.Contains(t, r.err, "the connection was cut, or what came is no HTTP")
	require.NoError(t, l.Close())
	<-done
	r = verifyURL(t, "http://"+l.Addr().String())
	require.Equal(t, statusMute, r.status)
	require.Contains(t, r.err, "no connection: connection refused")
}

// chatOf is an answer of the OpenAI API.
func chatOf(w io.Writer, id, text string) {
	fmt.Fprintf(w, `{"id":%q,"choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}]}`, id, text)
}

// oddServices are what they do, and what is to be said of it.
var oddServices = []struct {
	name    string
	serve   func(w http.ResponseWriter, r *http.Request, n int)
	class   string
	degree  degree
	results []string
	status  int
}{
	{"a cache of equal answers", func(w http.ResponseWriter, _ *http.Request, _ int) { chatOf(w, "id", "same") },
		classIgnore, likely, []string{"other key: same_answer"}, statusOK},
	{"a cache that says so", func(w http.ResponseWriter, _ *http.Request, n int) {
		if n > 1 {
			w.Header().Set("X-Cache", "hit")
		}
		chatOf(w, "id", "same")
	}, classIgnore, proved, []string{"other key: same_answer"}, statusOK},
	{"old answers to other questions", func(w http.ResponseWriter, r *http.Request, _ int) { chatOf(w, "", r.Header.Get("Idempotency-Key")) },
		classReplay, proved, []string{"other body: replays", "cut: unknown (not told)"}, statusOK},
	{"replays under new ids", func(w http.ResponseWriter, r *http.Request, n int) {
		chatOf(w, fmt.Sprint(n), r.Header.Get("Idempotency-Key"))
	}, classReplay, likely, []string{"other body: replays (likely)", "at once: unknown (not told)"}, statusOK},
	{"marks whatever comes", func(w http.ResponseWriter, _ *http.Request, n int) {
		w.Header().Set("Idempotency-Replayed", "TRUE")
		chatOf(w, fmt.Sprint(n), fmt.Sprint(n))
	}, classIgnore, proved, []string{"at once: executes"}, statusOK},
	{"marks what is no replay", func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 2 {
			w.Header().Set("Idempotency-Replayed", "1")
		}
		chatOf(w, fmt.Sprint(n), fmt.Sprint(n))
	}, unknown, notTold, []string{"same key: unknown (not told)"}, statusMute},
	{"goes down", func(w http.ResponseWriter, _ *http.Request, n int) {
		if n > 1 {
			w.WriteHeader(503)
		}
		chatOf(w, "id", "text")
	}, unknown, notTold, []string{"at once: unknown (not told)", "cut: unknown (not told)"}, statusMute},
	{"refuses every body after the first", func(w http.ResponseWriter, _ *http.Request, n int) {
		if n > 1 {
			w.WriteHeader(422)
		}
		chatOf(w, "id", "text")
	}, unknown, notTold, []string{"same key: unknown (not told)"}, statusMute},
	{"refuses keys without a word", func(w http.ResponseWriter, r *http.Request, n int) {
		if r.Header.Get("Idempotency-Key") != "" {
			w.WriteHeader(400)
		}
		chatOf(w, "id", "text")
	}, unknown, notTold, []string{"first key: refused"}, statusMute},
	{"takes only keys of another service", func(w http.ResponseWriter, r *http.Request, n int) {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"error":{"code":%q,"message":"bad Idempotency-Key"}}`, r.Header.Get("Idempotency-Key"))
	}, unknown, notTold, []string{"first key: refused"}, statusMute},
	{"a newer model", func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":{"code":"unsupported_parameter","param":"max_tokens","message":"Use 'max_completion_tokens' instead of max_tokens."}}`)
			return
		}
		chatOf(w, fmt.Sprint(n), fmt.Sprint(n))
	}, classIgnore, proved, []string{"first key: accepted"}, statusOK},
}

func TestVerifyOddServices(t *testing.T) {
	for _, c := range oddServices {
		t.Run(c.name, func(t *testing.T) {
			url, asked := handler(t, c.serve)
			r := verifyURL(t, url, "--json")
			rep := reported(t, r)
			require.Equal(t, c.status, r.status, r.err)
			require.Equal(t, c.class, rep.Class, r.out)
			require.Equal(t, c.degree, rep.Degree, r.out)
			require.Subset(t, rep.results(), c.results)
			require.Equal(t, strings.Contains(r.out, `"DANGEROUS: `), strings.Contains(rep.Go, "another body gets the old answer"))
			require.Equal(t, int(asked.Load()), rep.Calls)
			if c.class == unknown {
				require.Empty(t, rep.Go)
				require.Contains(t, r.err, "llmidem: the class is unknown: "+rep.Reason)
			}
		})
	}
}

func TestVerifyRequestThatIsRefusedWhateverTheKey(t *testing.T) {
	url, asked := handler(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(400)
		fmt.Fprint(w, `{"error":{"message":"no such model","code":"model_not_found"}}`)
	})
	r := verifyURL(t, url)
	require.Equal(t, statusMute, r.status)
	require.Contains(t, r.err, "400 model_not_found: it refuses the request whatever the key")
	require.EqualValues(t, 2, asked.Load(), "with a key and without")

	r = verifyURL(t, url, "--max-calls", "1")
	require.Equal(t, statusMute, r.status)
	require.Contains(t, r.err, "the class is unknown: the first request was refused, and --max-calls leaves none")
}

// Every request has a connection of its own, so that nothing is sent again below us.
func TestVerifySendsEveryRequestOnce(t *testing.T) {
	srv := serve(t, sdk.Keys{}, llmtest.Sampled())
	rep := reported(t, verifyURL(t, srv.URL(), "--json"))
	l := srv.Ledger()
	require.Len(t, l.Requests, rep.Calls)
	conns := map[int64]bool{}
	for _, q := range l.Requests {
		conns[q.Conn] = true
		require.Equal(t, "HTTP/1.1", q.Proto)
	}
	require.Len(t, conns, rep.Calls)
	require.Len(t, l.Keys(), 4, "the first key, another one, that of two at once, and the cut one")
}
