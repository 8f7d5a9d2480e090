package semconv

// Names of the metrics. The key is an attribute of none: record them with the
// context of the logical span, so that exemplars lead from metric to trace to key.
// All have operation, provider and model beside what is said of them.
const (
	// GenAIClientOperationDuration, in seconds, is recorded for calls with at least
	// one attempt, with server.*, error.type and source.
	GenAIClientOperationDuration = "gen_ai.client.operation.duration"
	// GenAIClientTokenUsage, in {token}, is recorded when this call paid, with
	// gen_ai.token.type.
	GenAIClientTokenUsage = "gen_ai.client.token.usage"
	// GenAIClientTimeToFirstChunk, in seconds, is recorded for streams that were
	// sent, with server.*.
	GenAIClientTimeToFirstChunk = "gen_ai.client.operation.time_to_first_chunk"
	// GenAIClientTimePerOutputChunk, in seconds, is recorded for streams that were
	// sent, with server.*.
	GenAIClientTimePerOutputChunk = "gen_ai.client.operation.time_per_output_chunk"

	// ClientCallDuration, in seconds, is recorded for every call, with source and
	// error.type.
	ClientCallDuration = "llmidem.client.call.duration"
	// ClientDedupHits, in {hit}, counts the answers from cache, store, a flight or
	// a replay, with source.
	ClientDedupHits = "llmidem.client.dedup.hits"
	// ClientTokensSaved, in {token}, counts the tokens of answers that were not
	// paid for, with gen_ai.token.type and source.
	ClientTokensSaved = "llmidem.client.tokens.saved"
	// ClientAttemptDuration, in seconds, is recorded for every attempt, with
	// http.response.status_code, error.type and llmidem.attempt.retry, without
	// the model.
	ClientAttemptDuration = "llmidem.client.attempt.duration"
)

// Descriptions of the metrics, those of the convention in its words.
const (
	TextOperationDuration  = "GenAI operation duration."
	TextTokenUsage         = "Number of input and output tokens used."
	TextTimeToFirstChunk   = "Time to receive the first chunk, measured from when the client issues the generation request to when the first chunk is received in the response stream."
	TextTimePerOutputChunk = "Time per output chunk, recorded for each chunk received after the first one, measured as the time elapsed from the end of the previous chunk to the end of the current chunk."

	TextCallDuration    = "Duration of a call, wherever its answer came from."
	TextDedupHits       = "Number of answers that were not asked for anew."
	TextTokensSaved     = "Number of input and output tokens of answers that were not paid for."
	TextAttemptDuration = "Duration of one request on the wire, until the end of its body."
)

// Units of the metrics, in UCUM.
const (
	UnitSeconds = "s"
	UnitTokens  = "{token}"
	UnitHits    = "{hit}"
)

// Values of [GenAITokenType].
const (
	TokenTypeInput  = "input"
	TokenTypeOutput = "output"
)

// DurationBuckets returns the boundaries of the histograms in seconds, 0.01 to
// 81.92 doubling. The convention asks for them; its constructors set none.
func DurationBuckets() []float64 { return buckets(0.01, 2, 14) }

// TokenBuckets returns the boundaries of the histograms in tokens, 1 to
// 67,108,864 by 4.
func TokenBuckets() []float64 { return buckets(1, 4, 14) }

func buckets(first, factor float64, n int) []float64 {
	b := make([]float64, n)
	for i := range b {
		b[i] = first
		first *= factor
	}
	return b
}
