package providers

import (
	"net/http"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// OpenRouter is openrouter.ai.
//
// It ignores idempotency keys: its reference names none. X-OpenRouter-Cache: true
// turns on its own cache (beta; whole answers only, by account and body), whose
// hits are not billed and are told as [llmidem.SourceReplay]. The account is the
// Authorization header. Headers of its own count for the identity; what attributes
// the traffic to an app (HTTP-Referer, X-Title and their like) does not.
//
// Spent credits come as 402, and so does a budget that other calls hold for the
// moment; both are final here. Codes in errors are statuses, in the body of a 200
// and in error frames too.
//
// Sources, read 2026-11: openrouter.ai/docs/api/reference/errors-and-debugging,
// openrouter.ai/docs/guides/features/response-caching,
// openrouter.ai/docs/app-attribution,
// github.com/openclaw/openclaw/issues/147546 (the message of the daily limit).
func OpenRouter() llmidem.Provider {
	rules := identity.OpenAI()
	rules.Headers = append(rules.Headers, "x-openrouter-*")
	rules.Delivery = []string{"x-openrouter-title", "x-openrouter-categories", "x-openrouter-cache-ttl"}
	return llmidem.Provider{
		Name:      "openrouter",
		Rules:     rules,
		Dialect:   "openai",
		Account:   header("Authorization"),
		CacheHits: http.Header{"X-Openrouter-Cache-Status": {"HIT"}},
		Errors: upstreamErrors(llmidem.ErrorCodes{
			Quota: []string{"Rate limit exceeded: free-models-per-day"},
		}),
	}
}
