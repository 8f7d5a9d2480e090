package llmtest

import (
	"fmt"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
)

// A span is one that is being recorded.
type span struct {
	embedded.Span

	recorder *SpanRecorder

	mu    sync.Mutex
	data  Span
	ended bool
}

// change runs fn on the data unless the span has ended.
func (s *span) change(fn func(*Span)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		fn(&s.data)
	}
}

// End is part of trace.Span; the first call holds.
func (s *span) End(opts ...trace.SpanEndOption) {
	cfg := trace.NewSpanEndConfig(opts...)
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	s.data.End = orNow(cfg.Timestamp())
	data := s.data
	s.mu.Unlock()

	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	s.recorder.ended = append(s.recorder.ended, data)
}

// AddEvent is part of trace.Span.
func (s *span) AddEvent(name string, opts ...trace.EventOption) {
	cfg := trace.NewEventConfig(opts...)
	e := Event{Name: name, Time: cfg.Timestamp(), Attributes: slices.Clone(cfg.Attributes())}
	s.change(func(d *Span) { d.Events = append(d.Events, e) })
}

// AddLink is part of trace.Span.
func (s *span) AddLink(l trace.Link) {
	l.Attributes = slices.Clone(l.Attributes)
	s.change(func(d *Span) { d.Links = append(d.Links, l) })
}

// IsRecording is part of trace.Span.
func (s *span) IsRecording() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended
}

// RecordError is part of trace.Span. It adds an event as the OpenTelemetry SDK does.
func (s *span) RecordError(err error, opts ...trace.EventOption) {
	if err == nil {
		return
	}
	s.AddEvent("exception", append(opts, trace.WithAttributes(
		attribute.String("exception.type", fmt.Sprintf("%T", err)),
		attribute.String("exception.message", err.Error())))...)
}

// SpanContext is part of trace.Span.
func (s *span) SpanContext() trace.SpanContext { return s.data.Context }

// SetStatus is part of trace.Span: Ok is final, Unset changes nothing.
func (s *span) SetStatus(code codes.Code, description string) {
	s.change(func(d *Span) {
		// The constants rise from Unset over Error to Ok, which is their precedence.
		if d.Status > code {
			return
		}
		d.Status, d.Description = code, ""
		if code == codes.Error {
			d.Description = description
		}
	})
}

// SetName is part of trace.Span.
func (s *span) SetName(name string) { s.change(func(d *Span) { d.Name = name }) }

// SetAttributes is part of trace.Span.
func (s *span) SetAttributes(attrs ...attribute.KeyValue) {
	s.change(func(d *Span) {
		for _, a := range attrs {
			if !a.Valid() {
				continue
			}
			i := slices.IndexFunc(d.Attributes, func(have attribute.KeyValue) bool { return have.Key == a.Key })
			if i >= 0 {
				d.Attributes[i] = a
			} else {
				d.Attributes = append(d.Attributes, a)
			}
		}
	})
}

// TracerProvider is part of trace.Span.
func (s *span) TracerProvider() trace.TracerProvider { return s.recorder }
