package llmidem

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// noSpan stands in where no span was begun.
var noSpan = trace.SpanFromContext(context.Background())

func (k *core) setTelemetry(s *settings) {
	tracers := s.tracers
	if tracers == nil {
		tracers = otel.GetTracerProvider()
	}
	k.tracer = tracers.Tracer(ScopeName, trace.WithInstrumentationVersion(Version))
	k.meters = newInstruments(s.meters)
	k.propagators = s.propagators
	if k.propagators == nil {
		k.propagators = otel.GetTextMapPropagator()
	}
	k.logger = s.logger
	if k.logger == nil {
		k.logger = slog.Default()
	}
}

// startCall begins the logical span: before the store is asked. Until a span is
// seen to go somewhere, attributes are only made when it is: most processes have
// no tracer.
func (k *core) startCall(ctx context.Context, cl *call) context.Context {
	cl.began = time.Now()
	operation, subject := semconv.Operation(cl.facts.operation), cl.facts.model
	if tool, ok := strings.CutPrefix(cl.facts.operation, "do:"); ok {
		subject = tool
	}
	name := semconv.SpanCall(operation, subject)
	if !k.traced.Load() {
		ctx, cl.span = k.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient))
		if !cl.span.IsRecording() {
			return ctx
		}
		k.traced.Store(true)
		cl.span.SetAttributes(cl.startAttributes(operation, subject)...)
	} else {
		ctx, cl.span = k.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(cl.startAttributes(operation, subject)...))
	}
	if cl.span.IsRecording() {
		cl.span.SetAttributes(cl.requestAttributes()...)
		linkBatch(ctx, cl.span)
	}
	return ctx
}

// startAttributes are what a sampler may decide by.
func (c *call) startAttributes(operation, subject string) []attribute.KeyValue {
	attrs := []attribute.KeyValue{semconv.GenAIOperationName.String(operation), semconv.GenAIProviderName.String(c.provider.Name)}
	if c.result != "" {
		attrs = append(attrs, semconv.GenAIToolName.String(subject))
	} else {
		attrs = append(attrs, semconv.GenAIRequestModel.String(subject))
	}
	if !c.key.IsZero() {
		attrs = append(attrs, semconv.IdempotencyKey.String(c.key.LogString()))
	}
	if c.facts.stream {
		attrs = append(attrs, semconv.GenAIRequestStream.Bool(true))
	}
	if c.in != nil {
		attrs = append(attrs, serverAttributes(c.in.URL)...)
	}
	return attrs
}

// serverAttributes are server.address and server.port of a URL.
func serverAttributes(u *url.URL) []attribute.KeyValue {
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		port = map[string]int{"http": 80, "https": 443}[u.Scheme]
	}
	return []attribute.KeyValue{semconv.ServerAddress.String(u.Hostname()), semconv.ServerPort.Int(port)}
}

// endDone ends the logical span of a call that was answered, if only with an
// HTTP error.
func (c *call) endDone(ctx context.Context, a *answer) {
	c.auditEnd(ctx, a, nil)
	var e *Error
	if a.failed() {
		e = c.statusError(a)
	}
	c.measure(ctx, a, e)
	if c.span.IsRecording() {
		c.span.SetAttributes(c.answerAttributes(a)...)
		c.span.SetAttributes(c.captured(a)...)
		c.link(a)
		if e != nil {
			c.span.SetAttributes(semconv.ErrorType.String(e.errType))
			c.span.SetStatus(codes.Error, e.errType+codeText(a.end.code))
		}
	}
	c.span.End()
	if e != nil {
		c.logFailure(ctx, e)
	} else {
		c.logDone(ctx, a)
	}
}

// answerAttributes are what is known at the end of a call.
func (c *call) answerAttributes(a *answer) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		semconv.ResponseSource.String(string(a.source)),
		semconv.AttemptCount.Int(a.sends),
	}
	if a.age > 0 {
		attrs = append(attrs, semconv.CacheAge.Float64(a.age.Seconds()))
	}
	if a.firstChunk > 0 && a.paid() {
		attrs = append(attrs, semconv.GenAIResponseTimeToFirstChunk.Float64(a.firstChunk.Seconds()))
	}
	if a.cut {
		attrs = append(attrs, semconv.GenAIResponseFinishReasons.StringSlice(a.finishReasons()))
	}
	if v := a.verdict; v.Terminal {
		if v.ID != "" {
			attrs = append(attrs, semconv.GenAIResponseID.String(v.ID))
		}
		if v.Model != "" {
			attrs = append(attrs, semconv.GenAIResponseModel.String(v.Model))
		}
		if len(v.FinishReasons) > 0 {
			attrs = append(attrs, semconv.GenAIResponseFinishReasons.StringSlice(v.FinishReasons))
		}
	}
	if v := a.cost(); v != nil && v.HasUsage {
		attrs = append(attrs, semconv.GenAIUsageInputTokens.Int64(v.Input), semconv.GenAIUsageOutputTokens.Int64(v.Output))
	}
	if v := a.saving(); v != nil && v.HasUsage {
		attrs = append(attrs, semconv.TokensSavedInput.Int64(v.Input), semconv.TokensSavedOutput.Int64(v.Output))
	}
	return attrs
}

// link links the span to the call it waited for, or whose answer it got.
func (c *call) link(a *answer) {
	add := func(o store.Origin, kind string) {
		if sc := spanContextOf(o); sc.IsValid() {
			c.span.AddLink(trace.Link{SpanContext: sc, Attributes: []attribute.KeyValue{semconv.LinkType.String(kind)}})
		}
	}
	add(a.leader, semconv.LinkLeader)
	add(a.origin, semconv.LinkOrigin)
}

// endFailed ends the logical span of a call that failed. a is what it had of an
// answer, else nil.
func (c *call) endFailed(ctx context.Context, a *answer, e *Error) {
	c.auditEnd(ctx, a, e)
	c.measure(ctx, a, e)
	if c.span.IsRecording() {
		c.span.SetAttributes(semconv.ErrorType.String(e.ErrorType()), semconv.AttemptCount.Int(e.Attempts))
		c.span.SetStatus(codes.Error, string(e.Code)+": "+e.reason)
	}
	c.span.End()
	c.logFailure(ctx, e)
}

// attemptSpan is what is told of one request on the wire.
type attemptSpan struct {
	span  trace.Span // nil for none
	call  *call
	ctx   context.Context // of the logical span
	began time.Time       // zero when its time is not measured
	retry bool
}

// startAttempt counts an attempt and begins its span.
func (c *call) startAttempt(ctx context.Context) attemptSpan {
	n := int(c.progress.sends.Add(1))
	ctx = c.inSpan(ctx)
	s := attemptSpan{call: c, ctx: ctx, retry: n > 1}
	if c.meters.attempt.Enabled(ctx) {
		s.began = time.Now()
	}
	if c.noAttempts || !c.span.SpanContext().IsValid() { // or nobody traces
		return s
	}
	_, span := c.tracer.Start(ctx, semconv.SpanAttempt, trace.WithSpanKind(trace.SpanKindClient))
	if span.IsRecording() {
		attrs := append(serverAttributes(c.req.URL),
			semconv.HTTPRequestMethod.String(c.req.Method),
			semconv.URLFull.String(scrubbed(c.req.URL)),
			semconv.AttemptNumber.Int(n),
		)
		if key := c.req.Header.Get(c.header); key != "" {
			attrs = append(attrs, semconv.HTTPRequestIdempotencyKey.StringSlice([]string{key}))
		}
		if n > 1 {
			delay := time.Duration(c.progress.delayed.Load())
			attrs = append(attrs, semconv.HTTPRequestResendCount.Int(n-1), semconv.RetryDelay.Float64(delay.Seconds()))
		}
		span.SetAttributes(attrs...)
	}
	s.span = span
	return s
}

// inSpan is a context whose span is that of the call. A stream that is asked for
// again asks out of an attempt.
func (c *call) inSpan(ctx context.Context) context.Context {
	if trace.SpanContextFromContext(ctx).SpanID() == c.span.SpanContext().SpanID() {
		return ctx
	}
	return trace.ContextWithSpan(ctx, c.span)
}

// in puts the span into the context of its request.
func (s attemptSpan) in(ctx context.Context) context.Context {
	if s.span == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.span)
}

// end ends the span of an attempt.
func (s attemptSpan) end(a *answer) {
	s.measure(a)
	if s.span == nil {
		return
	}
	if s.span.IsRecording() {
		if a.status != 0 {
			s.span.SetAttributes(semconv.HTTPResponseStatusCode.Int(a.status))
		}
		if a.source == SourceReplay {
			s.span.SetAttributes(semconv.HTTPResponseIdempotentReplayed.StringSlice([]string{"true"}))
		}
		if a.end.class != classDone {
			s.span.SetAttributes(semconv.AttemptClass.String(a.end.class.String()))
		}
		if t := a.errorTypeOf(); t != "" {
			s.span.SetAttributes(semconv.ErrorType.String(t))
			s.span.SetStatus(codes.Error, a.end.class.String()+codeText(a.end.code))
		}
	}
	s.span.End()
}

// startPass begins the span of a request that is no inference call, and returns
// what ends it.
func (c *Client) startPass(req *http.Request, why passing) (context.Context, func(*http.Response, error)) {
	ctx, span := c.tracer.Start(req.Context(), req.Method, trace.WithSpanKind(trace.SpanKindClient))
	if span.IsRecording() {
		span.SetAttributes(append(serverAttributes(req.URL), semconv.HTTPRequestMethod.String(req.Method),
			semconv.URLFull.String(scrubbed(req.URL)), semconv.PassedThrough.String(string(why)))...)
	}
	return ctx, func(resp *http.Response, err error) {
		switch {
		case err != nil:
			span.SetAttributes(semconv.ErrorType.String(semconv.ErrorConnection))
			span.SetStatus(codes.Error, "")
		case span.IsRecording():
			span.SetAttributes(semconv.HTTPResponseStatusCode.Int(resp.StatusCode))
			if resp.StatusCode >= http.StatusBadRequest {
				span.SetAttributes(semconv.ErrorType.String(strconv.Itoa(resp.StatusCode)))
				span.SetStatus(codes.Error, strconv.Itoa(resp.StatusCode))
			}
		}
		span.End()
	}
}

// scrubbed is a URL without what may be a secret: user and query.
func scrubbed(u *url.URL) string {
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return v.String()
}

// originOf and spanContextOf go between a span and what a record keeps of it.
func originOf(sc trace.SpanContext) store.Origin {
	return store.Origin{TraceID: sc.TraceID(), SpanID: sc.SpanID(), Flags: byte(sc.TraceFlags())}
}

func spanContextOf(o store.Origin) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: o.TraceID, SpanID: o.SpanID,
		TraceFlags: trace.TraceFlags(o.Flags), Remote: true})
}

func traceID(sc trace.SpanContext) string {
	if !sc.HasTraceID() {
		return ""
	}
	return sc.TraceID().String()
}

func originTrace(o store.Origin) string { return traceID(spanContextOf(o)) }
