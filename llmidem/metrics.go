package llmidem

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// WithMeterProvider says where metrics go. Default, and for nil: the global one.
//
// Of the OpenTelemetry conventions there are gen_ai.client.operation.duration (of
// calls that sent something), gen_ai.client.token.usage (what was paid for) and,
// of streams that were sent, gen_ai.client.operation.time_to_first_chunk and
// gen_ai.client.operation.time_per_output_chunk. Beside them:
//
//   - llmidem.client.call.duration, in seconds, of every call
//   - llmidem.client.dedup.hits, the answers that were not asked for anew, by
//     llmidem.response.source
//   - llmidem.client.tokens.saved, what those would have cost
//   - llmidem.client.attempt.duration, in seconds, of every request on the wire
//
// The key is an attribute of none, since it would make a series of every call; an
// exemplar leads from a measurement to the call's span, which has it. Measurements
// that nobody asks for (no provider, a View that drops them) cost next to nothing.
func WithMeterProvider(mp metric.MeterProvider) Option {
	return optionFunc(func(s *settings) { s.meters = mp })
}

// instruments are the metrics of a client.
type instruments struct {
	operation   metric.Float64Histogram
	usage       metric.Int64Histogram
	firstChunk  metric.Float64Histogram
	outputChunk metric.Float64Histogram
	call        metric.Float64Histogram
	hits        metric.Int64Counter
	saved       metric.Int64Counter
	attempt     metric.Float64Histogram
}

func newInstruments(meters metric.MeterProvider) instruments {
	if meters == nil {
		meters = otel.GetMeterProvider()
	}
	m := meter{meters.Meter(ScopeName, metric.WithInstrumentationVersion(Version))}
	return instruments{
		operation:   m.seconds(semconv.GenAIClientOperationDuration, semconv.TextOperationDuration),
		usage:       m.tokens(semconv.GenAIClientTokenUsage, semconv.TextTokenUsage),
		firstChunk:  m.seconds(semconv.GenAIClientTimeToFirstChunk, semconv.TextTimeToFirstChunk),
		outputChunk: m.seconds(semconv.GenAIClientTimePerOutputChunk, semconv.TextTimePerOutputChunk),
		call:        m.seconds(semconv.ClientCallDuration, semconv.TextCallDuration),
		hits:        m.counter(semconv.ClientDedupHits, semconv.UnitHits, semconv.TextDedupHits),
		saved:       m.counter(semconv.ClientTokensSaved, semconv.UnitTokens, semconv.TextTokensSaved),
		attempt:     m.seconds(semconv.ClientAttemptDuration, semconv.TextAttemptDuration),
	}
}

// meter makes instruments. One that cannot be made is told to OpenTelemetry's error
// handler and measures nothing: no call fails for it.
type meter struct{ metric.Meter }

func (m meter) seconds(name, text string) metric.Float64Histogram {
	h, err := m.Float64Histogram(name, metric.WithDescription(text), metric.WithUnit(semconv.UnitSeconds),
		metric.WithExplicitBucketBoundaries(semconv.DurationBuckets()...))
	if notMade(err) || h == nil {
		return noop.Float64Histogram{}
	}
	return h
}

func (m meter) tokens(name, text string) metric.Int64Histogram {
	h, err := m.Int64Histogram(name, metric.WithDescription(text), metric.WithUnit(semconv.UnitTokens),
		metric.WithExplicitBucketBoundaries(semconv.TokenBuckets()...))
	if notMade(err) || h == nil {
		return noop.Int64Histogram{}
	}
	return h
}

func (m meter) counter(name, unit, text string) metric.Int64Counter {
	c, err := m.Int64Counter(name, metric.WithDescription(text), metric.WithUnit(unit))
	if notMade(err) || c == nil {
		return noop.Int64Counter{}
	}
	return c
}

func notMade(err error) bool {
	if err != nil {
		otel.Handle(err)
	}
	return err != nil
}

// measure records a call that has ended. a is nil where there is no answer, e where
// the call did not fail.
func (c *call) measure(ctx context.Context, a *answer, e *Error) {
	took, sends := time.Since(c.began).Seconds(), 0
	switch {
	case a != nil:
		sends = a.sends
	case e != nil:
		sends = e.Attempts
	}
	if c.meters.call.Enabled(ctx) {
		c.meters.call.Record(ctx, took, c.dimensions(outcomeOf(a, e)...))
	}
	if sends > 0 && c.req != nil && c.meters.operation.Enabled(ctx) {
		c.meters.operation.Record(ctx, took, c.dimensions(append(serverAttributes(c.req.URL), outcomeOf(a, e)...)...))
	}
	if a == nil {
		return
	}
	if e == nil && !a.paid() && c.meters.hits.Enabled(ctx) {
		c.meters.hits.Add(ctx, 1, c.dimensions(sourceOf(a)))
	}
	c.measureUsage(ctx, a)
	c.measureSaved(ctx, a)
}

// measureUsage records what a call cost: whoever adds that up gets the bill.
func (c *call) measureUsage(ctx context.Context, a *answer) {
	v := a.cost()
	if v == nil || !v.HasUsage || !c.meters.usage.Enabled(ctx) {
		return
	}
	for _, t := range tokensOf(v) {
		c.meters.usage.Record(ctx, t.n, c.dimensions(t.kind))
	}
}

// measureSaved records what an answer would have cost.
func (c *call) measureSaved(ctx context.Context, a *answer) {
	v := a.saving()
	if v == nil || !v.HasUsage || !c.meters.saved.Enabled(ctx) {
		return
	}
	for _, t := range tokensOf(v) {
		c.meters.saved.Add(ctx, t.n, c.dimensions(t.kind, sourceOf(a)))
	}
}

// measure records an attempt that has ended.
func (s attemptSpan) measure(a *answer) {
	if s.began.IsZero() { // nobody listened when it began
		return
	}
	s.call.meters.attempt.Record(s.ctx, time.Since(s.began).Seconds(), s.call.attemptDimensions(a, s.retry))
}

// pace records how the chunks of a stream follow one another, each when it comes:
// a stream can have very many. It is used by one goroutine.
type pace struct {
	ctx  context.Context
	into metric.Float64Histogram
	opts []metric.RecordOption
	last time.Time
}

// pace records when the first chunk of a stream came, and returns what is to be
// told of the others; nil when nobody listens.
func (c *call) pace(ctx context.Context, first time.Duration) *pace {
	ctx = c.inSpan(ctx)
	early, later := c.meters.firstChunk.Enabled(ctx), c.meters.outputChunk.Enabled(ctx)
	if !early && !later {
		return nil
	}
	dims := c.dimensions(serverAttributes(c.req.URL)...)
	if early {
		c.meters.firstChunk.Record(ctx, first.Seconds(), dims)
	}
	if !later {
		return nil
	}
	return &pace{ctx: ctx, into: c.meters.outputChunk, opts: []metric.RecordOption{dims}, last: c.began.Add(first)}
}

// chunk notes that one has come.
func (p *pace) chunk() {
	if p == nil {
		return
	}
	now := time.Now()
	p.into.Record(p.ctx, now.Sub(p.last).Seconds(), p.opts...)
	p.last = now
}
