package llmtest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
)

// MemoryURL is a base URL for requests over [Server.Transport], which serves every
// host. The domain is reserved, so that a request which misses the transport finds
// nobody.
const MemoryURL = "http://llmtest.invalid/v1"

const memoryOrigin = "http://llmtest.invalid"

// URL returns the base URL for OpenAI clients, go-openai's BaseURL among them: the
// origin and "/v1", without a slash at the end. With [InMemory] that is [MemoryURL].
// Else the first use starts the listener; it must not happen in a synctest bubble,
// whose clock stands still while a goroutine waits for the network. URL panics if no
// port can be had, or if the first use comes after Close.
func (s *Server) URL() string { return s.BaseURL() + "/v1" }

// BaseURL returns the origin alone, scheme, host and port, for clients that bring
// their own path, as those of Azure OpenAI, Anthropic, Gemini and Ollama do. The rest is as with [Server.URL].
func (s *Server) BaseURL() string {
	if s.cfg.memory {
		return memoryOrigin
	}
	return s.listen().server.URL
}

// Client returns an HTTP client for the server's listener, which trusts its
// certificate and speaks its protocol; with [InMemory] one over [Server.Transport].
// Its connections are shared by all uses and end with Close. Of the clients that
// use the network it is the only one that [Refuse] can refuse a connection.
func (s *Server) Client() *http.Client {
	if s.cfg.memory {
		return &http.Client{Transport: s.Transport()}
	}
	return s.listen().client
}

// A listener is the server on the loopback interface.
type listener struct {
	server *httptest.Server
	client *http.Client

	mu      sync.Mutex
	idle    *sync.Cond
	running int // handlers; those of HTTP/2 outlive their connection
}

func (s *Server) listen() *listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return s.listener
	}
	if s.closed {
		panic("llmtest: the listener is first used after Close")
	}
	l := &listener{}
	l.idle = sync.NewCond(&l.mu)
	l.server = httptest.NewUnstartedServer(l.count(s))
	l.server.EnableHTTP2 = s.cfg.http2
	l.server.Config.BaseContext = func(net.Listener) context.Context { return s.ctx }
	l.server.Config.ConnContext = s.newConn
	// What it would log are the faults: handshakes and connections that break.
	l.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if s.cfg.tls {
		l.server.StartTLS()
	} else {
		l.server.Start()
	}
	c := l.server.Client()
	l.client = &http.Client{Transport: refuser{s, c.Transport}}
	s.listener = l
	return l
}

// count lets close wait for the handlers.
func (l *listener) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.running++
		l.mu.Unlock()
		defer func() {
			l.mu.Lock()
			l.running--
			l.idle.Broadcast()
			l.mu.Unlock()
		}()
		h.ServeHTTP(w, r)
	})
}

func (l *listener) close() {
	l.server.CloseClientConnections()
	l.server.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.running > 0 {
		l.idle.Wait()
	}
}

// A refuser takes the refusals that are next in the queue before anything is sent.
type refuser struct {
	server *Server
	next   http.RoundTripper
}

func (t refuser) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.server.refuses() {
		closeBody(r)
		return nil, refused()
	}
	return t.next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport.
func (t refuser) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// refuses takes a refusal from the queue if it is next there.
func (s *Server) refuses() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 || !s.queue[0].refuse {
		return false
	}
	s.queue = s.queue[1:]
	return true
}
