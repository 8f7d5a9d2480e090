// Package providers says what the inference services are: which of their
// requests are calls, what tells their accounts apart, and what they do with an
// idempotency key. Every constructor returns a fresh [llmidem.Provider], which
// may be changed before it is given to [llmidem.New].
package providers

import (
	"net/http"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// OpenAI is the OpenAI API, api.openai.com.
//
// It ignores idempotency keys: its reference (platform.openai.com/docs/api-reference,
// read 2026-11) names none, and its SDKs send none. The account is the
// Authorization header; organization and project are part of the identity.
func OpenAI() llmidem.Provider {
	return llmidem.Provider{
		Name:    "openai",
		Rules:   identity.OpenAI(),
		Dialect: "openai",
		Account: header("Authorization"),
		Errors: llmidem.ErrorCodes{
			// platform.openai.com/docs/guides/error-codes, read 2026-11: a spent
			// quota and a request above the limit of tokens come as 429 as well.
			Quota:      []string{"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"},
			InProgress: []string{},
			TooLarge:   []string{"Request too large"},
		},
	}
}

// header is an account that is the values of these headers.
func header(names ...string) func(*http.Request) string {
	return func(req *http.Request) string {
		account := ""
		for _, name := range names {
			for _, v := range req.Header[http.CanonicalHeaderKey(name)] {
				account += name + "\x00" + v + "\x00" // a header's value has no NUL
			}
		}
		return account
	}
}
