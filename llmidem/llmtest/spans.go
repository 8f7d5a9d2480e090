package llmtest

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
)

// A SpanRecorder is a trace.TracerProvider that keeps every span that has ended,
// built on the OpenTelemetry API alone. It samples everything, its ids count from 1
// in the order in which spans start, and its times are those of the time package,
// which are fake in a testing/synctest bubble. Make one with [Spans]; it may be
// used concurrently, holds all it is given until [SpanRecorder.Reset], and starts
// no goroutine.
type SpanRecorder struct {
	embedded.TracerProvider

	mu     sync.Mutex
	traces uint64
	spans  uint64
	ended  []Span
}

// Spans returns an empty recorder, for llmidem.WithTracerProvider and whatever
// else takes a trace.TracerProvider.
func Spans() *SpanRecorder { return &SpanRecorder{} }

// A Span is a span that has ended. Its slices are the caller's.
type Span struct {
	// Name is the name at the end.
	Name string
	// Scope is the name of the tracer.
	Scope string
	// Kind is the kind, internal if none was given.
	Kind trace.SpanKind
	// Context holds the trace and span id, Parent those of the parent; a root's
	// Parent is not valid.
	Context, Parent trace.SpanContext
	// Start and End are its times.
	Start, End time.Time
	// Attributes are in the order in which they were first set; the last value holds.
	Attributes []attribute.KeyValue
	// Events are in the order in which they were added.
	Events []Event
	// Links are those given at the start and then those that were added.
	Links []trace.Link
	// Status is Unset, Error or Ok, and Description says more of an error.
	Status      codes.Code
	Description string

	order uint64
}

// An Event is an event of a span; recorded errors are events named "exception".
type Event struct {
	// Name is the event's name.
	Name string
	// Time is when it happened.
	Time time.Time
	// Attributes are those of the event.
	Attributes []attribute.KeyValue
}

// Attr returns the value of an attribute, and whether there is one.
func (s Span) Attr(key string) (attribute.Value, bool) {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value, true
		}
	}
	return attribute.Value{}, false
}

// Spans returns the spans that have ended, in the order in which they started.
func (r *SpanRecorder) Spans() []Span {
	r.mu.Lock()
	out := slices.Clone(r.ended)
	r.mu.Unlock()
	for i := range out {
		out[i] = out[i].clone()
	}
	slices.SortFunc(out, func(a, b Span) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.order, b.order))
	})
	return out
}

func (s Span) clone() Span {
	s.Attributes = slices.Clone(s.Attributes)
	s.Events = slices.Clone(s.Events)
	s.Links = slices.Clone(s.Links)
	return s
}

// Named returns the ended spans of one name, in the order in which they started.
func (r *SpanRecorder) Named(name string) []Span {
	return slices.DeleteFunc(r.Spans(), func(s Span) bool { return s.Name != name })
}

// With returns the ended spans that have an attribute of this value, given as
// text, as in With("llmidem.response.source", "cache"), in the order in which they
// started.
func (r *SpanRecorder) With(key, value string) []Span {
	return slices.DeleteFunc(r.Spans(), func(s Span) bool {
		v, ok := s.Attr(key)
		return !ok || v.String() != value
	})
}

// Trace returns the ended spans of one trace, in the order in which they started.
func (r *SpanRecorder) Trace(id trace.TraceID) []Span {
	return slices.DeleteFunc(r.Spans(), func(s Span) bool { return s.Context.TraceID() != id })
}

// Reset forgets all spans that have ended. Ids go on counting.
func (r *SpanRecorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = nil
}

// Tracer is part of trace.TracerProvider.
func (r *SpanRecorder) Tracer(name string, _ ...trace.TracerOption) trace.Tracer {
	return &tracer{recorder: r, scope: name}
}

type tracer struct {
	embedded.Tracer

	recorder *SpanRecorder
	scope    string
}

// Start begins a span, in the trace of the context's span if it has one.
func (t *tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	if ctx == nil {
		ctx = context.Background()
	}
	cfg := trace.NewSpanStartConfig(opts...)
	parent := trace.SpanContextFromContext(ctx)
	if cfg.NewRoot() || !parent.IsValid() {
		parent = trace.SpanContext{}
	}
	own, order := t.recorder.ids(parent)
	s := &span{recorder: t.recorder, data: Span{
		Name: name, Scope: t.scope, Kind: trace.ValidateSpanKind(cfg.SpanKind()), Context: own, Parent: parent,
		Start: orNow(cfg.Timestamp()), Links: slices.Clone(cfg.Links()), order: order,
	}}
	s.SetAttributes(cfg.Attributes()...)
	return trace.ContextWithSpan(ctx, s), s
}

// ids makes the context of a new span.
func (r *SpanRecorder) ids(parent trace.SpanContext) (trace.SpanContext, uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	cfg := trace.SpanContextConfig{TraceFlags: trace.FlagsSampled, TraceState: parent.TraceState()}
	if cfg.TraceID = parent.TraceID(); !parent.IsValid() {
		r.traces++
		binary.BigEndian.PutUint64(cfg.TraceID[8:], r.traces)
	}
	r.spans++
	binary.BigEndian.PutUint64(cfg.SpanID[:], r.spans)
	return trace.NewSpanContext(cfg), r.spans
}

func orNow(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}
