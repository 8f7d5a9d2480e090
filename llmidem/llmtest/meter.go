package llmtest

import (
	"context"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/embedded"
	"go.opentelemetry.io/otel/metric/noop"
)

// meter makes instruments that record; those that are observed it leaves to noop.
type meter struct {
	noop.Meter

	recorder       *MetricRecorder
	scope, version string
}

// described is what all instruments are made with.
type described interface {
	Description() string
	Unit() string
}

func (m *meter) made(kind InstrumentKind, name string, cfg described, buckets []float64) source {
	return m.recorder.made(Instrument{Name: name, Unit: cfg.Unit(), Description: cfg.Description(), Kind: kind,
		Scope: m.scope, Version: m.version, Buckets: buckets})
}

// source is an instrument: where its measurements go, and by what name.
type source struct {
	recorder    *MetricRecorder
	name, scope string
}

// Enabled reports that somebody listens.
func (source) Enabled(context.Context) bool { return true }

// adder is what instruments are that are added to.
type adder[N int64 | float64] struct{ source }

// Add keeps a measurement.
func (a adder[N]) Add(ctx context.Context, n N, opts ...metric.AddOption) {
	a.measured(ctx, float64(n), metric.NewAddConfig(opts).Attributes())
}

// teller is what instruments are that are told values.
type teller[N int64 | float64] struct{ source }

// Record keeps a measurement.
func (t teller[N]) Record(ctx context.Context, n N, opts ...metric.RecordOption) {
	t.measured(ctx, float64(n), metric.NewRecordConfig(opts).Attributes())
}

type (
	int64Counter struct {
		embedded.Int64Counter
		adder[int64]
	}
	float64Counter struct {
		embedded.Float64Counter
		adder[float64]
	}
	int64UpDownCounter struct {
		embedded.Int64UpDownCounter
		adder[int64]
	}
	float64UpDownCounter struct {
		embedded.Float64UpDownCounter
		adder[float64]
	}
	int64Histogram struct {
		embedded.Int64Histogram
		teller[int64]
	}
	float64Histogram struct {
		embedded.Float64Histogram
		teller[float64]
	}
	int64Gauge struct {
		embedded.Int64Gauge
		teller[int64]
	}
	float64Gauge struct {
		embedded.Float64Gauge
		teller[float64]
	}
)

func (m *meter) Int64Counter(name string, opts ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return int64Counter{adder: adder[int64]{m.made(KindCounter, name, metric.NewInt64CounterConfig(opts...), nil)}}, nil
}

func (m *meter) Float64Counter(name string, opts ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	return float64Counter{adder: adder[float64]{m.made(KindCounter, name, metric.NewFloat64CounterConfig(opts...), nil)}}, nil
}

func (m *meter) Int64UpDownCounter(name string, opts ...metric.Int64UpDownCounterOption) (metric.Int64UpDownCounter, error) {
	return int64UpDownCounter{adder: adder[int64]{m.made(KindUpDownCounter, name, metric.NewInt64UpDownCounterConfig(opts...), nil)}}, nil
}

func (m *meter) Float64UpDownCounter(name string, opts ...metric.Float64UpDownCounterOption) (metric.Float64UpDownCounter, error) {
	return float64UpDownCounter{adder: adder[float64]{m.made(KindUpDownCounter, name, metric.NewFloat64UpDownCounterConfig(opts...), nil)}}, nil
}

func (m *meter) Int64Histogram(name string, opts ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	cfg := metric.NewInt64HistogramConfig(opts...)
	return int64Histogram{teller: teller[int64]{m.made(KindHistogram, name, cfg, cfg.ExplicitBucketBoundaries())}}, nil
}

func (m *meter) Float64Histogram(name string, opts ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	cfg := metric.NewFloat64HistogramConfig(opts...)
	return float64Histogram{teller: teller[float64]{m.made(KindHistogram, name, cfg, cfg.ExplicitBucketBoundaries())}}, nil
}

func (m *meter) Int64Gauge(name string, opts ...metric.Int64GaugeOption) (metric.Int64Gauge, error) {
	return int64Gauge{teller: teller[int64]{m.made(KindGauge, name, metric.NewInt64GaugeConfig(opts...), nil)}}, nil
}

func (m *meter) Float64Gauge(name string, opts ...metric.Float64GaugeOption) (metric.Float64Gauge, error) {
	return float64Gauge{teller: teller[float64]{m.made(KindGauge, name, metric.NewFloat64GaugeConfig(opts...), nil)}}, nil
}
