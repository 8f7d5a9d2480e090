package llmtest

import (
	"net/http"
	"strings"
)

// A dialect is how one API words what all of them have to say.
type dialect struct {
	json string // content type of answers and errors
	id   string // header of a request's id, "" where the service sends none
	// failure is the error that the service sends with a status.
	failure func(status int, code, message string) *apiError
	// body writes an error; id is that of the request.
	body func(e *apiError, id string) []byte
	// inBody says that the service tells in the error body how long to wait, and
	// not by Retry-After.
	inBody bool
}

var (
	openAI    = &dialect{json: jsonType, id: "X-Request-Id", failure: statusError, body: openAIError}
	anthropic = &dialect{json: jsonType, id: "Request-Id", failure: plainFailure, body: anthropicError}
	gemini    = &dialect{json: "application/json; charset=UTF-8", failure: plainFailure, body: geminiError, inBody: true}
	ollama    = &dialect{json: "application/json; charset=utf-8", failure: plainFailure, body: ollamaError}
)

// dialectOf is whose words a request is answered in: those of its route, and where
// it has none, of the service that its path or headers belong to.
func dialectOf(path string, h http.Header) *dialect {
	if rt := findRoute(path); rt != nil {
		return rt.dialect
	}
	switch {
	case h.Get("Anthropic-Version") != "":
		return anthropic
	case h.Get("X-Goog-Api-Key") != "", strings.HasPrefix(path, "/v1beta/"):
		return gemini
	case strings.HasPrefix(path, "/api/"):
		return ollama
	}
	return openAI
}

// plainFailure leaves the words to the status.
func plainFailure(status int, code, message string) *apiError {
	e := &apiError{status: status, code: code, message: message}
	if message == "" {
		e.message = http.StatusText(status)
	}
	if status == statusOverloaded && message == "" {
		e.message = "Overloaded"
	}
	if e.message == "" || status < 300 && message == "" {
		e.message = "Internal server error"
	}
	return e
}

// statusOverloaded is what Anthropic answers when it has too much to do.
const statusOverloaded = 529

// answer is the error as the response to a request.
func (e *apiError) answer(q *Request) answer {
	return answer{status: e.status, contentType: q.dialect.json, header: e.header, chunks: [][]byte{q.dialect.body(e, q.id())}}
}

// jsonAnswer is an answer in one piece.
func (d *dialect) jsonAnswer(v any) answer {
	return answer{status: http.StatusOK, contentType: d.json, chunks: [][]byte{encode(v)}}
}

// word is one of several words for a finish reason, which results have in OpenAI's;
// nil for none.
func word(finish string, words map[string]string) *string {
	if w, ok := words[finish]; ok {
		return &w
	}
	return nonEmpty(finish)
}

// answer is a fault's own answer, in place of that of the work.
func (f Fault) answer(q *Request) answer {
	if f.page != nil {
		return f.page.answer(f.status)
	}
	return f.failure(q, f.status).answer(q)
}

// failure is what the fault's error body says.
func (f Fault) failure(q *Request, status int) *apiError {
	e := q.dialect.failure(status, f.code, f.message)
	for _, d := range f.retry {
		e.retry = d
	}
	return e
}
