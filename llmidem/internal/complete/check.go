package complete

import "strings"

// Query is an answer and what must be known of its request to judge it.
type Query struct {
	// Dialect is whose format the answer has: "openai", "anthropic", "gemini" or
	// "ollama".
	Dialect string
	// Operation is that of the request's identity: "chat", "embeddings", …
	Operation string
	// ContentType is the answer's header. Only speech and transcripts look at it.
	ContentType string
	// Request is the request's body, for the number of prompts or inputs; nil
	// means one.
	Request []byte
	// Inputs is that number where it is known already. Zero means what Request says.
	Inputs int
	// N is how many choices were asked for. Zero means what Request says, else 1.
	N int
	// Body is the answer, with no content coding left on it.
	Body []byte
}

// Result is what an answer turned out to be.
type Result struct {
	// Terminal: the answer is whole; nothing of it is missing.
	Terminal bool
	// Keep: it is whole and an answer, to be given out again. It implies Terminal;
	// a failure that the service declared final is terminal and not kept.
	Keep bool
	// Reason says in fixed words why the answer is not kept; "" when it is.
	Reason string
	// ID is the answer's own id, at most 256 bytes; "" when it has none.
	ID string
	// Model is the model that answered, at most 256 bytes.
	Model string
	// FinishReasons are those of the choices in their order, at most 128 of 64
	// bytes each.
	FinishReasons []string
	// Input and Output are the tokens billed, those read from or written to a
	// prompt cache and those spent on reasoning included.
	Input, Output int64
	// HasUsage says that the answer tells its usage in tokens.
	HasUsage bool
}

// The reasons of answers that are not kept.
const (
	reasonUnknown    = "no completeness rule for this operation"
	reasonNotJSON    = "not one whole JSON object"
	reasonEmpty      = "empty body"
	reasonError      = "an error in place of an answer"
	reasonFailed     = "the service declared the call failed"
	reasonRunning    = "the call is still running at the service"
	reasonNoStatus   = "no known status"
	reasonChoices    = "fewer finished choices than asked for"
	reasonUnfinished = "a choice without a finish reason"
	reasonChunk      = "one chunk of a stream"
	reasonInputs     = "fewer results than inputs"
	reasonImages     = "fewer images than asked for"
	reasonNoText     = "no text member"
	reasonType       = "a content type that is not the operation's"
	reasonNoStop     = "no stop reason"
	reasonNotDone    = "not done"
)

// Check judges an answer with status 200. Members of the answer that are not
// asked for do not matter, and an empty completion is legal. Id, model, finish
// reasons and usage are filled in as far as the answer is JSON and has them,
// whether or not it is complete.
//
// An operation or dialect that is not known is never terminal. Neither is an
// object with an error member, apart from a Responses object that says it failed.
func Check(q Query) Result {
	var r Result
	switch q.Dialect {
	case "openai":
		r.Reason = openAI(q, &r)
	case "anthropic":
		r.Reason = anthropic(q, &r)
	case "gemini":
		r.Reason = gemini(q, &r)
	case "ollama":
		r.Reason = ollama(q, &r)
	default:
		r.Reason = reasonUnknown
	}
	r.Keep = r.Reason == ""
	r.Terminal = r.Keep || r.Reason == reasonFailed
	return r
}

func openAI(q Query, r *Result) string {
	switch q.Operation {
	case "chat":
		return choices(q, r, "message", 1)
	case "text_completion":
		return choices(q, r, "text", q.inputs())
	case "responses":
		return responses(q, r)
	case "embeddings":
		return embeddings(q, r)
	case "moderations":
		return moderations(q, r)
	case "audio.speech":
		return speech(q)
	case "audio.transcriptions", "audio.translations":
		return transcript(q, r)
	}
	if strings.HasPrefix(q.Operation, "images.") {
		return images(q, r)
	}
	return reasonUnknown
}

// asked is how many choices the request asks for.
func asked(q Query, path ...string) int {
	n := int64(q.N)
	if n == 0 {
		n, _ = Int(Get(q.Request, path...))
	}
	return int(max(1, min(n, 1<<31-1))) // times a number of prompts it still fits 64 bits
}

// present reports whether a member is there and not null.
func present(value []byte) bool {
	k := KindOf(value)
	return k != KindInvalid && k != KindNull
}

// filled reports whether a value is a string, array or object with something in
// it.
func filled(value []byte) bool {
	switch KindOf(value) {
	case KindString:
		return len(value) > 2
	case KindArray, KindObject:
		i := skipSpace(value, 1)
		return i < len(value)-1
	}
	return false
}

// text decodes a string of an answer and bounds it; "" if it is none.
func text(value []byte, limit int) string {
	s, _ := String(value)
	return cut(s, limit)
}

// cut shortens a string to at most limit bytes, between characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xC0 == 0x80 {
		limit--
	}
	return strings.Clone(s[:limit])
}

const (
	maxName    = 256
	maxReason  = 64
	maxReasons = 128
)

func (r *Result) finish(reason string) {
	if reason != "" && len(r.FinishReasons) < maxReasons {
		r.FinishReasons = append(r.FinishReasons, reason)
	}
}
