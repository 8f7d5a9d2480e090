package llmidem

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

const (
	levelInfo = slog.LevelInfo
	levelWarn = slog.LevelWarn
)

// log writes one line about a call, with its key and trace.
func (c *call) log(ctx context.Context, level slog.Level, msg string, attrs ...slog.Attr) {
	if !c.logger.Enabled(ctx, level) {
		return
	}
	all := make([]slog.Attr, 0, len(attrs)+3)
	if !c.key.IsZero() {
		all = append(all, slog.String(semconv.LogKey, c.key.LogString()))
	}
	if sc := c.span.SpanContext(); sc.IsValid() {
		all = append(all, slog.String(semconv.LogTraceID, sc.TraceID().String()), slog.String(semconv.LogSpanID, sc.SpanID().String()))
	}
	c.logger.LogAttrs(ctx, level, msg, append(all, attrs...)...)
}

// logDone says where an answer came from.
func (c *call) logDone(ctx context.Context, a *answer) {
	if !c.logger.Enabled(ctx, levelInfo) {
		return
	}
	attrs := []slog.Attr{slog.String(string(semconv.ResponseSource), string(a.source)), slog.Int(string(semconv.AttemptCount), a.sends)}
	if a.storeErr != nil {
		attrs = append(attrs, slog.Bool("llmidem.kept", false))
	}
	if v := a.cost(); v != nil {
		attrs = append(attrs, slog.Int64(string(semconv.GenAIUsageInputTokens), v.Input), slog.Int64(string(semconv.GenAIUsageOutputTokens), v.Output))
	}
	if v := a.saving(); v != nil {
		attrs = append(attrs, slog.Int64(string(semconv.TokensSavedInput), v.Input), slog.Int64(string(semconv.TokensSavedOutput), v.Output))
	}
	if a.paid() {
		c.log(ctx, levelInfo, semconv.LogCompleted, attrs...)
		return
	}
	origin := originTrace(a.origin)
	if a.source == SourceCoalesced {
		origin = originTrace(a.leader)
	}
	if origin != "" {
		attrs = append(attrs, slog.String("origin_trace_id", origin))
	}
	c.log(ctx, levelInfo, semconv.LogReused, attrs...)
}

// logRetry says that an attempt failed and when the next one is.
func (c *call) logRetry(ctx context.Context, e ending, status int, delay time.Duration) {
	errType := e.errType
	if errType == "" {
		errType = strconv.Itoa(status)
	}
	c.log(ctx, levelWarn, semconv.LogRetrying,
		slog.Int(string(semconv.AttemptNumber), c.progress.count()),
		slog.String(string(semconv.ErrorType), errType),
		slog.String(string(semconv.AttemptClass), e.class.String()),
		slog.Float64(string(semconv.RetryDelay), delay.Seconds()))
}

// logFailure says that a call failed.
func (c *call) logFailure(ctx context.Context, e *Error) {
	c.log(ctx, levelWarn, semconv.LogFailed,
		slog.String("code", string(e.Code)),
		slog.String(string(semconv.ErrorType), e.ErrorType()),
		slog.String("reason", e.reason),
		slog.Int(string(semconv.AttemptCount), e.Attempts))
}

// NewLogHandler returns a handler that adds trace_id and span_id of the context's
// span to every record that has none, so that the lines of an application and
// those of this module are found by the same trace. It is safe for concurrent use
// if next is.
func NewLogHandler(next slog.Handler) slog.Handler { return &logHandler{next} }

type logHandler struct{ slog.Handler }

func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	sc := trace.SpanContextFromContext(ctx)
	has := false
	r.Attrs(func(a slog.Attr) bool {
		has = a.Key == semconv.LogTraceID
		return !has
	})
	if sc.IsValid() && !has {
		r = r.Clone()
		r.AddAttrs(slog.String(semconv.LogTraceID, sc.TraceID().String()), slog.String(semconv.LogSpanID, sc.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{h.Handler.WithAttrs(attrs)}
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	return &logHandler{h.Handler.WithGroup(name)}
}
