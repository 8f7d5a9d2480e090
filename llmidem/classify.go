package llmidem

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// class is how an attempt ended, as the retry policy asks it.
type class uint8

const (
	classDone      class = iota // status 200, whatever is in it
	classNotSent                // provably not executed, since it did not arrive
	classRefused                // provably not executed, since it was turned away
	classAmbiguous              // perhaps executed
	classFinal                  // executed or turned away for good
)

// String is the class in spans and logs.
func (c class) String() string {
	return [...]string{"done", "not_sent", "refused", "ambiguous", "final"}[c]
}

// ending is all that is known of how an attempt ended.
type ending struct {
	class      class
	err        error  // of the transport; nil when there is an HTTP answer
	reason     string // err in our words
	errType    string // error.type where it is not the status
	code       string // the provider's error code
	hint       time.Duration
	hinted     bool
	inProgress bool // the provider still works on this key
	final      bool // must not be repeated, whatever the class
	content    bool // it was the content of an attachment that failed
	force      bool // the provider says that a repetition makes sense
}

// endOfStatus classes an HTTP answer (table in the package's design: refused,
// ambiguous and final statuses).
func endOfStatus(codes ErrorCodes, status int, h http.Header, info complete.ErrorInfo) ending {
	if status == http.StatusOK {
		return ending{}
	}
	e := ending{class: classOfStatus(status), code: info.Code}
	def(&e.code, info.Type)
	e.hint, e.hinted = hintOf(h, info)
	switch {
	case status == http.StatusConflict && codes.inProgress(info):
		e.class, e.inProgress = classRefused, true
	case status == http.StatusServiceUnavailable && info.Object:
		e.class = classRefused // the provider's own words; a proxy's are not
	case status >= http.StatusInternalServerError && codes.overload(info):
		e.class = classRefused
	}
	e.final = codes.quota(info) || codes.tooLarge(info) || codes.filtered(info)
	if e.final && e.class == classAmbiguous {
		e.class = classFinal // the service says what became of it, whatever the status
	}
	switch strings.ToLower(h.Get("X-Should-Retry")) {
	case "false":
		e.final = true
	case "true":
		e.force = !e.final
	}
	return e
}

// classOfStatus is the class that a status alone gives.
func classOfStatus(status int) class {
	switch status {
	case http.StatusMisdirectedRequest:
		return classNotSent
	case http.StatusTooEarly, http.StatusTooManyRequests, 521, 522, 523, 525, 526, 529, 530:
		return classRefused
	case http.StatusRequestTimeout, http.StatusFailedDependency, 499:
		return classAmbiguous
	case http.StatusNotImplemented:
		return classFinal
	}
	if status >= 500 {
		return classAmbiguous
	}
	return classFinal
}

// Codes of the OpenAI API and of what speaks it.
var (
	openAIQuota = []string{"insufficient_quota", "quota_exceeded", "billing_hard_limit_reached", "billing_not_active",
		"credit_balance_exhausted", "organization_usage_limit_exceeded", "organization_spend_limit_exceeded", "project_spend_limit_exceeded"}
	openAIOverload   = []string{"server_is_overloaded", "slow_down"}
	openAIInProgress = []string{"idempotency_key_in_use", "idempotency_in_progress", "request_in_progress"}
	openAITooLarge   = []string{"request_too_large", "Request too large"}
	openAIFiltered   = []string{"content_filter", "content_policy_violation", "moderation_blocked"}
)

func or(list, fallback []string) []string {
	if list == nil {
		return fallback
	}
	return list
}

// named reports whether an error has one of the codes.
func named(list []string, info complete.ErrorInfo) bool {
	return slices.ContainsFunc(list, func(s string) bool { return s != "" && (s == info.Code || s == info.Type) })
}

// worded reports whether an error has one of the codes, or a message that begins
// with one: some services have no code for some errors.
func worded(list []string, info complete.ErrorInfo) bool {
	return named(list, info) || slices.ContainsFunc(list, func(s string) bool { return s != "" && strings.HasPrefix(info.Message, s) })
}

func (c ErrorCodes) quota(info complete.ErrorInfo) bool {
	return worded(or(c.Quota, openAIQuota), info) || strings.Contains(info.Quota, "PerDay")
}

func (c ErrorCodes) overload(info complete.ErrorInfo) bool {
	return named(or(c.Overload, openAIOverload), info)
}

func (c ErrorCodes) inProgress(info complete.ErrorInfo) bool {
	return named(or(c.InProgress, openAIInProgress), info)
}

func (c ErrorCodes) tooLarge(info complete.ErrorInfo) bool {
	return worded(or(c.TooLarge, openAITooLarge), info)
}

func (c ErrorCodes) filtered(info complete.ErrorInfo) bool {
	return named(or(c.Filtered, openAIFiltered), info)
}

// endOfError classes an error of the transport. sent says what the trace of the
// attempt saw.
func endOfError(err error, sent sendState) ending {
	var u *url.Error // its text has the query, and with it Gemini's key
	if errors.As(err, &u) {
		err = u.Err
	}
	e := ending{class: classAmbiguous, err: err, errType: semconv.ErrorConnection,
		reason: "the connection failed after the request was sent" + detail(err)}
	switch {
	case isUnsendable(err):
		e.class, e.errType, e.reason = classFinal, semconv.ErrorInvalid, "the transport cannot send such a request"
	case isCertificate(err):
		e.class, e.reason = classFinal, "the server's certificate is not valid"
	case sent == sentNothing || refusedByHTTP2(err) || isDial(err):
		e.class, e.reason = classNotSent, "the request could not be sent"+detail(err)
	}
	switch {
	case errors.Is(err, context.Canceled):
		e.errType = semconv.ErrorCanceled
	case isTimeout(err):
		e.errType = semconv.ErrorTimeout
	}
	return e
}

// endedBy says that the attempt ended since its context did.
func (e *ending) endedBy(cause error) {
	e.err, e.errType = cause, semconv.ErrorCanceled
	if isTimeout(cause) {
		e.errType = semconv.ErrorTimeout
	}
	e.reason = "the call's time ended before it was answered"
	if errors.Is(cause, context.Canceled) {
		e.reason = "the call was cancelled before it was answered"
	}
}

// detail is what may be said of an error of the network: addresses and system
// errors, which hold nothing of the request.
func detail(err error) string {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &op):
		return ": " + op.Error()
	case errors.As(err, &dns):
		return ": " + dns.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ": the answer was cut short"
	case errors.Is(err, io.EOF):
		return ": the server closed the connection"
	case isTimeout(err):
		return ": timed out"
	}
	return ""
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

func isCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var bad x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &bad)
}

// refusedByHTTP2 reports whether an HTTP/2 server has said that it did not
// process the stream: REFUSED_STREAM, or GOAWAY with a lower last id (RFC 9113,
// sections 6.8 and 8.7). net/http would send such a request again by itself if
// it could rewind the body, which it must not; what it returns then has no type.
func refusedByHTTP2(err error) bool {
	const cannot = "http2: Transport: cannot retry err ["
	inner, ok := strings.CutPrefix(err.Error(), cannot)
	if ok && (strings.HasPrefix(inner, "http2: Transport received Server's graceful shutdown GOAWAY") ||
		strings.HasPrefix(inner, "stream error: ") && strings.Contains(inner, "REFUSED_STREAM")) {
		return true
	}
	var stream streamError
	return errors.As(err, &stream) && stream.Code == refusedStream
}

// streamError has the shape of the StreamError of golang.org/x/net/http2, which
// the one inside net/http converts itself to for errors.As.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return "http2 stream error" }

// refusedStream is REFUSED_STREAM (RFC 9113, section 7).
const refusedStream = 0x7
