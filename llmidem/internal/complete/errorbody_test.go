package complete

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestErrorBody(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want ErrorInfo
	}{
		"OpenAI": {`{"error":{"message":"You exceeded","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`,
			ErrorInfo{Code: "insufficient_quota", Type: "insufficient_quota", Message: "You exceeded", Object: true}},
		"OpenAI, code null":     {`{"error":{"message":"m","type":"server_error","code":null}}`, ErrorInfo{Type: "server_error", Message: "m", Object: true}},
		"OpenRouter, code 429":  {`{"error":{"message":"m","code":429}}`, ErrorInfo{Code: "429", Message: "m", Object: true}},
		"an empty error object": {`{"error":{}}`, ErrorInfo{Object: true}},
		"Anthropic": {`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req"}`,
			ErrorInfo{Type: "overloaded_error", Message: "Overloaded", Object: true}},
		"R4a Gemini": {`{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
			{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinute"},{"quotaId":"GenerateRequestsPerDayPerProject"},{"quotaId":"InputTokensPerMinute"}]},
			{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}`,
			ErrorInfo{Code: "429", Type: "RESOURCE_EXHAUSTED", Message: "m", Object: true, Quota: "GenerateRequestsPerDayPerProject", RetryDelay: 34500 * time.Millisecond}},
		"R4a Gemini's stream": {`[{"error":{"code":503,"status":"UNAVAILABLE","details":[{"retryDelay":"1s"}]}}]`,
			ErrorInfo{Code: "503", Type: "UNAVAILABLE", Object: true, RetryDelay: time.Second}},
		"Ollama":                   {`{"error":"model 'x' not found"}`, ErrorInfo{Message: "model 'x' not found", Object: true}},
		"Mistral, vLLM":            {`{"object":"error","message":"m","type":"invalid_request_error","code":3000}`, ErrorInfo{Code: "3000", Type: "invalid_request_error", Message: "m", Object: true}},
		"problem details":          {`{"type":"https://x/in-progress","title":"Conflict","status":409,"detail":"Still running"}`, ErrorInfo{Code: "409", Type: "https://x/in-progress", Message: "Still running"}},
		"problem details, no more": {`{"title":"Conflict","status":409,"code":"in_progress"}`, ErrorInfo{Code: "in_progress", Message: "Conflict"}},
		"message alone":            {`{"message":"m","code":"c"}`, ErrorInfo{Code: "c", Message: "m"}},
		"error null":               {`{"error":null}`, ErrorInfo{}},
		"error true":               {`{"error":true}`, ErrorInfo{}},
		"error list":               {`{"error":[]}`, ErrorInfo{}},
		"error list of texts":      {`{"error":["x"]}`, ErrorInfo{}},
		"Cloudflare": {`{"success":false,"result":[],"messages":[],"error":[{"code":2016,"message":"Prompt blocked"},{"code":1}]}`,
			ErrorInfo{Code: "2016", Message: "Prompt blocked", Object: true}},
		"Anthropic, a spent budget": {`{"type":"error","error":{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}}`,
			ErrorInfo{Code: "enforced_spend_limit_reached", Type: "rate_limit_error", Message: "m", Object: true}},
		"a cut array":    {`[{"error":{"message":"m"}}`, ErrorInfo{}},
		"an empty array": {`[]`, ErrorInfo{}},
		"no object":      {`"error"`, ErrorInfo{}},
		"HTML":           {html, ErrorInfo{}},
		"nothing":        {``, ErrorInfo{}},
		"cut":            {`{"error":{"message":"m"}`, ErrorInfo{}},
		"not only JSON":  {`{"error":{"message":"m"}} ` + "x", ErrorInfo{}},
	} {
		if got := ErrorBody([]byte(c.body)); got != c.want {
			t.Errorf("%s\n got %+v\nwant %+v", name, got, c.want)
		}
	}
}

func TestR4a_RetryDelay(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"0s": 0, "1.5s": 1500 * time.Millisecond, "60s": time.Minute, "-1s": 0, "NaNs": 0, "Infs": 0, "1e300s": 0, "9223372036s": 9223372036 * time.Second,
		"9223372037s": 0, "1": 0, "s": 0, "": 0, "1m": 0,
	} {
		if got := ErrorBody([]byte(`{"error":{"details":[{"retryDelay":"` + in + `"}]}}`)).RetryDelay; got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestErrorBody_IsBounded(t *testing.T) {
	long := strings.Repeat("ü", 100_000)
	e := ErrorBody([]byte(`{"error":{"message":"x` + long + `","type":"` + long + `","code":` + strings.Repeat("1", 5000) + `}}`))
	if !e.Object || len(e.Message) != maxMessage-1 || len(e.Type) != maxCode || len(e.Code) != maxCode {
		t.Errorf("message %d, type %d, code %d bytes", len(e.Message), len(e.Type), len(e.Code))
	}
}

func FuzzErrorBody(f *testing.F) {
	for _, s := range append([]string{`{"error":{"message":"m","details":[{"retryDelay":"34s","violations":[{"quotaId":"PerDay"}]}]}}`, `[{"error":"x"}]`,
		`{"title":"t","status":1}`}, texts...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e := ErrorBody(body)
		if e != (ErrorInfo{}) && !Valid(body) {
			t.Fatalf("%+v from %q", e, body)
		}
		if len(e.Message) > maxMessage || max(len(e.Code), len(e.Type), len(e.Quota)) > maxCode || e.RetryDelay < 0 {
			t.Fatalf("out of bounds: %+v", e)
		}
		if !utf8.ValidString(e.Message + e.Code + e.Type + e.Quota) {
			t.Fatalf("no UTF-8: %+v", e)
		}
	})
}
