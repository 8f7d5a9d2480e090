package providers

import (
	"net/http"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Portkey is the Portkey AI gateway, hosted or your own.
//
// It ignores idempotency keys itself, and strips the header before it asks the
// service behind it (measured), unless x-portkey-forward-headers names it: that is
// set here, on every request that does not have it. Who sets it to forward
// something else, or renames the key header, has to name the key header in it too.
// The service behind sees the key of the whole call on each attempt that Portkey
// makes, also on a fallback with another body. Its own retries multiply the
// client's.
//
// The account is its API key, the virtual key and the credentials for the service
// behind it. Its headers count for the identity, the config, provider, virtual key
// and metadata (which it may route by) included; what only traces, and credentials,
// do not. A config that has credentials written into it counts with them: name it
// by its id instead. A hit of its cache is told as [llmidem.SourceReplay].
//
// Sources, read 2026-11: portkey.ai/docs/api-reference/inference-api/headers,
// github.com/Portkey-AI/gateway/blob/main/src/globals.ts and
// github.com/Portkey-AI/gateway/blob/main/src/handlers/handlerUtils.ts (headers,
// also of credentials; the codes of its errors are those of the service behind).
func Portkey() llmidem.Provider {
	rules := identity.OpenAI()
	rules.Headers = append(rules.Headers, "x-portkey-*")
	rules.Delivery = append(portkeySecrets(),
		"x-portkey-debug", "x-portkey-forward-headers", "x-portkey-request-timeout", "x-portkey-retry-count",
		"x-portkey-parent-span-id", "x-portkey-span-id", "x-portkey-span-name", "x-portkey-trace-id")
	return llmidem.Provider{
		Name:      "portkey",
		Rules:     rules,
		Dialect:   "openai",
		Account:   usual(append(portkeySecrets(), "x-portkey-virtual-key")...),
		Headers:   http.Header{"X-Portkey-Forward-Headers": {"idempotency-key"}},
		CacheHits: http.Header{"X-Portkey-Cache-Status": {"HIT", "SEMANTIC HIT"}},
		Errors:    upstreamErrors(llmidem.ErrorCodes{}),
	}
}

// portkeySecrets are the headers that hold credentials: the account, and never a
// part of the document.
func portkeySecrets() []string {
	return []string{"x-portkey-api-key", "x-portkey-aws-access-key-id", "x-portkey-aws-secret-access-key", "x-portkey-aws-session-token",
		"x-portkey-azure-ad-token", "x-portkey-azure-entra-client-secret", "x-portkey-vertex-service-account-json"}
}
