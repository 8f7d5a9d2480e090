package llmtest_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}

func TestMetricsAreKeptAsTheyAreMade(t *testing.T) {
	rec := llmtest.Metrics()
	var _ metric.MeterProvider = rec
	m := rec.Meter("scope", metric.WithInstrumentationVersion("v1"))
	about := []metric.InstrumentOption{metric.WithUnit("u"), metric.WithDescription("d")}
	ctx, span := llmtest.Spans().Tracer("t").Start(t.Context(), "s")
	with := metric.WithAttributes(attribute.String("b", "x"), attribute.Int("a", 1))

	must(m.Int64Counter("1", about[0], about[1])).Add(ctx, 1, with)
	must(m.Float64Counter("2", about[0], about[1])).Add(ctx, 2, with)
	must(m.Int64UpDownCounter("3", about[0], about[1])).Add(ctx, -3, with)
	must(m.Float64UpDownCounter("4", about[0], about[1])).Add(ctx, -4, with)
	bounds := []float64{1, 2}
	must(m.Int64Histogram("5", about[0], about[1], metric.WithExplicitBucketBoundaries(bounds...))).Record(ctx, 5, with)
	must(m.Float64Histogram("6", about[0], about[1], metric.WithExplicitBucketBoundaries(bounds...))).Record(ctx, 6.5, with)
	must(m.Int64Gauge("7", about[0], about[1])).Record(ctx, 7, with)
	must(m.Float64Gauge("8", about[0], about[1])).Record(ctx, 8, with)

	kinds := []llmtest.InstrumentKind{llmtest.KindCounter, llmtest.KindUpDownCounter, llmtest.KindHistogram, llmtest.KindGauge}
	made, measured := rec.Instruments(), rec.Measurements()
	require.Len(t, made, 8)
	require.Len(t, measured, 8)
	for i, value := range []float64{1, 2, -3, -4, 5, 6.5, 7, 8} {
		want := llmtest.Instrument{Name: string('1' + rune(i)), Unit: "u", Description: "d", Kind: kinds[i/2], Scope: "scope", Version: "v1"}
		if want.Kind == llmtest.KindHistogram {
			want.Buckets = bounds
		}
		assert.Equal(t, want, made[i])
		assert.Equal(t, llmtest.Measurement{Instrument: want.Name, Scope: "scope", Value: value, Span: span.SpanContext(),
			Attributes: []attribute.KeyValue{attribute.Int("a", 1), attribute.String("b", "x")}}, measured[i])
	}
	v, ok := measured[0].Attr("b")
	assert.True(t, ok && v.AsString() == "x")
	_, ok = measured[0].Attr("c")
	assert.False(t, ok)
}

func TestMetricsAreFound(t *testing.T) {
	rec := llmtest.Metrics()
	m := rec.Meter("scope")
	hits := must(m.Int64Counter("hits"))
	assert.True(t, hits.Enabled(t.Context()))
	hits.Add(t.Context(), 1)
	hits.Add(t.Context(), 2, metric.WithAttributes(attribute.Int("n", 1)))
	hits.Add(t.Context(), 4, metric.WithAttributes(attribute.Int("n", 2)))
	must(m.Int64Counter("other")).Add(t.Context(), 8)
	must(m.Int64Counter("hits")).Add(t.Context(), 16)
	assert.EqualValues(t, 23, rec.Sum("hits"))
	assert.EqualValues(t, 2, rec.Sum("hits", attribute.Int("n", 1)))
	assert.Zero(t, rec.Sum("hits", attribute.String("n", "1")))
	assert.Len(t, rec.Named("hits"), 4)
	assert.Len(t, rec.Instruments(), 2, "one that is made again is the same")
	assert.False(t, rec.Named("hits")[0].Span.IsValid())

	all := rec.Measurements()
	all[1].Attributes[0] = attribute.Int("n", 9)
	assert.EqualValues(t, 2, rec.Sum("hits", attribute.Int("n", 1)), "the slices are the caller's")
	rec.Reset()
	assert.Empty(t, rec.Measurements())
	assert.Len(t, rec.Instruments(), 2)
}

// Instruments that are observed, and what registers for them, must not break those
// who make them.
func TestMetricsIgnoreWhatIsObserved(t *testing.T) {
	m := llmtest.Metrics().Meter("scope")
	gauge := must(m.Int64ObservableGauge("observed"))
	reg, err := m.RegisterCallback(func(context.Context, metric.Observer) error { return nil }, gauge)
	require.NoError(t, err)
	require.NoError(t, reg.Unregister())
}

func TestMetricsConcurrently(t *testing.T) {
	rec := llmtest.Metrics()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				must(rec.Meter("scope").Int64Counter("n")).Add(t.Context(), 1)
				_, _ = rec.Instruments(), rec.Sum("n")
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 800, rec.Sum("n"))
	assert.Len(t, rec.Instruments(), 1)
}
