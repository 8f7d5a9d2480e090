package llmidem

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// dimensions are the attributes that all measurements of a call have, and those of
// one. Ask Enabled first: they are not free.
func (c *call) dimensions(more ...attribute.KeyValue) metric.MeasurementOption {
	attrs := c.common(1 + len(more))
	if c.facts.model != "" {
		attrs = append(attrs, semconv.GenAIRequestModel.String(c.facts.model))
	}
	return metric.WithAttributeSet(attribute.NewSet(append(attrs, more...)...))
}

// attemptDimensions are those of an attempt. It has no model, which says nothing of
// how the wire behaves.
func (c *call) attemptDimensions(a *answer, retry bool) metric.MeasurementOption {
	attrs := append(c.common(3), semconv.AttemptRetry.Bool(retry))
	if a.status != 0 {
		attrs = append(attrs, semconv.HTTPResponseStatusCode.Int(a.status))
	}
	if t := a.errorTypeOf(); t != "" {
		attrs = append(attrs, semconv.ErrorType.String(t))
	}
	return metric.WithAttributeSet(attribute.NewSet(attrs...))
}

// common are operation and provider, with room for more. A request that was refused
// before it could be read has no operation.
func (c *call) common(more int) []attribute.KeyValue {
	attrs := append(make([]attribute.KeyValue, 0, 2+more), semconv.GenAIProviderName.String(c.provider.Name))
	if c.facts.operation != "" {
		attrs = append(attrs, semconv.GenAIOperationName.String(semconv.Operation(c.facts.operation)))
	}
	return attrs
}

// outcomeOf is what became of a call: where its answer came from, if it has one,
// and what it failed with, if it did.
func outcomeOf(a *answer, e *Error) []attribute.KeyValue {
	var attrs []attribute.KeyValue
	if a != nil {
		attrs = append(attrs, sourceOf(a))
	}
	if e != nil {
		attrs = append(attrs, semconv.ErrorType.String(e.ErrorType()))
	}
	return attrs
}

func sourceOf(a *answer) attribute.KeyValue {
	return semconv.ResponseSource.String(string(a.source))
}

// tokens are some of one kind.
type tokens struct {
	kind attribute.KeyValue
	n    int64
}

// tokensOf are those that an answer cost. What has none of a kind, as an embedding
// has no output, is not measured by it.
func tokensOf(v *complete.Result) []tokens {
	var out []tokens
	if n := v.Input; n > 0 {
		out = append(out, tokens{semconv.GenAITokenType.String(semconv.TokenTypeInput), n})
	}
	if n := v.Output; n > 0 {
		out = append(out, tokens{semconv.GenAITokenType.String(semconv.TokenTypeOutput), n})
	}
	return out
}
