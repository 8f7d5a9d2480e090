package llmidem

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// handler is the shape of every stage behind identify: it answers a call, or
// fails with an *Error. A stage wraps the one below it.
type handler func(ctx context.Context, c *call) (*answer, error)

// call is one logical call on its way through the stages. After identify it is
// only read, but for the fields of progress.
type call struct {
	*core
	in   *http.Request // the caller's, until there is req; nil for Do
	req  *http.Request // ours, once something is to be sent: see outline
	body snapshot      // of the request

	coded  bool  // the body has a content coding
	inputs int32 // how many prompts or inputs it has; 0 where it is asked itself

	doc       identity.Document
	key       identity.Key
	address   string
	finger    store.Fingerprint
	keyText   string // key.String()
	home      *home
	result    string // the type of a function's result; "" for requests
	facts     facts
	opts      callOptions
	state     *callState
	scoped    bool      // inside a scope, run or Fresh: repeats are meant as one
	scope     *runScope // the run that it is a step of; nil outside
	number    *number   // among equal calls of the run; nil when it is not counted
	life      *life     // of the run, once that is known
	storeErr  error     // a failure of the store before the call went out
	ownHeader bool      // the caller set the key header itself

	recallMode recallMode
	began      time.Time
	span       trace.Span
	progress   *progress
	flight     *flight // that this call leads; nil without one
}

// answer is what a stage gives back: an HTTP answer of any status, or the JSON
// of what a function returned. It is shared by all who get it, so it is never
// changed; each takes a copy of the struct to say where it got it from.
type answer struct {
	status       int
	proto        string
	protoMajor   int
	protoMinor   int
	header       http.Header
	ownHeader    bool // nobody shares header
	body         []byte
	rest         io.ReadCloser // the body when it is passed through; body is nil then
	length       int64         // Content-Length of what is passed through
	uncompressed bool
	trailer      http.Header
	wire         *http.Response // as it came; nil when nothing of it is needed any more
	tls          *tls.ConnectionState
	bodyErr      error // what the body ends with, where it was cut off
	tooLarge     bool  // the body is larger than what is kept or shared

	live       *live         // a stream that is still coming; body is nil then
	streamed   bool          // body is a stream
	broken     bool          // a stream that is an error, or ended in one
	cut        bool          // the caller did not get all of it
	delivered  bool          // a stream that somebody read
	firstChunk time.Duration // of a stream, since the call began

	verdict  complete.Result
	end      ending // how the attempt ended that gave it
	source   Source
	sends    int           // requests that were sent for it
	origin   store.Origin  // the call that was paid for, when it is another
	leader   store.Origin  // the call that this one waited for
	age      time.Duration // of a recorded answer
	kept     bool
	paidToo  bool             // a replay after an attempt of unknown outcome of this same call
	dropped  *complete.Result // what this call paid for, when another's answer is given in its place
	panicked any              // what a function panicked with
	storeErr error            // a failure of the store that did not cost the answer
}

// failed reports whether the SDK will make an error of this answer.
func (a *answer) failed() bool { return a.status < 200 || a.status >= 300 || a.broken }

// paid reports whether the answer was paid for by whom it is given to.
func (a *answer) paid() bool { return a.source == SourceProvider }

// cost is what the provider said of what this call paid for; nil for nothing.
func (a *answer) cost() *complete.Result {
	switch {
	case a.dropped != nil:
		return a.dropped
	case a.paid() || a.paidToo:
		return &a.verdict
	}
	return nil
}

// saving is what it said of an answer that this call did not pay for; else nil.
func (a *answer) saving() *complete.Result {
	if a.paid() || a.dropped != nil {
		return nil
	}
	return &a.verdict
}

// usageOf is what the provider said that something cost.
func usageOf(v *complete.Result) Usage {
	if v == nil {
		return Usage{}
	}
	return Usage{InputTokens: v.Input, OutputTokens: v.Output}
}

// from returns a copy of the answer for another caller.
func (a *answer) from(source Source) *answer {
	b := *a
	b.source, b.ownHeader, b.trailer, b.tls = source, false, nil, nil
	if source != SourceProvider {
		b.sends, b.paidToo, b.dropped = 0, false, nil
	}
	return &b
}

// receipt is what the call's caller is told.
func (c *call) receipt(ans *answer, e *Error) Receipt {
	r := Receipt{Key: c.key, Address: c.address, TraceID: traceID(c.span.SpanContext()), Unordered: c.number.mixed()}
	if e != nil {
		r.Attempts = e.Attempts
	}
	if ans == nil {
		return r
	}
	r.Source, r.Attempts, r.Age = ans.source, ans.sends, ans.age
	r.Complete, r.Kept, r.StoreErr = ans.verdict.Terminal, ans.kept, ans.storeErr
	if r.StoreErr == nil {
		r.StoreErr = c.storeErr
	}
	r.Origin = originTrace(ans.origin)
	if ans.source == SourceCoalesced {
		r.Origin = originTrace(ans.leader)
	}
	r.Usage, r.Saved = usageOf(ans.cost()), usageOf(ans.saving())
	return r
}

// failure is an *Error about this call.
func (c *call) failure(code Code, reason string, cause error) *Error {
	return &Error{Code: code, reason: reason, Err: cause, Key: c.key, Address: c.address,
		Attempts: c.progress.count(), TraceID: traceID(c.span.SpanContext())}
}
