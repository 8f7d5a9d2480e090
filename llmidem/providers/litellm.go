package providers

import (
	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// LiteLLM is the LiteLLM proxy.
//
// It ignores idempotency keys, and forwards no headers of clients by default. Its
// own cache (cache in the body) has no tenant in its key: leave it off where
// several share a proxy. It retries by itself; set num_retries to 0, since its
// attempts multiply the client's.
//
// The account is the credential in any header that it takes one from. Its headers
// count for the identity, tags and customers included, since it routes by them;
// what it only logs, and its timeouts, do not.
//
// Sources, read 2026-11: docs.litellm.ai/docs/proxy/request_headers,
// docs.litellm.ai/docs/proxy/response_headers and
// docs.litellm.ai/docs/proxy/error_reference (budget_exceeded is 429; a provider's
// budget is told by the beginning of the message).
func LiteLLM() llmidem.Provider {
	rules := identity.OpenAI()
	rules.Headers = append(rules.Headers, "anthropic-beta", "anthropic-version", "x-litellm-*")
	rules.Delivery = []string{
		"x-litellm-api-key", // a credential
		"x-litellm-call-id", "x-litellm-disable-callbacks", "x-litellm-enable-message-redaction", "x-litellm-keepalive-seconds",
		"x-litellm-num-retries", "x-litellm-session-id", "x-litellm-spend-logs-metadata", "x-litellm-stream-timeout",
		"x-litellm-timeout", "x-litellm-trace-id",
	}
	return llmidem.Provider{
		Name:    "litellm",
		Rules:   rules,
		Dialect: "openai",
		Account: usual("X-Litellm-Api-Key", "Ocp-Apim-Subscription-Key"),
		Errors: upstreamErrors(llmidem.ErrorCodes{
			Quota: []string{"budget_exceeded", "No deployments available - crossed budget"},
		}),
	}
}
