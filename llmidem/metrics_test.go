package llmidem_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// short makes what is measured fit a line; a name that is not exactly one of these
// stays long, and is then not what a test wants.
var short = strings.NewReplacer("gen_ai.client.operation.", "", "gen_ai.client.", "", "llmidem.client.call.duration", "call",
	"llmidem.client.attempt.duration", "attempt", "llmidem.client.", "",
	" llmidem.response.source=", " ", " gen_ai.token.type=", " ", " llmidem.attempt.retry=false", "", " llmidem.attempt.retry=true", " again",
	" http.response.status_code=", " status=", " error.type=", " error=", " server.address=llmtest.invalid server.port=80", " @server")

// measured is every measurement, as "name value attributes", sorted, without the
// attributes that it is to have in common with the others. It checks those, and
// that the measurement leads to a call of this outcome.
func measured(t *testing.T, b *bench, common map[string]string) []string {
	t.Helper()
	calls := map[string]map[string]string{}
	for _, s := range b.spans.Spans() {
		if s.Name != "POST" {
			calls[s.Context.SpanID().String()] = attrs(s)
		}
	}
	var out []string
	for _, m := range b.meters.Measurements() {
		require.Equal(t, llmidem.ScopeName, m.Scope)
		missing := maps.Clone(common)
		if m.Instrument == "llmidem.client.attempt.duration" {
			delete(missing, "gen_ai.request.model")
		}
		line := fmt.Sprint(m.Instrument, " ", math.Round(m.Value*1000)/1000)
		call := calls[m.Span.SpanID().String()]
		require.NotNil(t, call, "%s leads to no call", line)
		for _, kv := range m.Attributes {
			name, value := string(kv.Key), kv.Value.String()
			if want, ok := missing[name]; ok && want == value {
				delete(missing, name)
				continue
			}
			line += " " + name + "=" + value
			if name == "llmidem.response.source" || name == "error.type" && !strings.Contains(line, "attempt") {
				require.Equal(t, call[name], value, line)
			}
		}
		require.Empty(t, missing, line)
		out = append(out, short.Replace(line))
	}
	slices.Sort(out)
	return out
}

var chats = map[string]string{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "llmtest", "gen_ai.request.model": "gpt-4o-mini"}

func TestMetrics(t *testing.T) {
	for name, c := range metricCases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b *bench
				if c.bench != nil {
					b = c.bench(t)
				} else {
					b = newBench(t)
				}
				c.run(t, b)
				synctest.Wait()
				require.Equal(t, strings.ReplaceAll(c.want, "\t", ""), "\n"+strings.Join(measured(t, b, chats), "\n")+"\n")
				require.Equal(t, len(b.spans.Named("POST"))-c.attempts, len(b.meters.Named("llmidem.client.attempt.duration")))
				for _, post := range b.spans.Named("POST") {
					parent := slices.IndexFunc(b.spans.Spans(), func(s llmtest.Span) bool { return s.Context.SpanID() == post.Parent.SpanID() })
					require.Equal(t, "chat gpt-4o-mini", b.spans.Spans()[parent].Name)
				}
			})
		})
	}
}

func TestMetrics_Instruments(t *testing.T) {
	b := newBench(t)
	made := map[string]llmtest.Instrument{}
	for _, i := range b.meters.Instruments() {
		require.Equal(t, llmidem.ScopeName, i.Scope)
		require.Equal(t, llmidem.Version, i.Version)
		require.NotEmpty(t, i.Description)
		made[i.Name] = i
	}
	require.Len(t, made, 8)
	for _, theirs := range []interface {
		Name() string
		Unit() string
		Description() string
	}{
		genaiconv.ClientOperationDuration{}, genaiconv.ClientTokenUsage{},
		genaiconv.ClientOperationTimeToFirstChunk{}, genaiconv.ClientOperationTimePerOutputChunk{},
	} {
		require.Equal(t, theirs.Unit(), made[theirs.Name()].Unit, theirs.Name())
		require.Equal(t, theirs.Description(), made[theirs.Name()].Description)
		require.Equal(t, llmtest.KindHistogram, made[theirs.Name()].Kind)
	}
	for name, want := range map[string]struct {
		kind llmtest.InstrumentKind
		unit string
	}{
		"llmidem.client.call.duration":    {llmtest.KindHistogram, "s"},
		"llmidem.client.dedup.hits":       {llmtest.KindCounter, "{hit}"},
		"llmidem.client.tokens.saved":     {llmtest.KindCounter, "{token}"},
		"llmidem.client.attempt.duration": {llmtest.KindHistogram, "s"},
	} {
		require.Equal(t, want.kind, made[name].Kind, name)
		require.Equal(t, want.unit, made[name].Unit, name)
	}
	for name, i := range made {
		switch {
		case i.Kind == llmtest.KindCounter:
			require.Nil(t, i.Buckets, name)
		case i.Unit == "s":
			require.Equal(t, []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}, i.Buckets, name)
		default:
			require.Equal(t, []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}, i.Buckets, name)
		}
	}
}

func TestMetrics_Do(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		run := func(context.Context, identity.Key) (int, error) { time.Sleep(time.Second); return 1, nil }
		for range 2 {
			_, err := llmidem.Do(t.Context(), b.client, "charge", 1, run)
			require.NoError(t, err)
		}
		_, err := llmidem.Do(t.Context(), b.client, "charge", 2, func(context.Context, identity.Key) (int, error) { return 0, errors.New("no") })
		require.Error(t, err)
		require.Equal(t, []string{"call 0 cache", "call 0 error=idempotency_ambiguous", "call 1 provider", "dedup.hits 1 cache"},
			measured(t, b, map[string]string{"gen_ai.operation.name": "execute_tool", "gen_ai.provider.name": "llmtest"}))
	})
}

// A call that was not understood has no model and no operation, not empty ones.
func TestMetrics_CallThatIsNotUnderstood(t *testing.T) {
	b := newBench(t)
	_, err := b.client.RoundTrip(b.request("/chat/completions", `{"model":`))
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
	all := b.meters.Measurements()
	require.Len(t, all, 1)
	require.Equal(t, []attribute.KeyValue{attribute.String("error.type", "invalid"), attribute.String("gen_ai.provider.name", "llmtest")}, all[0].Attributes)
}

// What costs nothing is no measurement of a cost: an embedding has no output.
func TestMetrics_NoTokensOfAKind(t *testing.T) {
	b := newBench(t)
	for range 2 {
		b.read(b.client.RoundTrip(b.request("/embeddings", `{"model":"m","input":"two words"}`)))
	}
	require.Len(t, b.meters.Named("gen_ai.client.token.usage"), 1)
	require.Len(t, b.meters.Named("llmidem.client.tokens.saved"), 1)
	require.EqualValues(t, 2, b.meters.Sum("llmidem.client.tokens.saved", attribute.String("gen_ai.token.type", "input")))
}

// The bill is the sum of the usage, whoever leaves.
func TestMetrics_UsageIsTheBill(t *testing.T) {
	for n := range 40 {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, llmidem.Config{Drain: llmidem.Drain{Time: time.Minute}})
			b.srv.Handle(func(*llmtest.Request) llmtest.Fault {
				return llmtest.OK().Delay(time.Second).Pace(100 * time.Millisecond)
			})
			for i := range 6 {
				go func() {
					time.Sleep(time.Duration(i) * 300 * time.Millisecond)
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(n*7+i*5)%19)*100*time.Millisecond)
					defer cancel()
					if s, err := b.open(ctx, "x"); err == nil {
						_ = drainStream(s)
					}
				}()
			}
			time.Sleep(time.Hour)
			bill := b.srv.Ledger().Billed()
			require.EqualValues(t, bill.Input, b.meters.Sum("gen_ai.client.token.usage", attribute.String("gen_ai.token.type", "input")))
			require.EqualValues(t, bill.Output, b.meters.Sum("gen_ai.client.token.usage", attribute.String("gen_ai.token.type", "output")))
			require.Len(t, b.meters.Named("gen_ai.client.operation.time_to_first_chunk"), b.srv.Ledger().Executions())
		})
	}
}

// Nothing of key, prompt, answer, credential or query is in a metric.
func TestMetrics_HoldNoSecrets(t *testing.T) {
	b := newBench(t)
	b.srv.Next(llmtest.Text("the-answer"), llmtest.Status(400).Message("the-answer").Code("the-code"), llmtest.DropBefore(), llmtest.DropBefore())
	for _, prompt := range []string{"the-prompt", "the-prompt", "the-prompt too", "the-prompt three"} {
		req := b.request("/chat/completions", chatBody(prompt))
		req.URL.RawQuery = "key=the-query"
		req.Header.Set("Authorization", "Bearer the-credential")
		req.Header.Set("Idempotency-Key", "the-key-"+strings.ReplaceAll(prompt, " ", "-"))
		b.read(b.client.RoundTrip(req))
	}
	b.mustAsk("the-prompt")
	b.mustStream("the-prompt")
	require.Greater(t, len(b.meters.Measurements()), 20)
	for _, m := range b.meters.Measurements() {
		for _, kv := range m.Attributes {
			for _, secret := range []string{"the-", "idem_", "sk-test"} {
				require.NotContains(t, kv.Value.String(), secret, "%s %s", m.Instrument, kv.Key)
			}
		}
	}
}

// exercise makes a client of these options do all there is to measure.
func exercise(t *testing.T, opts ...llmidem.Option) {
	t.Helper()
	b := newBench(t)
	client, err := llmidem.New(b.srv.Provider(), append(opts, quiet, llmidem.WithTransport(b.srv.Transport()))...)
	require.NoError(t, err)
	b.api = b.apiOver(client, "sk-test")
	b.srv.Next(llmtest.OK(), llmtest.Status(400))
	for _, prompt := range []string{"x", "x", "y"} {
		_, _ = b.ask(t.Context(), prompt)
	}
	b.mustStream("z")
	require.NoError(t, client.Close(t.Context()))
	require.Empty(t, b.meters.Measurements(), "those of another client")
}

func TestWithMeterProvider_NilIsTheGlobalOne(t *testing.T) {
	global := llmtest.Metrics()
	otel.SetMeterProvider(global)
	defer otel.SetMeterProvider(noop.NewMeterProvider())
	exercise(t)
	require.Len(t, global.Named("llmidem.client.call.duration"), 4)
	exercise(t, llmidem.WithMeterProvider(llmtest.Metrics()), llmidem.WithMeterProvider(nil))
	require.Len(t, global.Named("llmidem.client.call.duration"), 8)
}

// oddMeters makes the same instruments of everything.
type oddMeters struct {
	noop.MeterProvider
	meter oddMeter
}

func (m oddMeters) Meter(string, ...metric.MeterOption) metric.Meter { return m.meter }

type oddMeter struct {
	noop.Meter
	seconds metric.Float64Histogram
	tokens  metric.Int64Histogram
	count   metric.Int64Counter
	err     error
}

func (m oddMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return m.seconds, m.err
}

func (m oddMeter) Int64Histogram(string, ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	return m.tokens, m.err
}

func (m oddMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return m.count, m.err
}

// unheard are instruments that nobody listens to, and that say so.
type (
	unheardSeconds struct {
		noop.Float64Histogram
		calls *int
	}
	unheardTokens struct {
		noop.Int64Histogram
		calls *int
	}
	unheardCount struct {
		noop.Int64Counter
		calls *int
	}
)

func (u unheardSeconds) Record(context.Context, float64, ...metric.RecordOption) { *u.calls++ }
func (u unheardTokens) Record(context.Context, int64, ...metric.RecordOption)    { *u.calls++ }
func (u unheardCount) Add(context.Context, int64, ...metric.AddOption)           { *u.calls++ }

func TestWithMeterProvider_NothingIsMeasuredForNobody(t *testing.T) {
	calls := 0
	exercise(t, llmidem.WithMeterProvider(oddMeters{meter: oddMeter{
		seconds: unheardSeconds{calls: &calls}, tokens: unheardTokens{calls: &calls}, count: unheardCount{calls: &calls}}}))
	require.Zero(t, calls)
}

// A call does not fail for what measures it.
func TestWithMeterProvider_InstrumentsThatCannotBeMade(t *testing.T) {
	wrong, told := errors.New("wrong"), 0
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		require.ErrorIs(t, err, wrong)
		told++
	}))
	defer otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	exercise(t, llmidem.WithMeterProvider(oddMeters{meter: oddMeter{err: wrong}}))
	require.Equal(t, 8, told, "once for each")
	exercise(t, llmidem.WithMeterProvider(oddMeters{})) // none, and no error either
}
