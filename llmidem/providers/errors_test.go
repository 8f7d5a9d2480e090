package providers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// How often a call is sent that always ends so, with the default policy.
const refused, ambiguous, final = 5, 3, 1

// failing is the body of an error with a code, in the form of a dialect. A text
// with a space in it is no code, but how the message begins.
func failing(dialect string, status int, code string) string {
	message := "m"
	if strings.Contains(code, " ") {
		message, code = code+", and more", ""
	}
	body := map[string]any{"message": message}
	switch dialect {
	case "gemini":
		body["code"], body["status"] = status, code
	case "anthropic":
		body["type"] = code
		if code == "enforced_spend_limit_reached" {
			body["type"], body["details"] = "rate_limit_error", map[string]string{"error_code": code}
		}
	default:
		body["code"] = code
		if n, err := strconv.Atoi(code); err == nil {
			body["code"] = n
		}
	}
	whole := map[string]any{"error": body}
	if dialect == "anthropic" {
		whole["type"] = "error"
	}
	text, err := json.Marshal(whole)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// sends is how often a call goes out that is always answered so.
func sends(t *testing.T, p llmidem.Provider, c call, r reply) int {
	t.Helper()
	var n int
	synctest.Test(t, func(t *testing.T) {
		service := always(r)
		client := newClient(t, p, service)
		answer := send(t, client, c)
		if r.status != 0 {
			require.Equal(t, r.status, answer.status, "the answer is handed on as it came")
		}
		n = len(service.seen)
	})
	return n
}

// R2a: each code of each provider means what its list says, under the status that
// alone would mean something else.
func TestR2a_EachCodeOfEachProvider(t *testing.T) {
	for name, provider := range constructors {
		p := provider()
		for _, list := range []struct {
			name         string
			codes        []string
			status       int
			plain, coded int // sends without and with a code of the list
		}{
			{"quota", p.Errors.Quota, 429, refused, final},
			{"too large", p.Errors.TooLarge, 429, refused, final},
			{"overload", p.Errors.Overload, 500, ambiguous, refused},
			{"filtered", p.Errors.Filtered, 424, ambiguous, final},
			{"in progress", p.Errors.InProgress, 409, final, refused},
		} {
			c := calls[p.Dialect]
			require.Equal(t, list.plain, sends(t, p, c, reply{status: list.status, body: failing(p.Dialect, list.status, "another")}), "%s %s", name, list.name)
			for _, code := range list.codes {
				require.Equal(t, list.coded, sends(t, p, c, reply{status: list.status, body: failing(p.Dialect, list.status, code)}), "%s %s %s", name, list.name, code)
			}
		}
	}
}

// R2a, R13a: the same codes in an error frame, after a 200.
func TestR2a_EachCodeInAFrame(t *testing.T) {
	for name, provider := range constructors {
		p := provider()
		c := calls[p.Dialect].streaming()
		for _, list := range []struct {
			codes []string
			sends int
		}{{p.Errors.Quota, final}, {p.Errors.TooLarge, final}, {p.Errors.Filtered, final}, {p.Errors.Overload, refused}} {
			for _, code := range list.codes {
				frame := "data: " + failing(p.Dialect, 429, code) + "\n\n"
				if p.Dialect == "anthropic" {
					frame = "event: error\n" + frame
				}
				require.Equal(t, list.sends, sends(t, p, c, reply{body: frame}), "%s %s", name, code)
			}
		}
	}
}

// What services say in words of their own, as they were read.
func TestR2a_ErrorsAsTheyCome(t *testing.T) {
	const perDay = `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"retryDelay":"1s"}]}}`
	for name, tt := range map[string]struct {
		provider llmidem.Provider
		reply    reply
		sends    int
	}{
		"OpenAI, too large":         {providers.OpenAI(), reply{status: 429, body: `{"error":{"message":"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000","type":"tokens","code":"rate_limit_exceeded"}}`}, final},
		"OpenAI, rate limit":        {providers.OpenAI(), reply{status: 429, body: `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`}, refused},
		"OpenAI, type alone":        {providers.OpenAI(), reply{status: 429, body: `{"error":{"type":"insufficient_quota","code":"a_new_limit"}}`}, final},
		"OpenAI, ramping":           {providers.OpenAI(), reply{status: 503, body: `{"error":{"type":"service_unavailable_error","code":"slow_down"}}`}, refused},
		"Azure, filtered":           {providers.AzureOpenAI(), reply{status: 400, body: `{"error":{"code":"content_filter","status":400}}`}, final},
		"Anthropic, overloaded":     {providers.Anthropic(), reply{status: 529, body: `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`}, refused},
		"Anthropic, credit":         {providers.Anthropic(), reply{status: 402, body: `{"type":"error","error":{"type":"billing_error"}}`}, final},
		"Anthropic, conflict":       {providers.Anthropic(), reply{status: 409, body: `{"type":"error","error":{"type":"conflict_error"}}`}, final},
		"Gemini, per day":           {providers.Gemini(), reply{status: 429, body: perDay}, final},
		"Gemini, overloaded":        {providers.Gemini(), reply{status: 503, body: `{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}`}, refused},
		"Ollama, busy":              {providers.Ollama(), reply{status: 503, body: `{"error":"server busy, please try again.  maximum pending requests exceeded"}`}, refused},
		"Ollama, a proxy before it": {providers.Ollama(), reply{status: 503, body: `no healthy upstream`}, ambiguous},
		"OpenRouter, credits":       {providers.OpenRouter(), reply{status: 402, body: `{"error":{"code":402,"message":"Insufficient credits"}}`}, final},
		"OpenRouter, flagged":       {providers.OpenRouter(), reply{status: 403, body: `{"error":{"code":403,"message":"flagged"}}`}, final},
		"OpenRouter, provider down": {providers.OpenRouter(), reply{status: 502, body: `{"error":{"code":502,"message":"down"}}`}, ambiguous},
		"OpenRouter, daily limit":   {providers.OpenRouter(), reply{status: 429, body: `{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-day. Add 10 credits"}}`}, final},
		"OpenRouter, minute limit":  {providers.OpenRouter(), reply{status: 429, body: `{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-min."}}`}, refused},
		"vLLM":                      {providers.VLLM(), reply{status: 400, body: `{"object":"error","message":"m","type":"BadRequestError","code":400}`}, final},
		"LiteLLM, budget":           {providers.LiteLLM(), reply{status: 429, body: `{"error":{"message":"Budget has been exceeded!","type":"budget_exceeded","param":null,"code":"429"}}`}, final},
		"LiteLLM, throttled":        {providers.LiteLLM(), reply{status: 429, body: `{"error":{"message":"Rate limit exceeded","type":"throttling_error","code":"429"}}`}, refused},
		"Portkey, guardrail":        {providers.Portkey(), reply{status: 446, body: `{"error":{"message":"hooks failed"}}`}, final},
		"Cloudflare, guardrail":     {providers.CloudflareAIGateway(), reply{status: 424, body: `{"success":false,"result":[],"messages":[],"error":[{"code":2016,"message":"Prompt blocked due to security configurations"}]}`}, final},
		"Bedrock, throttled":        {providers.Bedrock(), reply{status: 429, body: `{"message":"Too many requests","__type":"ThrottlingException"}`}, refused},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.sends, sends(t, tt.provider, calls[tt.provider.Dialect], tt.reply))
		})
	}
}

// R2a: what a service refuses for its content is settled, also under a status that
// leaves it open whether a call was executed: asked again, it is sent again.
func TestR2a_FilteredContentLeavesNoDoubt(t *testing.T) {
	for want, code := range map[int]string{2: "2016", 1: "another"} {
		service := always(reply{status: 424, body: failing("openai", 424, code)})
		client := newClient(t, providers.CloudflareAIGateway(), service,
			llmidem.Config{OnUnknown: llmidem.Fail, Retry: llmidem.RetryPolicy{MaxAttempts: 1}})
		send(t, client, calls["openai"])
		resp, err := client.RoundTrip(request(t, context.Background(), calls["openai"]))
		if want == 1 {
			require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
		} else {
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
		require.Len(t, service.seen, want)
	}
}

// R4a: Gemini's RetryInfo is waited out to the second; a quota of a day is not.
func TestR4a_GeminiRetryInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := calls["gemini"]
		service := &service{answer: func(n int) reply {
			if n == 0 {
				return reply{status: 429, body: `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[` +
					`{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateContentInputTokensPerModelPerMinute-FreeTier"}]},` +
					`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"26s"}]}}`}
			}
			return reply{body: c.whole}
		}}
		start := time.Now()
		require.Equal(t, http.StatusOK, send(t, newClient(t, providers.Gemini(), service), c).status)
		require.Equal(t, 26*time.Second, time.Since(start))
	})
}

// R9: what a gateway does with keys decides how its failures are retried.
func TestR9_GatewayClasses(t *testing.T) {
	for class, want := range map[llmidem.KeyClass]struct{ ambiguous, refused int }{
		llmidem.Ignore: {3, 5}, llmidem.Replay: {5, 5}, llmidem.Reject: {1, 1},
	} {
		p := providers.Gateway("acme", llmidem.Keys{Class: class})
		require.Equal(t, want.ambiguous, sends(t, p, calls["openai"], reply{status: 502, body: "bad gateway"}), class)
		require.Equal(t, want.refused, sends(t, p, calls["openai"], reply{status: 429, body: failing("openai", 429, "rate_limit_exceeded")}), class)
	}
}

// R9: "in progress" at a gateway that replays uses up time, and no attempts.
func TestR9_InProgressWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &service{answer: func(n int) reply {
			if n < 10 {
				return reply{status: 409, header: http.Header{"Retry-After": {"3"}}, body: failing("openai", 409, "idempotency_key_in_use")}
			}
			return reply{body: calls["openai"].whole, header: http.Header{"Idempotent-Replayed": {"true"}}}
		}}
		client := newClient(t, providers.Gateway("acme", llmidem.Keys{Class: llmidem.Replay}), service)
		start := time.Now()
		require.Equal(t, "replay", send(t, client, calls["openai"]).source)
		require.Equal(t, 30*time.Second, time.Since(start))
	})
}

// R9: a gateway that forgets its keys is not asked again after that.
func TestR9_WindowOfAGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := always(reply{status: 429, header: http.Header{"Retry-After": {"40"}}, body: failing("openai", 429, "rate_limit_exceeded")})
		client := newClient(t, providers.Gateway("acme", llmidem.Keys{Class: llmidem.Replay, Window: time.Minute}), service)
		_, err := client.RoundTrip(request(t, context.Background(), calls["openai"]))
		require.Equal(t, llmidem.CodeWindowElapsed, llmidem.CodeOf(err))
		require.Len(t, service.seen, 2)
	})
}
