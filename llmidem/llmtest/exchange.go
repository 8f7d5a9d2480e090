package llmtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"
)

// An exchange is one request over the transport in memory, and the
// http.ResponseWriter that the handler answers it with. Everything that it waits
// for is made when it is made, so it belongs to the bubble of its request.
type exchange struct {
	server *Server
	client *http.Request // as it was given to RoundTrip
	hooks  *httptrace.ClientTrace
	ctx    context.Context // the server's side of the request
	cancel context.CancelFunc
	body   *pipe
	upload *upload
	done   chan struct{} // closed when the handler has ended

	// Written by the handler's goroutine alone until ready is closed.
	header   http.Header
	response *http.Response
	declared int64 // Content-Length, -1 for none
	written  int64

	once  sync.Once
	ready chan struct{} // closed with the response's headers, or with err
	err   error
}

func (s *Server) newExchange(r *http.Request, hooks *httptrace.ClientTrace) *exchange {
	x := &exchange{server: s, client: r, hooks: hooks, body: newPipe(), header: make(http.Header),
		done: make(chan struct{}), ready: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	x.ctx, x.cancel = s.newConn(ctx, nil), cancel
	x.upload = newUpload(r, x)
	return x
}

// open registers an exchange, so that Close can end it; false after Close.
func (s *Server) open(x *exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.exchanges[x] = struct{}{}
	return true
}

// run starts the handler and waits for the headers of its response.
func (x *exchange) run() (*http.Response, error) {
	ctx := x.client.Context()
	stop := context.AfterFunc(ctx, func() { x.leave(context.Cause(ctx)) })
	go x.serve()
	<-x.ready
	if x.err != nil {
		stop()
		return nil, x.err
	}
	x.response.Body = &download{x, stop}
	return x.response, nil
}

// serve runs the handler and ends the body as the handler ended.
func (x *exchange) serve() {
	returned := false
	defer func() {
		v := recover()
		x.end(returned)
		x.cancel()
		x.upload.close()
		x.server.mu.Lock()
		delete(x.server.exchanges, x)
		x.server.mu.Unlock()
		close(x.done)
		if v != nil && v != http.ErrAbortHandler { // as net/http does
			panic(v) // from the test's own function
		}
	}()
	x.hooks.WroteHeaders()
	x.upload.begin()
	r := &http.Request{Method: x.client.Method, URL: x.client.URL, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: x.client.Header.Clone(), Host: x.client.Host, Body: x.upload, ContentLength: x.client.ContentLength,
		RemoteAddr: "llmtest", RequestURI: x.client.URL.RequestURI()}
	if r.Host == "" {
		r.Host = x.client.URL.Host
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	x.server.ServeHTTP(x, r.WithContext(x.ctx))
	returned = true
}

// end is the end of the connection: an orderly one if the handler returned and
// wrote all that it had declared.
func (x *exchange) end(returned bool) {
	if !returned {
		x.fail(reset())
		x.body.finish(io.ErrUnexpectedEOF)
		return
	}
	x.WriteHeader(http.StatusOK)
	if x.declared > x.written {
		x.body.finish(io.ErrUnexpectedEOF)
		return
	}
	x.body.finish(io.EOF)
}

// fail makes RoundTrip return an error, if the headers are not out yet.
func (x *exchange) fail(err error) {
	x.once.Do(func() {
		x.err = err
		close(x.ready)
	})
}

// leave is the end of the connection from outside: the client goes away, or the
// server is closed.
func (x *exchange) leave(err error) {
	x.fail(err)
	x.body.fail(err)
	x.cancel()
	x.upload.close()
}

// Header is part of http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.header }

// WriteHeader is part of http.ResponseWriter; the first call holds.
func (x *exchange) WriteHeader(status int) {
	x.once.Do(func() {
		x.declared = -1
		if n, err := strconv.ParseInt(x.header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
			x.declared = n
		}
		x.response = &http.Response{Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: x.header.Clone(), ContentLength: x.declared, Request: x.client}
		if x.declared < 0 {
			x.response.TransferEncoding = []string{"chunked"}
		}
		x.hooks.GotFirstResponseByte()
		close(x.ready)
	})
}

// Write is part of http.ResponseWriter. What is written can be read at once.
func (x *exchange) Write(b []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	if x.declared >= 0 && x.written+int64(len(b)) > x.declared {
		return 0, http.ErrContentLength
	}
	n, err := x.body.Write(b)
	x.written += int64(n)
	return n, err
}

// Flush is part of http.Flusher.
func (x *exchange) Flush() { x.WriteHeader(http.StatusOK) }

// A download is the response body that the client reads.
type download struct {
	x    *exchange
	stop func() bool
}

func (d *download) Read(b []byte) (int, error) {
	n, err := d.x.body.Read(b)
	if err != nil {
		d.stop()
	}
	return n, err
}

var errBodyClosed = errors.New("llmtest: read on closed response body")

func (d *download) Close() error {
	d.stop()
	d.x.leave(errBodyClosed)
	return nil
}
