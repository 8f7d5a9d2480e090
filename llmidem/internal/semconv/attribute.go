// Package semconv has every name that llmidem writes into telemetry, in one
// place: attributes, spans, links, metrics, logs.
//
// The GenAI conventions of OpenTelemetry are in development and have left the
// repository of the others, so the names are constants here and carry no schema
// URL. Tests compare them with the last Go package that had them, semconv/v1.41.0,
// and those for HTTP, errors and servers with semconv/v1.43.0.
package semconv

import "go.opentelemetry.io/otel/attribute"

// Attributes of the logical span, set when it starts. There is no gen_ai.system,
// which is the old name of the provider, and gen_ai.conversation.id is never the
// key.
const (
	GenAIOperationName = attribute.Key("gen_ai.operation.name")
	GenAIProviderName  = attribute.Key("gen_ai.provider.name")
	GenAIRequestModel  = attribute.Key("gen_ai.request.model")
	// GenAIRequestStream is set only when it is true.
	GenAIRequestStream           = attribute.Key("gen_ai.request.stream")
	GenAIRequestChoiceCount      = attribute.Key("gen_ai.request.choice.count")
	GenAIRequestEncodingFormats  = attribute.Key("gen_ai.request.encoding_formats")
	GenAIRequestFrequencyPenalty = attribute.Key("gen_ai.request.frequency_penalty")
	GenAIRequestMaxTokens        = attribute.Key("gen_ai.request.max_tokens")
	GenAIRequestPresencePenalty  = attribute.Key("gen_ai.request.presence_penalty")
	GenAIRequestSeed             = attribute.Key("gen_ai.request.seed")
	GenAIRequestStopSequences    = attribute.Key("gen_ai.request.stop_sequences")
	GenAIRequestTemperature      = attribute.Key("gen_ai.request.temperature")
	GenAIRequestTopK             = attribute.Key("gen_ai.request.top_k")
	GenAIRequestTopP             = attribute.Key("gen_ai.request.top_p")
	GenAIEmbeddingsDimensions    = attribute.Key("gen_ai.embeddings.dimension.count")
	GenAIOutputType              = attribute.Key("gen_ai.output.type")
	GenAIToolName                = attribute.Key("gen_ai.tool.name")
	// ServerAddress and ServerPort are also on attempts and in metrics.
	ServerAddress = attribute.Key("server.address")
	ServerPort    = attribute.Key("server.port")
	// IdempotencyKey is the key in the form it has in logs.
	IdempotencyKey = attribute.Key("llmidem.idempotency.key")
)

// Attributes of the logical span, set when it ends.
const (
	// ResponseSource says where the answer came from: [SourceProvider], ….
	ResponseSource = attribute.Key("llmidem.response.source")
	// AttemptCount is how many requests went out.
	AttemptCount = attribute.Key("llmidem.attempt.count")
	// CacheAge is how old a recalled answer is, in seconds.
	CacheAge                      = attribute.Key("llmidem.cache.age")
	GenAIResponseID               = attribute.Key("gen_ai.response.id")
	GenAIResponseModel            = attribute.Key("gen_ai.response.model")
	GenAIResponseFinishReasons    = attribute.Key("gen_ai.response.finish_reasons")
	GenAIResponseTimeToFirstChunk = attribute.Key("gen_ai.response.time_to_first_chunk")
	// GenAIUsageInputTokens and GenAIUsageOutputTokens are set only when this call
	// paid, TokensSavedInput and TokensSavedOutput only when it did not: who adds
	// either up gets the bill.
	GenAIUsageInputTokens  = attribute.Key("gen_ai.usage.input_tokens")
	GenAIUsageOutputTokens = attribute.Key("gen_ai.usage.output_tokens")
	TokensSavedInput       = attribute.Key("llmidem.tokens.saved.input")
	TokensSavedOutput      = attribute.Key("llmidem.tokens.saved.output")
	// ErrorType is set, with status Error, only when the call or attempt failed.
	ErrorType = attribute.Key("error.type")
	// GenAIInputMessages, GenAIOutputMessages and GenAISystemInstructions have
	// prompt and answer, and are written only when that was asked for.
	GenAIInputMessages      = attribute.Key("gen_ai.input.messages")
	GenAIOutputMessages     = attribute.Key("gen_ai.output.messages")
	GenAISystemInstructions = attribute.Key("gen_ai.system_instructions")
)

// Attributes of an attempt's span. It has no gen_ai attribute: backends would
// count the cost twice.
const (
	HTTPRequestMethod = attribute.Key("http.request.method")
	// URLFull has its query scrubbed.
	URLFull                = attribute.Key("url.full")
	HTTPResponseStatusCode = attribute.Key("http.response.status_code")
	// HTTPRequestResendCount is set from the second request on.
	HTTPRequestResendCount = attribute.Key("http.request.resend_count")
	// AttemptNumber counts the requests of a call from 1.
	AttemptNumber = attribute.Key("llmidem.attempt.number")
	// RetryDelay is the wait before this attempt, in seconds.
	RetryDelay = attribute.Key("llmidem.retry.delay")
	// AttemptClass is what became of it: not sent, refused, ambiguous, final.
	AttemptClass = attribute.Key("llmidem.attempt.class")
	// HTTPRequestIdempotencyKey and HTTPResponseIdempotentReplayed have lists of
	// text, as all headers do.
	HTTPRequestIdempotencyKey      = attribute.Key("http.request.header.idempotency-key")
	HTTPResponseIdempotentReplayed = attribute.Key("http.response.header.idempotent-replayed")
)

// PassedThrough is, on the span of a request that is no inference call, why it
// was passed untouched: no_such_route or no_model; of one that is an inference call
// and too large to be one of ours, body_too_large.
const PassedThrough = attribute.Key("llmidem.passed_through")

// Attributes of links, batches and metrics.
const (
	// LinkType says what a link leads to: [LinkLeader], ….
	LinkType = attribute.Key("llmidem.link.type")
	// BatchSize is how many items a batch has.
	BatchSize = attribute.Key("llmidem.batch.size")
	// GenAITokenType is [TokenTypeInput] or [TokenTypeOutput].
	GenAITokenType = attribute.Key("gen_ai.token.type")
	// AttemptRetry is whether an attempt was not the first of its call.
	AttemptRetry = attribute.Key("llmidem.attempt.retry")
)
