package providers

import (
	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Ollama is Ollama's own API, on a machine of yours or at ollama.com. Its
// OpenAI-compatible routes below /v1 are [Gateway]'s: Gateway("ollama",
// llmidem.Keys{}), which is what [Detect] gives for such a base URL.
//
// It ignores idempotency keys (measured: the same key twice gave two texts).
// A server of yours needs no credentials, so that everybody who reaches it is one
// account, and over a shared store [llmidem.WithTenant] or [llmidem.WithNamespace]
// is needed. At ollama.com the account is the Authorization header, and behind a proxy
// that asks for credentials these, in any of the usual places.
//
// Sources, read 2026-11: docs.ollama.com/api/errors (errors have a text and no
// code), docs.ollama.com/api/authentication,
// github.com/ollama/ollama/blob/main/server/sched.go (503 when its queue is full,
// in its own words, so that it counts as refused).
func Ollama() llmidem.Provider {
	return llmidem.Provider{
		Name:    "ollama",
		Rules:   identity.Ollama(),
		Dialect: "ollama",
		Account: usual(),
		Errors: llmidem.ErrorCodes{ // not documented: there are no codes
			Quota: []string{}, Overload: []string{}, InProgress: []string{}, TooLarge: []string{}, Filtered: []string{},
		},
	}
}
