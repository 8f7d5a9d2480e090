package llmidem

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/internal/semconv"
)

// maxHead is how much is read before the first event while the headers are held.
const maxHead = 64 << 10

// begin reads a stream up to its first event that is neither comment nor ping: an
// error there is the answer of this attempt, like a status.
func (c *call) begin(ctx context.Context, a *answer, body io.ReadCloser, over func(*answer)) *answer {
	a.header.Del("Content-Length") // it counts what is left out
	f := c.newFeed(body, a.header)
	f.over = over
	var before []byte
	for {
		ev, err := f.next()
		switch {
		case err != nil:
			c.endUnbegun(ctx, a, before, err)
			if !a.broken {
				f.over = nil // the attempt ended with its context
			}
		case ev.signal&complete.SignalError != 0:
			info := f.judge.Err()
			a.end = endOfFrame(c.provider.Errors, a.header, info)
			frame, _ := f.errorFrame(ev, info)
			a.body, a.broken = append(before, frame...), true
		case ev.signal&complete.SignalDone != 0 && f.ruled && !f.whole():
			c.endUnbegun(ctx, a, before, io.EOF)
		case ev.real || len(before) > maxHead:
			a.firstChunk = time.Since(c.began)
			a.live = newLive(ctx, c, f, a, before, ev)
			return a
		default:
			f.pass(ev)
			before = append(before, ev.raw...)
			continue
		}
		f.close(a)
		return a
	}
}

// endUnbegun is the end of a body before any event: nobody knows whether the call
// was executed.
func (c *call) endUnbegun(ctx context.Context, a *answer, before []byte, err error) {
	a.end = ending{class: classAmbiguous, errType: semconv.ErrorTruncated}
	if err != io.EOF {
		a.end = endOfError(err, sentMaybe)
		a.end.class = classAmbiguous
		if ctx.Err() != nil { // there is no caller to hand it to
			return
		}
		a.end.err = nil
	}
	a.body, a.broken = before, true
	if !c.cfg.TolerateTruncation {
		a.bodyErr = c.failure(CodeInterrupted, "the stream ended before its first event", io.ErrUnexpectedEOF)
	}
}

// What error frames say in place of a status, in code or type.
var (
	frameRefused  = []string{"rate_limit_exceeded", "rate_limit_error", "rate_limited", "too_many_requests", "requests", "tokens", "resource_exhausted"}
	frameBusy     = []string{"overloaded_error", "overloaded", "engine_overloaded", "server_overloaded", "server_is_overloaded", "service_unavailable", "unavailable"}
	frameServer   = []string{"server_error", "internal_error", "internal_server_error", "api_error", "internal", "timeout", "timeout_error", "deadline_exceeded", "unknown"}
	frameRejected = []string{"invalid_request_error", "invalid_request", "authentication_error", "invalid_api_key", "permission_error",
		"permission_denied", "not_found_error", "model_not_found", "content_filter", "context_length_exceeded", "content_policy_violation", "moderation_blocked",
		"invalid_argument", "invalid_prompt", "unsupported_parameter", "request_too_large", "billing_error"}
)

// frameStatus is the status that an error frame would have been. One that is not
// known is ambiguous.
func frameStatus(info complete.ErrorInfo) int {
	if n, err := strconv.Atoi(info.Code); err == nil && n >= 400 && n < 600 {
		return n
	}
	for _, word := range []string{strings.ToLower(info.Code), strings.ToLower(info.Type)} {
		switch {
		case slices.Contains(frameRefused, word):
			return http.StatusTooManyRequests
		case slices.Contains(frameBusy, word):
			return 529
		case slices.Contains(frameRejected, word):
			return http.StatusBadRequest
		case slices.Contains(frameServer, word):
			return http.StatusInternalServerError
		}
	}
	return http.StatusInternalServerError
}

// endOfFrame classes an error frame like the status that it stands for.
func endOfFrame(codes ErrorCodes, h http.Header, info complete.ErrorInfo) ending {
	status := frameStatus(info)
	if codes.quota(info) || codes.tooLarge(info) {
		status = http.StatusTooManyRequests
	}
	e := endOfStatus(codes, status, h, info)
	e.errType = strconv.Itoa(status)
	return e
}

// errorFrame is an error as it goes on to the app: as the one form of which SDKs
// of the OpenAI API make their own error, wherever it stands and whatever is
// behind it. go-openai does that only when nothing but data went on before;
// otherwise readable is false, and the caller is told by Read. Frames of other
// services are left to their SDKs.
func (f *feed) errorFrame(ev event, info complete.ErrorInfo) (frame []byte, readable bool) {
	if f.dialect != "openai" {
		return f.ended(ev.raw), true
	}
	value := complete.Get(ev.data, "error")
	if !f.plain && complete.KindOf(value) == complete.KindInvalid {
		return f.ended(ev.raw), false // an event of a type, which SDKs hand on as such
	}
	switch complete.KindOf(value) {
	case complete.KindObject:
	case complete.KindString:
		value = append(append([]byte(`{"message":`), value...), '}')
	default:
		value = plainError(info)
	}
	frame = append(frame, ev.raw[:f.lead]...)
	frame = append(append(frame, `data: {"error":`...), oneLine(value)...)
	if !f.plain { // no blank line: what Read returns next is what go-openai returns
		return append(frame, "}\n"...), false
	}
	return append(frame, "}\n\n"...), true
}

// ended is an event with its blank line, which was not waited for: without it SDKs
// that read by the event never see it.
func (f *feed) ended(raw []byte) []byte {
	frame := slices.Clone(raw)
	ends := func(text string) bool { return bytes.HasSuffix(frame, []byte(text)) }
	switch {
	case f.lines, ends("\n\n"), ends("\n\r\n"), ends("\r\r"):
		return frame
	case ends("\r"): // whose LF may not have come
		return append(frame, "\n\n"...)
	}
	return append(frame, '\n')
}

// plainError is an error object of what is known of one that has another form.
func plainError(info complete.ErrorInfo) []byte {
	text, err := json.Marshal(struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    string `json:"code,omitempty"`
	}{info.Message, info.Type, info.Code})
	if err != nil {
		return []byte(`{}`)
	}
	return text
}

// oneLine takes the line ends out of JSON, where they can only be white space.
func oneLine(value []byte) []byte {
	return []byte(strings.NewReplacer("\n", " ", "\r", " ").Replace(string(value)))
}
