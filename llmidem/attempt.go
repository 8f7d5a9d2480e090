package llmidem

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/propagation"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
)

// attempt sends the request once and says how that ended. It never fails: an
// error of the transport is an answer with an ending.
func (k *core) attempt(rt http.RoundTripper) handler {
	return func(ctx context.Context, c *call) (*answer, error) {
		body, err := c.openBody(ctx)
		if err != nil {
			return &answer{end: endOfContent(ctx, err)}, nil
		}
		span := c.startAttempt(ctx)
		ctx = span.in(ctx)
		trace := &sendTrace{progress: c.progress}
		resp, err := rt.RoundTrip(c.outgoing(httptrace.WithClientTrace(ctx, trace.hooks()), body))
		var ans *answer
		if err != nil {
			ans = &answer{end: endOfError(err, trace.state())}
		} else {
			ans = c.read(ctx, resp, span.end)
		}
		if failure := body.failure(); failure != nil && ans.live == nil && !ans.broken {
			if ans.rest != nil {
				ans.rest.Close()
			}
			ans = &answer{end: endOfContent(ctx, failure)}
		}
		if ans.end.err != nil && ctx.Err() != nil {
			ans.end.endedBy(context.Cause(ctx))
		}
		c.tried(ans)
		switch {
		case ans.live != nil || ans.broken: // the stream ends it
		case ans.rest == nil:
			span.end(ans)
		default:
			ans.rest = &closeFunc{ReadCloser: ans.rest, then: func() { span.end(ans) }}
		}
		return ans, nil
	}
}

// outgoing is the request of one attempt: the same bytes and key every time. It
// has no GetBody, so that net/http cannot send it again by itself, below every
// count and span, which it does with any request that carries an
// Idempotency-Key when a kept-alive connection dies (Request.isReplayable).
func (c *call) outgoing(ctx context.Context, body sending) *http.Request {
	req := c.req.WithContext(ctx)
	req.Header = c.req.Header.Clone()
	req.Body, req.ContentLength = body.ReadCloser, body.size
	if len(req.Trailer) > 0 { // they need chunks
		req.ContentLength = -1
	}
	req.TransferEncoding = nil
	req.GetBody = nil
	c.propagators.Inject(ctx, propagation.HeaderCarrier(req.Header))
	return req
}

// read takes an answer off the wire, up to the size that is kept. over is called
// at the end of a body that is a stream.
func (c *call) read(ctx context.Context, resp *http.Response, over func(*answer)) *answer {
	a := &answer{status: resp.StatusCode, proto: resp.Proto, protoMajor: resp.ProtoMajor, protoMinor: resp.ProtoMinor,
		header: resp.Header, length: resp.ContentLength,
		uncompressed: resp.Uncompressed, wire: resp, trailer: resp.Trailer.Clone(), tls: resp.TLS, source: SourceProvider}
	c.cleanHeader(a)
	if c.facts.stream && a.status == http.StatusOK {
		if c.streams(a.header) {
			return c.begin(ctx, a, resp.Body, over)
		}
		if coded := a.header.Get("Content-Encoding") != ""; coded || mediaType(a.header) != "application/json" || c.provider.dialect() == "gemini" {
			a.rest = resp.Body                                     // a form that is not read event by event
			a.tooLarge = coded || c.provider.dialect() == "gemini" // to be judged; else it is no stream
			return a
		}
	}
	if a.status == http.StatusSwitchingProtocols { // what follows is no body
		a.rest, a.end = resp.Body, ending{class: classFinal}
		return a
	}
	body, more, err := readUpTo(resp.Body, resp.ContentLength, c.cfg.MaxEntry)
	switch {
	case more: // passed through: the caller reads on where we stopped
		a.rest = &prefixed{Reader: io.MultiReader(bytes.NewReader(body), resp.Body), Closer: resp.Body}
		a.tooLarge = true
	default:
		a.body, a.trailer = body, resp.Trailer
		resp.Body.Close()
		if a.status == http.StatusOK {
			a.wire = nil
		}
	}
	if err != nil && a.status == http.StatusOK {
		a.end = endOfError(err, sentMaybe)
		return a
	}
	a.bodyErr = err
	plain := body
	if decoded, ok := gunzip(a.header, body, c.cfg.MaxEntry); ok {
		plain = decoded
	}
	a.end = endOfStatus(c.provider.Errors, a.status, a.header, errorInfo(a.status, plain))
	if a.status == http.StatusOK && !a.tooLarge {
		a.verdict = c.judge(a, plain, framed(resp))
		if c.facts.stream && c.streamRule() && !a.verdict.Terminal && !c.cfg.TolerateTruncation {
			// An SDK that skips what is no event would take this for an empty answer.
			a.bodyErr = c.failure(CodeInterrupted, "the request was for a stream, and the answer is neither one nor whole", io.ErrUnexpectedEOF)
		}
	}
	return a
}

// errorInfo reads what a failed answer says; an answer of status 200 says its
// own thing.
func errorInfo(status int, body []byte) complete.ErrorInfo {
	if status == http.StatusOK {
		return complete.ErrorInfo{}
	}
	return complete.ErrorBody(body)
}

// judge says whether an answer is whole.
func (c *call) judge(a *answer, plain []byte, framed bool) complete.Result {
	q := c.query()
	q.ContentType, q.Body = a.header.Get("Content-Type"), plain
	v := complete.Check(q)
	if v.Terminal && !framed && !complete.Valid(plain) {
		v.Terminal, v.Keep, v.Reason = false, false, "nothing proves that the body is all of it"
	}
	return v
}

// query is what the request says of its answer.
func (c *call) query() complete.Query {
	q := complete.Query{Dialect: c.provider.dialect(), Operation: c.facts.operation, N: max(c.facts.choices, 1), Inputs: int(c.inputs)}
	if c.inputs == 0 {
		q.Request = c.body.data
	}
	return q
}

// framed reports whether the end of a body was proven by its framing: a length,
// chunks, HTTP/2, or the checksum of what was compressed.
func framed(resp *http.Response) bool {
	return resp.ContentLength >= 0 || len(resp.TransferEncoding) > 0 || resp.ProtoMajor >= 2 || resp.Uncompressed
}

// cleanHeader strips what only this module may say, and takes a replay for one
// only from a provider that replays, in the words that are the provider's.
func (c *call) cleanHeader(a *answer) {
	for name := range a.header {
		if len(name) > len(ownPrefix) && name[:len(ownPrefix)] == ownPrefix {
			delete(a.header, name)
		}
	}
	if c.provider.Keys.Class == Replay && a.header.Get(replayedHeader) == "true" || cacheHit(c.provider.CacheHits, a.header) {
		a.source = SourceReplay
	}
	delete(a.header, replayedHeader)
}

// cacheHit reports whether a service says that the answer is from its cache.
func cacheHit(hits, h http.Header) bool {
	for name, values := range hits {
		said := h.Get(name)
		if said != "" && slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, said) }) {
			return true
		}
	}
	return false
}
