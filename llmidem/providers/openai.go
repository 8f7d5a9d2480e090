package providers

import (
	"slices"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// OpenAI is the OpenAI API, api.openai.com.
//
// It ignores idempotency keys: its reference names none, and its SDKs send none.
// The account is the Authorization header; organization and project are part of
// the identity.
//
// Sources, read 2026-11: platform.openai.com/docs/api-reference (keys, headers),
// help.openai.com/en/articles/5955604 and developers.openai.com/api/docs/guides/spend-limits
// (codes under 429: a spent balance comes with the status of a rate limit, and so
// does a request above the limit of tokens, which only its message tells),
// www.developersdigest.tech/errors/api/openai-api (which quotes its guide to error
// codes: slow_down and server_is_overloaded). Codes of filtered content are as in
// error bodies that public clients handle.
func OpenAI() llmidem.Provider {
	return llmidem.Provider{
		Name:    "openai",
		Rules:   identity.OpenAI(),
		Dialect: "openai",
		Account: header("Authorization"),
		Errors: llmidem.ErrorCodes{
			Quota:      openAIQuota(),
			Overload:   []string{"server_is_overloaded", "slow_down"},
			InProgress: []string{}, // not documented
			TooLarge:   []string{"Request too large"},
			Filtered:   openAIFiltered(),
		},
	}
}

// openAIQuota are the codes of a spent balance or limit. The first is the type of
// the others; the last two are of accounts that never paid.
func openAIQuota() []string {
	return []string{"insufficient_quota", "credit_balance_exhausted", "organization_usage_limit_exceeded",
		"organization_spend_limit_exceeded", "project_spend_limit_exceeded", "billing_hard_limit_reached", "billing_not_active"}
}

// openAIFiltered come with status 400, and in error frames without one.
func openAIFiltered() []string {
	return []string{"content_filter", "content_policy_violation", "moderation_blocked"}
}

// upstreamErrors are the codes that a gateway of the OpenAI API hands on from the
// services behind it, beside its own.
func upstreamErrors(own llmidem.ErrorCodes) llmidem.ErrorCodes {
	return llmidem.ErrorCodes{
		Quota:      slices.Concat(own.Quota, openAIQuota(), []string{"billing_error", "enforced_spend_limit_reached"}),
		Overload:   slices.Concat(own.Overload, []string{"server_is_overloaded", "slow_down", "overloaded_error"}),
		InProgress: append([]string{}, own.InProgress...),
		TooLarge:   slices.Concat(own.TooLarge, []string{"Request too large"}),
		Filtered:   slices.Concat(own.Filtered, openAIFiltered()),
	}
}
