package llmidem

import (
	"strconv"

	"go.opentelemetry.io/otel/attribute"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// requestParams are the parameters of a request that are told in its span, by
// their names in the bodies of the services.
var requestParams = []struct {
	name string
	key  attribute.Key
	is   func(attribute.Key, []byte) (attribute.KeyValue, bool)
}{
	{"temperature", semconv.GenAIRequestTemperature, floatAttr},
	{"top_p", semconv.GenAIRequestTopP, floatAttr},
	{"top_k", semconv.GenAIRequestTopK, floatAttr},
	{"frequency_penalty", semconv.GenAIRequestFrequencyPenalty, floatAttr},
	{"presence_penalty", semconv.GenAIRequestPresencePenalty, floatAttr},
	{"max_tokens", semconv.GenAIRequestMaxTokens, intAttr},
	{"max_completion_tokens", semconv.GenAIRequestMaxTokens, intAttr},
	{"max_output_tokens", semconv.GenAIRequestMaxTokens, intAttr},
	{"seed", semconv.GenAIRequestSeed, intAttr},
	{"dimensions", semconv.GenAIEmbeddingsDimensions, intAttr},
}

// requestAttributes reads the parameters off the identity document.
func (c *call) requestAttributes() []attribute.KeyValue {
	var attrs []attribute.KeyValue
	for _, p := range requestParams {
		if raw := c.doc.Param(p.name); raw != nil {
			if kv, ok := p.is(p.key, raw); ok {
				attrs = append(attrs, kv)
			}
		}
	}
	if c.facts.choices > 1 {
		attrs = append(attrs, semconv.GenAIRequestChoiceCount.Int(c.facts.choices))
	}
	return attrs
}

func floatAttr(key attribute.Key, raw []byte) (attribute.KeyValue, bool) {
	f, err := strconv.ParseFloat(string(raw), 64)
	return key.Float64(f), err == nil
}

func intAttr(key attribute.Key, raw []byte) (attribute.KeyValue, bool) {
	n, ok := complete.Int(raw)
	return key.Int64(n), ok
}
