package llmidem

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// proxy is a forward proxy that counts what it was asked for.
type proxy struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string // methods
	status int      // of its own answers to the first requests, while left
	left   int
	tunnel sync.WaitGroup
}

func newProxy(t *testing.T, speaksTLS bool) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewUnstartedServer(p)
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	if speaksTLS {
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(func() { p.Close(); p.tunnel.Wait() })
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method)
	refuse := p.left > 0
	p.left--
	p.mu.Unlock()
	switch {
	case refuse:
		w.WriteHeader(p.status)
	case r.Method == http.MethodConnect:
		p.connect(w, r)
	default:
		p.forward(w, r)
	}
}

func (p *proxy) forward(w http.ResponseWriter, r *http.Request) {
	out := r.Clone(r.Context())
	out.RequestURI = ""
	rt := &http.Transport{DisableKeepAlives: true}
	resp, err := rt.RoundTrip(out)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

func (p *proxy) connect(w http.ResponseWriter, r *http.Request) {
	there, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, ahead, err := http.NewResponseController(w).Hijack()
	if err != nil {
		there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	copying := func(to io.Writer, from io.Reader) {
		_, _ = io.Copy(to, from)
		here.Close()
		there.Close()
	}
	p.tunnel.Go(func() { copying(there, ahead) })
	p.tunnel.Go(func() { copying(here, there) })
}

func (p *proxy) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

// target answers every call, and counts.
func target(t *testing.T, speaksTLS bool) (srv *httptest.Server, seen func() int) {
	t.Helper()
	var mu sync.Mutex
	n := 0
	srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		n++
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, wholeAnswer)
	}))
	if speaksTLS {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv, func() int { mu.Lock(); defer mu.Unlock(); return n }
}

// throughProxy is a client whose own kind of transport goes through a proxy.
func throughProxy(t *testing.T, proxyURL string, trust ...*httptest.Server) *Client {
	t.Helper()
	u, err := url.Parse(proxyURL)
	require.NoError(t, err)
	rt := newTransport()
	rt.Proxy = http.ProxyURL(u)
	pool := x509.NewCertPool()
	for _, srv := range trust {
		if srv.Certificate() != nil {
			pool.AddCert(srv.Certificate())
		}
	}
	rt.TLSClientConfig = &tls.Config{RootCAs: pool}
	rt.ForceAttemptHTTP2 = false
	t.Cleanup(rt.CloseIdleConnections)
	c, err := New(Provider{Name: "p", Rules: identity.OpenAI(), Keys: Keys{Class: Reject}}, WithLogger(slog.New(slog.DiscardHandler)), WithTransport(rt),
		WithRetry(RetryPolicy{BaseDelay: 1}), Config{OnAmbiguous: Fail})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close(context.Background())) })
	return c
}

func postTo(t *testing.T, ctx context.Context, base string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/chat/completions",
		strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"by proxy"}]}`))
	require.NoError(t, err)
	return req
}

// Through a proxy, plain or by CONNECT, a call is one request, and the bytes that
// were written are counted below all that is put on top of the connection.
func TestR10_Proxies(t *testing.T) {
	for _, tt := range []struct {
		name              string
		proxyTLS, overTLS bool
		asked             string
	}{
		{"plain", false, false, "POST"}, {"plain to a proxy of TLS", true, false, "POST"},
		{"CONNECT", false, true, "CONNECT"}, {"CONNECT to a proxy of TLS", true, true, "CONNECT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProxy(t, tt.proxyTLS)
			srv, seen := target(t, tt.overTLS)
			c := throughProxy(t, p.URL, p.Server, srv)
			var conn *countedConn
			var before int64
			ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
				if conn = counted(i.Conn); conn != nil {
					before = conn.written.Load()
				}
			}})
			resp, err := c.RoundTrip(postTo(t, ctx, srv.URL))
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, wholeAnswer, string(text))
			require.Equal(t, 1, seen())
			require.Equal(t, []string{tt.asked}, p.requests())
			require.NotNil(t, conn)
			require.Greater(t, conn.written.Load(), before)
			require.Equal(t, tt.asked == "CONNECT" || tt.proxyTLS, before > 0, "the tunnel was made before")
		})
	}
}

// A proxy that gives no tunnel has sent nothing on: the call is tried again whatever
// its provider does with keys, and at the end it has failed and is not in doubt.
func TestR10_ProxyRefusesTheTunnel(t *testing.T) {
	for _, status := range []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusProxyAuthRequired} {
		p := newProxy(t, false)
		p.status, p.left = status, 2
		srv, seen := target(t, true)
		c := throughProxy(t, p.URL, srv)
		resp, err := c.RoundTrip(postTo(t, context.Background(), srv.URL))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 1, seen())
		require.Len(t, p.requests(), 3)

		p.mu.Lock()
		p.left = 100
		p.mu.Unlock()
		req := postTo(t, WithCall(context.Background(), Fresh()), srv.URL)
		c.transport.(*http.Transport).CloseIdleConnections()
		_, err = c.RoundTrip(req)
		require.Equal(t, CodeFailed, CodeOf(err))
		require.Equal(t, 1, seen())
		require.Len(t, p.requests(), 3+5)
	}
}

// What a proxy says of a plain request is classed like any answer: a 502 of it is
// ambiguous, and a 407 final.
func TestR12_PlainProxysOwnAnswers(t *testing.T) {
	for status, class := range map[int]class{http.StatusBadGateway: classAmbiguous, http.StatusGatewayTimeout: classAmbiguous, http.StatusProxyAuthRequired: classFinal} {
		p := newProxy(t, false)
		p.status, p.left = status, 1
		srv, seen := target(t, false)
		c := throughProxy(t, p.URL)
		resp, err := c.RoundTrip(postTo(t, context.Background(), srv.URL))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, status, resp.StatusCode)
		require.Equal(t, class, classOfStatus(status))
		require.Len(t, p.requests(), 1)
		require.Zero(t, seen())
	}
}

// Nobody is where the proxy should be: not sent, also for a transport that says
// nothing of what it writes, and without the proxy's password in the error.
func TestR10_NoProxyThere(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	for _, scheme := range []string{"http", "https"} {
		c := throughProxy(t, "http://user:secret@"+gone.Addr().String())
		_, err := c.RoundTrip(postTo(t, context.Background(), scheme+"://api.invalid"))
		require.Equal(t, CodeFailed, CodeOf(err))
		require.ErrorContains(t, err, "attempts 5")
		require.NotContains(t, err.Error(), "secret")
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, classNotSent, endOfError(e.Err, sentMaybe).class)
	}
}
