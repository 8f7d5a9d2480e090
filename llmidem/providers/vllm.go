package providers

import (
	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// VLLM is the OpenAI-compatible server of vLLM.
//
// It ignores idempotency keys: X-Request-Id names a request and deduplicates
// nothing, and a repeated one has broken the engine; llmidem sends none. The
// account is the Authorization header, and behind a proxy that asks for credentials
// these, in any of the usual places; a server without --api-key takes anybody, so that over a shared store [llmidem.WithTenant] or [llmidem.WithNamespace] is
// needed. The header that pins a request to a rank does not change the answer that
// is meant, and does not count.
//
// Sources, read 2026-11:
// docs.vllm.ai/en/stable/serving/openai_compatible_server (API key, routes),
// github.com/vllm-project/vllm/pull/10463 (the form of errors: an object of type
// error, whose code is the status; it documents no codes of its own).
func VLLM() llmidem.Provider {
	return llmidem.Provider{
		Name:    "vllm",
		Rules:   identity.OpenAI(),
		Dialect: "openai",
		Account: usual(),
		Errors: llmidem.ErrorCodes{ // not documented: codes are statuses
			Quota: []string{}, Overload: []string{}, InProgress: []string{}, TooLarge: []string{}, Filtered: []string{},
		},
	}
}
