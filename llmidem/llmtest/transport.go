package llmtest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"syscall"
)

// Transport returns an http.RoundTripper that runs the server's handler in memory,
// for every host. No listener is involved and no goroutine but one a request, which
// ends with its response: a testing/synctest bubble can use it. It behaves like a
// connection of its own for each request:
//
//   - bodies stream in both directions; the server writes at most 64 KiB ahead;
//   - when the request's context ends, or the response body is closed early, the
//     server sees its client go away;
//   - a connection closed before the response is a *net.OpError with ECONNRESET,
//     one closed in the body io.ErrUnexpectedEOF from Read, a refused one a dial
//     error, with nothing of the request read;
//   - the httptrace hooks GetConn, ConnectStart, ConnectDone, GotConn, WroteHeaders,
//     WroteRequest and GotFirstResponseByte are called when these things happen.
//
// Nothing is sent again by itself and no redirect followed. It may be used
// concurrently; the context's values do not reach the server.
func (s *Server) Transport() http.RoundTripper { return memoryTransport{s} }

type memoryTransport struct{ server *Server }

func (t memoryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := checkRequest(r); err != nil {
		closeBody(r)
		return nil, err
	}
	if err := context.Cause(r.Context()); err != nil {
		closeBody(r)
		return nil, err
	}
	hooks := hooksOf(r.Context())
	hooks.GetConn(r.URL.Host)
	hooks.ConnectStart("tcp", r.URL.Host)
	x := t.server.newExchange(r, hooks)
	if t.server.refuses() || !t.server.open(x) {
		err := refused()
		x.cancel()
		closeBody(r)
		hooks.ConnectDone("tcp", r.URL.Host, err)
		return nil, err
	}
	hooks.ConnectDone("tcp", r.URL.Host, nil)
	hooks.GotConn(httptrace.GotConnInfo{Conn: memoryConn{}})
	return x.run()
}

// checkRequest refuses what net/http refuses before it dials.
func checkRequest(r *http.Request) error {
	switch {
	case r.URL == nil:
		return errors.New("llmtest: nil Request.URL")
	case r.Header == nil:
		return errors.New("llmtest: nil Request.Header")
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return errors.New("llmtest: unsupported protocol scheme " + strings.ToLower(r.URL.Scheme))
	case r.URL.Host == "":
		return errors.New("llmtest: no Host in request URL")
	}
	for name, lines := range r.Header {
		if name == "" || strings.ContainsAny(name, " \t\r\n:\x00") {
			return errors.New("llmtest: invalid header field name")
		}
		for _, v := range lines {
			if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				return errors.New("llmtest: invalid header field value for " + name)
			}
		}
	}
	return nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // the transport's duty; there is nobody to tell
	}
}

func refused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: memoryAddr{}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

func reset() error {
	return &net.OpError{Op: "read", Net: "tcp", Addr: memoryAddr{}, Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// hooksOf returns the httptrace hooks of a context, none of them nil.
func hooksOf(ctx context.Context) *httptrace.ClientTrace {
	var h httptrace.ClientTrace
	if given := httptrace.ContextClientTrace(ctx); given != nil {
		h = *given
	}
	if h.GetConn == nil {
		h.GetConn = func(string) {}
	}
	if h.ConnectStart == nil {
		h.ConnectStart = func(string, string) {}
	}
	if h.ConnectDone == nil {
		h.ConnectDone = func(string, string, error) {}
	}
	if h.GotConn == nil {
		h.GotConn = func(httptrace.GotConnInfo) {}
	}
	if h.WroteHeaders == nil {
		h.WroteHeaders = func() {}
	}
	if h.WroteRequest == nil {
		h.WroteRequest = func(httptrace.WroteRequestInfo) {}
	}
	if h.GotFirstResponseByte == nil {
		h.GotFirstResponseByte = func() {}
	}
	return &h
}
