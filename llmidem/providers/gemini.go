package providers

import (
	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Gemini is Google's Gemini API, generativelanguage.googleapis.com, and the same
// API on Vertex AI (for which [Detect] sets the name gcp.vertex_ai).
//
// It ignores idempotency keys: its reference names none. The account is the API
// key, in X-Goog-Api-Key or in the query's key, or the access token in
// Authorization or the query's access_token. Access tokens, all that Vertex AI
// takes from service accounts, rotate within the hour: name the tenant then
// ([llmidem.WithTenant]). The project that is billed (x-goog-user-project) is part
// of the identity.
//
// A quota that is counted per day is final; others are waited out as long as
// RetryInfo asks. A prompt or an answer that is filtered is an answer, with a
// block or finish reason.
//
// Sources, read 2026-11: ai.google.dev/gemini-api/docs/troubleshooting (statuses),
// github.com/RooCodeInc/Roo-Code/issues/3883 (QuotaFailure and RetryInfo under 429),
// www.developersdigest.tech/errors/api/gemini-api/429-quota-exceeded (which quotes
// its documentation), docs.cloud.google.com/vertex-ai/docs/generative-ai/learn/locations (hosts).
func Gemini() llmidem.Provider {
	return llmidem.Provider{
		Name:    "gcp.gemini",
		Rules:   identity.Gemini(),
		Dialect: "gemini",
		Account: headerOrQuery([]string{"X-Goog-Api-Key", "Authorization"}, []string{"key", "access_token"}),
		Errors: llmidem.ErrorCodes{
			Quota:      []string{"quota_exceeded"}, // and every quota whose id says PerDay
			Overload:   []string{"UNAVAILABLE"},
			InProgress: []string{}, // not documented
			TooLarge:   []string{}, // not documented under 429
			Filtered:   []string{}, // an answer, no error
		},
	}
}
