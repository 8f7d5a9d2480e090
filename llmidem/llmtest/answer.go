package llmtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// An answer is a response that is ready to be sent: a body in one piece, or the
// events of a stream.
type answer struct {
	status      int
	contentType string
	header      http.Header
	chunks      [][]byte
	stream      bool
	frame       func(e *apiError, sequence int) []byte // an error in the stream; nil for {"error": …}
}

// An apiError is what an error body says.
type apiError struct {
	status              int
	kind, code, message string
	header              http.Header
	retry               time.Duration // told in the body where the dialect does so
}

func invalidRequest(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: "invalid_request_error", message: message}
}

// openAIError renders {"error": {…}} with the members in OpenAI's order.
func openAIError(e *apiError, _ string) []byte {
	type inner struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	out := struct {
		Error inner `json:"error"`
	}{inner{Message: e.message, Type: e.kind}}
	if e.code != "" {
		out.Error.Code = &e.code
	}
	return encode(out)
}

// statusError is the error that OpenAI sends with a status.
func statusError(status int, code, message string) *apiError {
	e := &apiError{status: status, kind: "invalid_request_error", code: code, message: message}
	switch {
	case status == http.StatusTooManyRequests:
		e.kind = "requests"
		if code == "" {
			e.code = "rate_limit_exceeded"
		}
	case status == http.StatusUnauthorized && code == "":
		e.code = "invalid_api_key"
	case status >= 500 || status < 300:
		e.kind = "server_error"
	}
	if code == "insufficient_quota" {
		e.kind = code
	}
	if message == "" {
		e.message = http.StatusText(status)
	}
	if e.message == "" || status < 300 && message == "" {
		e.message = "The server had an error while processing your request."
	}
	return e
}

const (
	jsonType   = "application/json"
	streamType = "text/event-stream"
	linesType  = "application/x-ndjson"
)

// encode marshals what the server itself made, with < > & as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("{}")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// event is a server-sent event of nothing but data.
func event(data []byte) []byte {
	return append(append([]byte("data: "), data...), "\n\n"...)
}

// answer is the page as it was scripted; an event stream goes out by event, JSON
// lines by line.
func (p *page) answer(status int) answer {
	a := answer{status: status, contentType: p.contentType}
	ends := ""
	media, _, _ := strings.Cut(strings.ToLower(p.contentType), ";")
	switch media = strings.TrimSpace(media); {
	case media == linesType:
		ends = "\n"
	case media != streamType:
		a.chunks = [][]byte{[]byte(p.body)}
		return a
	case strings.Contains(p.body, "\r\n\r\n") && !strings.Contains(p.body, "\n\n"):
		ends = "\r\n\r\n"
	default:
		ends = "\n\n"
	}
	a.stream = true
	for _, e := range strings.SplitAfter(p.body, ends) {
		if e != "" {
			a.chunks = append(a.chunks, []byte(e))
		}
	}
	return a
}

// render writes the result in the form of its route.
func (r *result) render() answer {
	if r.reply != nil {
		return r.reply.answer(http.StatusOK)
	}
	return r.call.route.render(r)
}

// spoil applies the damage that is done to bytes and events.
func (a answer) spoil(f Fault, q *Request) answer {
	a = a.damage(f, q)
	if !a.stream || f.before == "" && f.newline == "" {
		return a
	}
	chunks := make([][]byte, len(a.chunks))
	for i, c := range a.chunks {
		text := f.before + string(c)
		if f.newline != "" {
			text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", f.newline)
		}
		chunks[i] = []byte(text)
	}
	a.chunks = chunks
	return a
}

func (a answer) damage(f Fault, q *Request) answer {
	switch f.damage {
	case cutJSON:
		if len(a.chunks) == 0 {
			return a
		}
		half := len(a.chunks) / 2
		last := a.chunks[half]
		a.chunks = append(a.chunks[:half:half], last[:len(last)/2])
	case errorFrame:
		e := f.failure(q, http.StatusOK)
		if !a.stream {
			return e.answer(q)
		}
		n := min(f.after, len(a.chunks))
		frame := event(openAIError(e, ""))
		if a.frame != nil {
			frame = a.frame(e, n)
		}
		if f.frame != "" {
			frame = []byte(f.frame)
		}
		a.chunks = append(a.chunks[:n:n], frame)
	}
	return a
}
