package llmtest_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

// FuzzServeHTTP sends any body to every route: it is answered, or refused with an
// error body, and what is not executed is not billed.
func FuzzServeHTTP(f *testing.F) {
	f.Add(chatBody("hi", `,"n":2,"stream":true`))
	f.Add(`{"model":"m","messages":[{"content":[{"text":"a"},null,{"text":1}]},null]}`)
	f.Add(`{"model":"m","prompt":[[1],[2]],"input":["a"],"n":2,"max_tokens":1,"stream":true}`)
	f.Add(`{"model":"m","input":"x","dimensions":2,"encoding_format":"base64"}`)
	f.Add("{\"model\":\"\\ud800\",\"input\":\"\xff\"}")
	f.Fuzz(func(t *testing.T, body string) {
		srv := llmtest.New(t, llmtest.InMemory())
		executed := 0
		for _, path := range []string{"chat/completions", "completions", "responses", "embeddings", "moderations"} {
			w := httptest.NewRecorder()
			srv.ServeHTTP(w, httptest.NewRequest("POST", "/v1/"+path, strings.NewReader(body)))
			switch {
			case w.Code == 400:
				assert.True(t, json.Valid(w.Body.Bytes()))
			case strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream"):
				executed++
				assert.True(t, strings.HasSuffix(w.Body.String(), "\n\n"))
			default:
				executed++
				assert.Equal(t, 200, w.Code)
				assert.True(t, json.Valid(w.Body.Bytes()))
			}
		}
		assert.Equal(t, executed, srv.Ledger().Executions())
	})
}
