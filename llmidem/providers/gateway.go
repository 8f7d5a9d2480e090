package providers

import (
	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Gateway is a service that speaks the OpenAI API and whose support of
// idempotency keys is known: its class, header, quoting, length and window. name
// is its name in spans and in the namespace of its records.
//
// The account is the credentials in any of the usual headers. State the class
// with care: [llmidem.Replay] for a service that ignores keys lets ambiguous
// failures be repeated, and paid for, up to the limit of attempts.
func Gateway(name string, keys llmidem.Keys) llmidem.Provider {
	return llmidem.Provider{
		Name:    name,
		Rules:   identity.OpenAI(),
		Dialect: "openai",
		Keys:    keys,
	}
}
