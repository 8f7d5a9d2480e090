package llmtest

import (
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/embedded"
	"go.opentelemetry.io/otel/trace"
)

// A MetricRecorder is a metric.MeterProvider that keeps every measurement as it
// was made, built on the OpenTelemetry API alone: nothing is added up, and no
// attribute is dropped. It takes counters, up-down counters, histograms and gauges;
// instruments that are observed are asked by exports, of which it has none, so it
// accepts and ignores them. Make one with [Metrics]; it may be used concurrently,
// holds all it is given until [MetricRecorder.Reset], and starts no goroutine.
type MetricRecorder struct {
	embedded.MeterProvider

	mu           sync.Mutex
	instruments  []Instrument
	measurements []Measurement
}

// Metrics returns an empty recorder, for llmidem.WithMeterProvider and whatever
// else takes a metric.MeterProvider.
func Metrics() *MetricRecorder { return &MetricRecorder{} }

// An InstrumentKind is what kind of instrument one is.
type InstrumentKind string

// The kinds of instruments that are recorded.
const (
	KindCounter       InstrumentKind = "counter"
	KindUpDownCounter InstrumentKind = "up-down counter"
	KindHistogram     InstrumentKind = "histogram"
	KindGauge         InstrumentKind = "gauge"
)

// An Instrument is an instrument that was made.
type Instrument struct {
	// Name, Unit and Description are as they were given.
	Name, Unit, Description string
	// Kind is the kind.
	Kind InstrumentKind
	// Scope is the name of the meter, Version its version.
	Scope, Version string
	// Buckets are the boundaries that a histogram asks for; nil leaves them to the
	// SDK. The slice is the caller's.
	Buckets []float64
}

// A Measurement is one value that was added or recorded.
type Measurement struct {
	// Instrument is the name of the instrument, Scope that of its meter.
	Instrument, Scope string
	// Value is the value, in the instrument's unit. A whole number beyond 2⁵³ is
	// rounded.
	Value float64
	// Attributes are sorted by key. The slice is the caller's.
	Attributes []attribute.KeyValue
	// Span is the span in whose context the measurement was made, to which its
	// exemplar leads; not valid without one.
	Span trace.SpanContext
}

// Attr returns the value of an attribute, and whether there is one.
func (m Measurement) Attr(key string) (attribute.Value, bool) {
	for _, a := range m.Attributes {
		if string(a.Key) == key {
			return a.Value, true
		}
	}
	return attribute.Value{}, false
}

// Instruments returns the instruments in the order in which they were first made.
func (r *MetricRecorder) Instruments() []Instrument {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.instruments)
	for i := range out {
		out[i].Buckets = slices.Clone(out[i].Buckets)
	}
	return out
}

// Measurements returns what was measured, in that order.
func (r *MetricRecorder) Measurements() []Measurement {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.measurements)
	for i := range out {
		out[i].Attributes = slices.Clone(out[i].Attributes)
	}
	return out
}

// Named returns what the instruments of one name measured, in that order.
func (r *MetricRecorder) Named(instrument string) []Measurement {
	return slices.DeleteFunc(r.Measurements(), func(m Measurement) bool { return m.Instrument != instrument })
}

// Sum adds up what the instruments of one name measured with all of these
// attributes, as in Sum("llmidem.client.tokens.saved").
func (r *MetricRecorder) Sum(instrument string, attrs ...attribute.KeyValue) float64 {
	sum := 0.0
	for _, m := range r.Named(instrument) {
		set := attribute.NewSet(m.Attributes...)
		if !slices.ContainsFunc(attrs, func(a attribute.KeyValue) bool {
			v, ok := set.Value(a.Key)
			return !ok || v.Type() != a.Value.Type() || v.String() != a.Value.String()
		}) {
			sum += m.Value
		}
	}
	return sum
}

// Reset forgets all measurements. Instruments stay.
func (r *MetricRecorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.measurements = nil
}

// Meter is part of metric.MeterProvider.
func (r *MetricRecorder) Meter(name string, opts ...metric.MeterOption) metric.Meter {
	return &meter{recorder: r, scope: name, version: metric.NewMeterConfig(opts...).InstrumentationVersion()}
}

// made notes an instrument. One that is made again is the same.
func (r *MetricRecorder) made(i Instrument) source {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.ContainsFunc(r.instruments, func(have Instrument) bool {
		return have.Name == i.Name && have.Scope == i.Scope && have.Version == i.Version && have.Kind == i.Kind
	}) {
		i.Buckets = slices.Clone(i.Buckets)
		r.instruments = append(r.instruments, i)
	}
	return source{recorder: r, name: i.Name, scope: i.Scope}
}

// measured notes a measurement.
func (s source) measured(ctx context.Context, value float64, attrs attribute.Set) {
	m := Measurement{Instrument: s.name, Scope: s.scope, Value: value, Attributes: attrs.ToSlice(),
		Span: trace.SpanContextFromContext(ctx)}
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	s.recorder.measurements = append(s.recorder.measurements, m)
}
