package llmtest

import (
	"net/http"
	"strings"
)

// contentPieces are the chunks of a stream: the pieces of all candidates in turn.
func (r *result) contentPieces() []geminiResponse {
	if r.blocked != "" {
		out := r.generated()
		out.Feedback = &geminiFeedback{r.blocked}
		return []geminiResponse{out}
	}
	var out []geminiResponse
	queues := make([][]geminiCandidate, len(r.items))
	longest := 0
	for i, it := range r.items {
		queues[i] = it.candidates()
		longest = max(longest, len(queues[i]))
	}
	for step := range longest {
		for _, q := range queues {
			if step < len(q) {
				out = append(out, r.generated(q[step]))
			}
		}
	}
	return out
}

// candidates are the pieces of a candidate: word by word, or a call of a function
// as a whole.
func (it item) candidates() []geminiCandidate {
	var out []geminiCandidate
	words := pieces(it.text)
	if len(words) == 0 {
		words = []string{""}
	}
	for _, w := range words {
		out = append(out, said(it.index, geminiPart{Text: &w}))
	}
	if it.tool != nil {
		out = []geminiCandidate{said(it.index, geminiPart{Call: &geminiCall{it.tool.name, it.tool.input()}})}
	}
	out[len(out)-1].Finish = word(it.finish, geminiWords)
	return out
}

// finished reports whether any item has a finish reason.
func (r *result) finished() bool {
	for _, it := range r.items {
		if it.finish != "" {
			return true
		}
	}
	return false
}

// geminiEvent is a server-sent event as Google ends its lines.
func geminiEvent(data []byte) []byte {
	return append(append([]byte("data: "), data...), "\r\n\r\n"...)
}

// element is an element of the array, with what stands before it.
func element(i int, data []byte) []byte {
	if i == 0 {
		return append([]byte("["), data...)
	}
	return append([]byte("\n,\r\n"), data...)
}

func geminiFrame(e *apiError, _ int) []byte { return geminiEvent(geminiError(e, "")) }

// geminiElement is an error as the last element of the array.
func geminiElement(e *apiError, sequence int) []byte {
	return append(element(sequence, geminiError(e, "")), "\n]\n"...)
}

// geminiStatuses are the statuses of google.rpc.Code by the HTTP status that they
// come with.
var geminiStatuses = map[int]string{
	http.StatusBadRequest: "INVALID_ARGUMENT", http.StatusUnauthorized: "UNAUTHENTICATED",
	http.StatusForbidden: "PERMISSION_DENIED", http.StatusNotFound: "NOT_FOUND", http.StatusConflict: "ABORTED",
	http.StatusTooManyRequests: "RESOURCE_EXHAUSTED", 499: "CANCELLED", http.StatusInternalServerError: "INTERNAL",
	http.StatusNotImplemented: "UNIMPLEMENTED", http.StatusServiceUnavailable: "UNAVAILABLE",
	http.StatusGatewayTimeout: "DEADLINE_EXCEEDED",
}

// A geminiFailure is the error member of an error body.
type geminiFailure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []any  `json:"details,omitempty"`
}

// geminiError renders {"error": {"code", "message", "status", "details"}}.
func geminiError(e *apiError, _ string) []byte {
	out := geminiFailure{Code: e.status, Message: e.message, Status: geminiStatuses[e.status]}
	switch {
	case e.code == "" || e.code == generalCode:
	case e.status == http.StatusTooManyRequests && e.code != strings.ToUpper(e.code):
		out.Details = append(out.Details, map[string]any{"@type": "type.googleapis.com/google.rpc.QuotaFailure",
			"violations": []any{map[string]string{"quotaId": e.code}}})
	default:
		out.Status = e.code
	}
	if e.retry > 0 {
		out.Details = append(out.Details, map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo",
			"retryDelay": seconds(e.retry) + "s"})
	}
	out.complete()
	return encode(struct {
		Error geminiFailure `json:"error"`
	}{out})
}

// complete puts a code and a status where there is none yet: an error in place of an
// answer has the code that it would have come with.
func (g *geminiFailure) complete() {
	if g.Code < 300 {
		g.Code = http.StatusInternalServerError
		for code, status := range geminiStatuses {
			if status == g.Status {
				g.Code = code
			}
		}
	}
	switch {
	case g.Status != "":
	case g.Code < 500:
		g.Status = "FAILED_PRECONDITION"
	default:
		g.Status = "INTERNAL"
	}
}
