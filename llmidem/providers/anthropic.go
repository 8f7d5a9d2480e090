package providers

import (
	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Anthropic is Anthropic's Messages API, api.anthropic.com.
//
// It ignores idempotency keys: its reference names none; the custom_id of a
// message batch is for correlation only. The account is the X-Api-Key or the
// Authorization header. OAuth tokens in the latter rotate: name the tenant then
// ([llmidem.WithTenant]). A spent budget of the organisation comes as 429 with the
// type of a rate limit and details.error_code enforced_spend_limit_reached.
//
// Sources, read 2026-11: docs.claude.com/en/api/errors (types, 529, request-id),
// platform.claude.com/docs/en/api/rate-limits (enforced_spend_limit_reached).
func Anthropic() llmidem.Provider {
	return llmidem.Provider{
		Name:    "anthropic",
		Rules:   identity.Anthropic(),
		Dialect: "anthropic",
		Account: header("X-Api-Key", "Authorization"),
		Errors: llmidem.ErrorCodes{
			Quota:      []string{"billing_error", "enforced_spend_limit_reached"},
			Overload:   []string{"overloaded_error"},
			InProgress: []string{}, // conflict_error is about resources, not about keys
			TooLarge:   []string{"request_too_large"},
			Filtered:   []string{}, // not documented; a refusal is an answer with stop_reason refusal
		},
	}
}
