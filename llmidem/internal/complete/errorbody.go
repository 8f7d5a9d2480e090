package complete

import (
	"strconv"
	"strings"
	"time"
)

// ErrorInfo is what the body of a failed answer says. The texts are a stranger's:
// Message may echo the prompt or the key.
type ErrorInfo struct {
	// Code is the service's code, a number as its digits; at most 128 bytes.
	Code string
	// Type is its type, or Gemini's status; at most 128 bytes.
	Type string
	// Message is its text, at most 1,024 bytes.
	Message string
	// Object says that the body is JSON in the form in which services tell errors
	// of their own: it has an error member. A proxy that stands in for a service
	// has other forms.
	Object bool
	// Quota is the id of the quota that was exceeded, where Gemini names one; of
	// several one that is counted per day. At most 128 bytes.
	Quota string
	// RetryDelay is Gemini's RetryInfo, 0 when there is none.
	RetryDelay time.Duration
}

const (
	maxCode    = 128
	maxMessage = 1024
)

// ErrorBody reads the body of a failed answer: OpenAI's {"error":{…}}, Gemini's
// with status and details, Anthropic's {"type":"error",…}, Ollama's
// {"error":"text"}, an array of one such as Gemini's streams have, Cloudflare's
// {"error":[{…}]}, of which the first counts, problem details (RFC 9457), and
// message and code at the top level. Of a body that is none of these the result is
// zero.
func ErrorBody(body []byte) ErrorInfo {
	if !Valid(body) {
		return ErrorInfo{}
	}
	_ = Elements(body, func(_ int, value []byte) bool { body = value; return false })
	var m [8][]byte
	if pick(body, m[:], "error", "message", "type", "code", "title", "detail", "status", "object") != nil {
		return ErrorInfo{}
	}
	switch KindOf(m[0]) {
	case KindObject:
		return errorObject(m[0])
	case KindArray:
		var e ErrorInfo
		_ = Elements(m[0], func(_ int, value []byte) bool {
			if KindOf(value) == KindObject {
				e = errorObject(value)
			}
			return false
		})
		return e
	case KindString:
		return ErrorInfo{Object: true, Message: text(m[0], maxMessage), Code: code(m[3]), Type: text(m[2], maxCode)}
	}
	e := ErrorInfo{Code: code(m[3]), Type: text(m[2], maxCode), Message: text(m[1], maxMessage)}
	e.Object = text(m[7], maxCode) == "error"
	if m[4] != nil { // problem details
		e.Code = first(e.Code, code(m[6]))
		e.Message = first(text(m[5], maxMessage), text(m[4], maxMessage))
	}
	return e
}

func errorObject(value []byte) ErrorInfo {
	var m [5][]byte
	_ = pick(value, m[:], "code", "type", "status", "message", "details")
	e := ErrorInfo{
		Object:  true,
		Code:    code(m[0]),
		Type:    first(text(m[1], maxCode), text(m[2], maxCode)),
		Message: text(m[3], maxMessage),
	}
	_ = Elements(m[4], func(_ int, detail []byte) bool { e.detail(detail); return true })
	if e.Code == "" { // Anthropic's
		e.Code = code(Get(m[4], "error_code"))
	}
	return e
}

// detail reads one of the typed details of a Google error.
func (e *ErrorInfo) detail(value []byte) {
	var m [2][]byte
	_ = pick(value, m[:], "retryDelay", "violations")
	if d := seconds(text(m[0], maxCode)); d > 0 {
		e.RetryDelay = d
	}
	_ = Elements(m[1], func(_ int, violation []byte) bool {
		id := text(Get(violation, "quotaId"), maxCode)
		if e.Quota == "" || strings.Contains(id, "PerDay") {
			e.Quota = first(id, e.Quota)
		}
		return true
	})
}

// seconds reads a duration as protocol buffers write it in JSON, "34.07s"; 0 if
// it is none.
func seconds(s string) time.Duration {
	digits, ok := strings.CutSuffix(s, "s")
	if !ok {
		return 0
	}
	f, err := strconv.ParseFloat(digits, 64)
	const most = float64(1<<63-1) / float64(time.Second)
	if err != nil || !(f > 0 && f < most) { // also not a number
		return 0
	}
	return time.Duration(f * float64(time.Second))
}

// code reads a code that some services write as text and some as a number.
func code(value []byte) string {
	if KindOf(value) == KindNumber {
		return string(value[:min(len(value), maxCode)])
	}
	return text(value, maxCode)
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
