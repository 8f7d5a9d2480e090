package llmtest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// A Server is an inference service inside the process. Make one with [New] or
// [Start]. Its methods may be called concurrently. It is an http.Handler too, for
// tests that bring their own listener or put middleware in front.
type Server struct {
	cfg    config
	ctx    context.Context // ends with Close, and every wait of the handler with it
	cancel context.CancelFunc

	mu        sync.Mutex
	closed    bool
	queue     []Fault
	hook      func(*Request) Fault
	ledger    Ledger
	epoch     int // counts Reset, so that late answers find nothing
	keys      map[string]*keyEntry
	conns     int64
	exchanges map[*exchange]struct{} // requests in memory that still run
	listener  *listener              // nil until it is needed
}

// New starts a server for a test. When the test ends the server is closed, and the
// test fails if faults of [Server.Next] were left unused (see [AllowUnused]): a
// fault that never happened proves nothing. Called inside a testing/synctest
// bubble with the bubble's t, it is closed inside the bubble.
func New(t testing.TB, opts ...Option) *Server {
	t.Helper()
	cfg, err := newConfig(opts)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(cfg)
	t.Cleanup(func() {
		s.Close()
		left := s.Unused()
		if len(left) == 0 || s.cfg.allowUnused || t.Failed() || t.Skipped() {
			return
		}
		names := make([]string, len(left))
		for i, f := range left {
			names[i] = f.String()
		}
		t.Errorf("llmtest: %d scripted faults were not used: %s; fewer requests came than the test expects (llmtest.AllowUnused accepts that)",
			len(left), strings.Join(names, ", "))
	})
	return s
}

// Start starts a server outside of tests, in an example or a benchmark. The caller
// must Close it. It panics if an option is invalid.
func Start(opts ...Option) *Server {
	cfg, err := newConfig(opts)
	if err != nil {
		panic(err)
	}
	return newServer(cfg)
}

func newServer(cfg config) *Server {
	s := &Server{cfg: cfg, keys: make(map[string]*keyEntry), exchanges: make(map[*exchange]struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close stops the server: requests that are still being answered are cut off, and
// no goroutine of it is left when Close returns. Further requests find the
// connection refused. The ledger stays readable. Closing twice does nothing.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	l := s.listener
	var open []*exchange
	for x := range s.exchanges {
		open = append(open, x)
	}
	s.mu.Unlock()

	s.cancel()
	for _, x := range open {
		x.leave(reset())
	}
	for _, x := range open {
		<-x.done
	}
	if l != nil {
		l.close()
	}
}

// Provider returns the server as a provider of a llmidem client: name "llmtest",
// the rules of the OpenAI API and the keys of [WithKeys]. The caller owns it.
func (s *Server) Provider() llmidem.Provider { return s.ProviderOf(identity.OpenAI()) }

// ProviderOf is [Server.Provider] with the rules of another API, such as
// [identity.Anthropic].
func (s *Server) ProviderOf(rules *identity.Rules) llmidem.Provider {
	return llmidem.Provider{Name: "llmtest", Rules: rules, Keys: s.cfg.keys}
}

// Next appends faults to the queue. Every request that arrives, of whatever route,
// takes one; when the queue is empty, what [Server.Handle] says holds, and without
// that the request is answered as it should be. [OK] leaves a request alone. Faults
// are kept by value: the same one may be given several times.
func (s *Server) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, faults...)
}

// Handle sets a function that chooses the fault of each request that finds the
// queue of [Server.Next] empty; the zero Fault, which is [OK], leaves it alone. The
// function is called concurrently, may call the server's methods, and must not
// change or keep the request. Nil, the default, removes it.
func (s *Server) Handle(fn func(*Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = fn
}

// Unused returns a copy of the faults that no request has taken yet.
func (s *Server) Unused() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Fault(nil), s.queue...)
}

// Reset puts the server back to how it started: an empty ledger and queue, no
// function of [Server.Handle], no key remembered, counting from 1. A request that
// has arrived and was not yet worked on may still enter the new ledger's work.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	s.queue, s.hook, s.ledger, s.keys = nil, nil, Ledger{}, make(map[string]*keyEntry)
}

var _ http.Handler = (*Server)(nil)
