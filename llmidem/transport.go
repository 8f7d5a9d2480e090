package llmidem

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Headers of this module.
const (
	defaultKeyHeader = "Idempotency-Key"
	replayedHeader   = "Idempotent-Replayed"
	ownPrefix        = "Llmidem-"
	sourceHeader     = ownPrefix + "Source"
)

// RoundTrip answers a request: an inference call with the answer that was
// recorded, that another caller waits for, or that the provider gives, with
// retries; any other request untouched. It never follows a redirect, and refuses
// to be the step of a redirect to another origin.
//
// The response has the headers Idempotency-Key and Llmidem-Source (see [Source])
// and, when it was not paid for now, Idempotent-Replayed: true. Its body is the
// caller's own copy. An HTTP status that stays an error is a response, not an
// error; errors are *[Error], but those of the transport for a request that
// passes untouched. The request is not changed, its body is read and closed.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := refuseRedirected(req); err != nil {
		closeBody(req)
		return nil, err
	}
	if req.URL == nil || req.URL.Host == "" {
		closeBody(req)
		return nil, invalid("the request has no URL with a host", nil)
	}
	cl, pass, err := c.identify(req)
	if pass != "" {
		return c.pass(req, cl, pass)
	}
	defer func() { cl.body.release() }()
	ctx := c.startCall(req.Context(), cl)
	if err != nil {
		return nil, cl.fail(ctx, asError(err, cl))
	}
	if c.flights.isClosed() {
		return nil, cl.fail(ctx, invalid("the client is closed", nil))
	}
	ans, err := cl.serveCounted(ctx, c.serve)
	ans, err = cl.outcomeFirst(ctx, ans, err)
	if err != nil {
		return nil, cl.fail(ctx, asError(err, cl))
	}
	cl.state.record(cl, ans, nil)
	return cl.respond(ctx, req, ans), nil
}

// fail tells everybody who wants to know, and returns the error.
func (c *call) fail(ctx context.Context, e *Error) error {
	c.identifyError(e)
	c.endNumber(true)
	c.state.record(c, nil, e)
	c.endFailed(ctx, nil, e)
	return e
}

// identifyError adds to an error what is known of the call by now.
func (c *call) identifyError(e *Error) {
	if e.Key.IsZero() {
		e.Key = c.key
	}
	def(&e.Address, c.address)
	def(&e.TraceID, traceID(c.span.SpanContext()))
}

// pass sends a request that is no inference call. Where its body had to be read to
// find that out cl has it; one that is too large is the body of cl.in.
func (c *Client) pass(req *http.Request, cl *call, why passing) (*http.Response, error) {
	if c.cfg.Strict {
		closeBody(req)
		return nil, invalid("the request is no inference call ("+string(why)+"), and Config.Strict refuses those", nil)
	}
	if s, _ := req.Context().Value(stateKey).(*callState); s != nil {
		s.pass()
	}
	ctx, end := c.startPass(req, why)
	out := req.WithContext(ctx)
	switch {
	case cl != nil && cl.in != nil:
		out.Body = cl.in.Body
	case cl != nil:
		out.Body = cl.body.open()
	}
	resp, err := c.transport.RoundTrip(out)
	end(resp, err)
	return resp, err
}

// respond makes the response of an answer.
func (c *call) respond(ctx context.Context, req *http.Request, a *answer) *http.Response {
	h := a.header
	if !a.ownHeader {
		h = h.Clone()
	}
	own := [...]string{c.keyText, string(a.source), "true"}
	h[defaultKeyHeader] = own[0:1:1]
	h[sourceHeader] = own[1:2:2]
	if !a.paid() {
		h[replayedHeader] = own[2:3:3]
	}
	resp := &http.Response{
		Status:     a.statusText(),
		StatusCode: a.status, Proto: a.proto, ProtoMajor: a.protoMajor, ProtoMinor: a.protoMinor,
		Header: h, Request: req, Uncompressed: a.uncompressed, ContentLength: int64(len(a.body)),
		Trailer: a.trailer, TLS: a.tls,
	}
	if c.facts.stream {
		c.state.opened(h)
	}
	if a.live != nil || a.streamed {
		resp.ContentLength, resp.Body = -1, c.streamBody(ctx, a, resp)
		return resp
	}
	c.endNumber(a.useless())
	if a.rest != nil {
		resp.ContentLength = a.length
		resp.Body = &closeFunc{ReadCloser: a.rest, then: func() { resp.Trailer = a.wire.Trailer; c.endDone(ctx, a) }}
		return resp
	}
	resp.Body = &bodyReader{rest: a.body, end: a.bodyErr}
	c.endDone(ctx, a)
	return resp
}

func (a *answer) statusText() string {
	switch {
	case a.wire != nil && a.wire.Status != "":
		return a.wire.Status
	case a.status == http.StatusOK:
		return "200 OK"
	}
	return strconv.Itoa(a.status) + " " + http.StatusText(a.status)
}

// bodyReader reads a recorded body. It has no WriteTo, which would hand the
// bytes that others share to a Writer.
type bodyReader struct {
	rest []byte
	end  error // in place of io.EOF
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		if b.end != nil {
			return 0, b.end
		}
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

var errClosedBody = errors.New("llmidem: read after Close")

// Close ends the reading.
func (b *bodyReader) Close() error {
	b.rest, b.end = nil, errClosedBody
	return nil
}
