package llmidem

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// Code says what kind of failure an [Error] is. The set is closed.
type Code string

const (
	// CodeInvalid: the call cannot be made as it is. Nothing was sent.
	CodeInvalid Code = "invalid"
	// CodeConflict: this key stands for another request. Nothing was sent.
	CodeConflict Code = "conflict"
	// CodeInProgress: the call is being made, by this process or another, and the
	// caller's context ended first. Ask again, after RetryAfter if it is set.
	CodeInProgress Code = "in_progress"
	// CodeAmbiguous: the call may have been executed and paid for, and its answer
	// is not known.
	CodeAmbiguous Code = "ambiguous"
	// CodeInterrupted: an answer that was being given out broke off.
	CodeInterrupted Code = "interrupted"
	// CodeWindowElapsed: the provider may have forgotten the key, so that one
	// more attempt could be executed again.
	CodeWindowElapsed Code = "window_elapsed"
	// CodeUnavailable: a store or an audit log that must not fail has failed.
	CodeUnavailable Code = "unavailable"
	// CodeRedirect: following the redirect would have sent key and prompt to
	// another origin.
	CodeRedirect Code = "redirect"
	// CodeFailed: the call failed, and is known not to be executed, or executed
	// and answered with an error. This is also the code of what is no *Error.
	CodeFailed Code = "failed"
)

// Error is a call that failed. Its text holds no prompt, answer, credential or
// query string. Errors of the transport and of the SDK are reached by Unwrap:
// [errors.As] finds an SDK's own error (*openai.APIError, say), whose text is
// the SDK's and may repeat what the provider wrote.
type Error struct {
	// Code is the kind of failure.
	Code Code
	// Key is the call's key; the zero Key when it has none.
	Key identity.Key
	// Address is where the call's record lies, as [Client.Forget] takes it; ""
	// when there is none.
	Address string
	// Attempts is how many requests were sent for it.
	Attempts int
	// TraceID is the trace of the call, 32 hexadecimal digits; "" without one.
	TraceID string
	// RetryAfter is when asking again makes sense; 0 when that is not known.
	RetryAfter time.Duration
	// Err is the cause; nil when there is none beyond the reason in the text.
	Err error

	reason  string // said in the text; never foreign text
	errType string // for telemetry; "" means by code
	inDoubt bool   // whether it was executed is not known
}

// Error returns the code, the reason, the key and the number of attempts.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("llmidem: ")
	b.WriteString(string(e.Code))
	if e.reason != "" {
		b.WriteString(": ")
		b.WriteString(e.reason)
	}
	var facts []string
	if !e.Key.IsZero() {
		facts = append(facts, "key "+e.Key.LogString())
	}
	if e.Attempts > 0 {
		facts = append(facts, "attempts "+strconv.Itoa(e.Attempts))
	}
	if e.RetryAfter > 0 {
		facts = append(facts, "retry after "+e.RetryAfter.String())
	}
	if len(facts) > 0 {
		b.WriteString(" (" + strings.Join(facts, ", ") + ")")
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the failure is that time ran out, so that
// [os.IsTimeout] and [net.Error] checks keep working.
func (e *Error) Timeout() bool {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return true
	}
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// ErrorType returns the failure's error.type in spans: the HTTP status as text,
// or one of a small set of words.
func (e *Error) ErrorType() string {
	if e.errType != "" {
		return e.errType
	}
	switch e.Code {
	case CodeInvalid:
		return semconv.ErrorInvalid
	case CodeConflict:
		return semconv.ErrorConflict
	case CodeInProgress:
		return semconv.ErrorInProgress
	case CodeAmbiguous:
		return semconv.ErrorAmbiguous
	case CodeInterrupted:
		return semconv.ErrorTruncated
	case CodeWindowElapsed:
		return semconv.ErrorWindowElapsed
	case CodeUnavailable:
		return semconv.ErrorUnavailable
	case CodeRedirect:
		return semconv.ErrorRedirect
	}
	return semconv.ErrorOther
}

// CodeOf returns the code of the *Error in err's chain, "" for nil, and
// CodeFailed for an error that has none.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeFailed
}

// invalid is an error about a call that was not sent.
func invalid(reason string, cause error) *Error {
	return &Error{Code: CodeInvalid, reason: reason, Err: cause}
}

// asError is the *Error that err is, or one about it.
func asError(err error, c *call) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return c.failure(CodeFailed, "the call failed", err)
}

// contextError says what the end of a caller's context means: a call that goes
// on without its caller is in progress, one that was given up has failed.
func contextError(ctx context.Context, goesOn bool) *Error {
	cause := context.Cause(ctx)
	e := &Error{Code: CodeFailed, Err: ctx.Err(), errType: semconv.ErrorCanceled,
		reason: "the caller's context ended before anything was sent"}
	if cause != nil && !errors.Is(cause, ctx.Err()) {
		e.Err = errors.Join(ctx.Err(), cause)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.errType = semconv.ErrorTimeout
	}
	if goesOn {
		e.Code = CodeInProgress
		e.reason = "the caller's context ended; the call goes on and its answer is kept for the next try"
	}
	return e
}
