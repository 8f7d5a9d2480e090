package llmtest

import (
	"net/http"
	"strings"
)

// models answers what is no inference call: the list of models, or 404.
func models(q *Request) answer {
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		Owner   string `json:"owned_by"`
	}
	if q.Method != http.MethodGet || !strings.HasSuffix(q.Path, "/models") {
		e := q.dialect.failure(http.StatusNotFound, "", "Unknown request URL: "+q.Method+" "+q.Path+".")
		if q.dialect == openAI {
			e.code = "unknown_url"
		}
		return e.answer(q)
	}
	list := []model{{ID: "gpt-4o-mini", Object: "model", Owner: "llmtest"}, {ID: "text-embedding-3-small", Object: "model", Owner: "llmtest"}}
	return q.dialect.jsonAnswer(struct {
		Object string  `json:"object"`
		Data   []model `json:"data"`
	}{"list", list})
}
