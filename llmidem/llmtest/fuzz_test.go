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
	for _, o := range operations() {
		f.Add(o.body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		srv := llmtest.New(t, llmtest.InMemory())
		executed := 0
		for _, o := range operations() {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("POST", o.path, strings.NewReader(body))
			r.Header.Set("Content-Type", o.contentType)
			srv.ServeHTTP(w, r)
			typ := w.Header().Get("Content-Type")
			if w.Code != 400 {
				executed++
				assert.Equal(t, 200, w.Code)
			}
			switch {
			case strings.HasPrefix(typ, "text/event-stream"):
				assert.True(t, w.Body.Len() > 0 && strings.TrimRight(w.Body.String(), "\r\n") != w.Body.String())
			case strings.Contains(typ, "ndjson"):
				for line := range strings.Lines(w.Body.String()) {
					assert.True(t, json.Valid([]byte(line)))
				}
			case strings.Contains(typ, "json"):
				assert.True(t, json.Valid(w.Body.Bytes()))
			}
		}
		assert.Equal(t, executed, srv.Ledger().Executions())
	})
}
