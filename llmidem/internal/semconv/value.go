package semconv

// Values of [ResponseSource]: where an answer came from.
const (
	// SourceProvider: it was sent for, and paid for, now.
	SourceProvider = "provider"
	// SourceCache: the memory of this process.
	SourceCache = "cache"
	// SourceStore: a store that is shared or outlives the process.
	SourceStore = "store"
	// SourceCoalesced: another caller's call in flight.
	SourceCoalesced = "coalesced"
	// SourceReplay: the service or a gateway replayed it.
	SourceReplay = "replay"
)

// Values of [LinkType]: what a span link leads to.
const (
	// LinkLeader: the call that this one waited for.
	LinkLeader = "leader"
	// LinkOrigin: the call whose answer this is.
	LinkOrigin = "origin"
	// LinkBatch: from an item to its batch, never the other way, since a span
	// keeps 128 links.
	LinkBatch = "batch"
)

// Values of [ErrorType] beside an HTTP status as text.
const (
	ErrorTimeout       = "timeout"
	ErrorCanceled      = "canceled"
	ErrorConnection    = "connection_error"
	ErrorTruncated     = "stream_truncated" // also of an answer that was interrupted
	ErrorConflict      = "idempotency_conflict"
	ErrorInProgress    = "idempotency_in_progress"
	ErrorAmbiguous     = "idempotency_ambiguous"
	ErrorWindowElapsed = "idempotency_window_elapsed"
	ErrorUnavailable   = "store_unavailable"
	ErrorRedirect      = "redirect"
	ErrorInvalid       = "invalid"
	ErrorOther         = "_OTHER"
)

// FinishReasonError is the finish reason of a stream that was cut or closed early.
const FinishReasonError = "error"

// Names of spans.
const (
	// SpanAttempt is one request on the wire, CLIENT, a child of the call.
	SpanAttempt = "POST"
	// SpanBatch is a batch, INTERNAL, the parent of its items.
	SpanBatch = "llmidem.batch"
)

// SpanCall is the name of a logical call's span, CLIENT: "chat gpt-4o-mini". The
// operation is the convention's ([Operation]); without a model it stands alone.
func SpanCall(operation, model string) string {
	if model == "" {
		return operation
	}
	return operation + " " + model
}

// Keys of log records, and the messages they belong to.
const (
	LogKey     = string(IdempotencyKey)
	LogTraceID = "trace_id"
	LogSpanID  = "span_id"

	// LogCompleted and LogReused are INFO, the others WARN; LogFailed is written
	// once for a call.
	LogCompleted = "completed"
	LogReused    = "reused answer"
	LogRetrying  = "attempt failed; retrying"
	LogFailed    = "call failed"
)
