package providers

import (
	"net/http"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// CloudflareAIGateway is Cloudflare's AI Gateway, gateway.ai.cloudflare.com, in
// front of what speaks the OpenAI API. In front of Anthropic or Gemini, [Detect]
// gives the rules of those.
//
// It has no idempotency, but a cache that a caller may name the entry of:
// cf-aig-cache-key. That name is all that tells entries apart, so what goes out is
// a digest in which the tenant and the whole request are ([llmidem.Keys.Cache]).
// An answer that was paid for is then found again for as long as the gateway's
// cache lives: its setting, else 5 minutes from this header alone, or what
// cf-aig-cache-ttl says (60 s to a month). Two equal calls at the same time are
// both executed, and streams are not cached by default. It keeps what came with
// status 200, also an answer that was cut off, which is then found again as well;
// [llmidem.Fresh] asks anew. Hits are told as [llmidem.SourceReplay]. To leave its
// cache alone clear Keys.
//
// The account is cf-aig-authorization and the credentials for the service behind.
// Its headers count for the identity, also the metadata that it may route by and
// the alias of a stored key; its cache's, timeouts, retries and logging do not.
//
// Sources, read 2026-11: developers.cloudflare.com/ai-gateway/features/caching,
// developers.cloudflare.com/ai-gateway/glossary (headers),
// developers.cloudflare.com/ai-gateway/configuration/authentication,
// developers.cloudflare.com/ai-gateway/features/guardrails/set-up-guardrail (codes
// 2016 and 2017, which come as 424), developers.cloudflare.com/ai-gateway/features/spend-limits
// (429; a code is not documented).
func CloudflareAIGateway() llmidem.Provider {
	return cloudflare(identity.OpenAI())
}

// cloudflare is the gateway in front of services of these rules.
func cloudflare(rules *identity.Rules) llmidem.Provider {
	rules.Headers = append(rules.Headers, "cf-aig-*")
	rules.Delivery = []string{
		"cf-aig-authorization", // a credential
		"cf-aig-backoff", "cf-aig-cache-key", "cf-aig-cache-ttl", "cf-aig-collect-log", "cf-aig-collect-log-payload",
		"cf-aig-custom-cost", "cf-aig-event-id", "cf-aig-log-id", "cf-aig-max-attempts", "cf-aig-request-timeout", "cf-aig-retry-delay",
	}
	return llmidem.Provider{
		Name:      "cloudflare",
		Rules:     rules,
		Dialect:   rules.Name,
		Keys:      llmidem.Keys{Header: "cf-aig-cache-key", Cache: true},
		Account:   usual("Cf-Aig-Authorization"),
		CacheHits: http.Header{"Cf-Aig-Cache-Status": {"HIT"}},
		Errors: upstreamErrors(llmidem.ErrorCodes{
			Filtered: []string{"2016", "2017"},
		}),
	}
}
