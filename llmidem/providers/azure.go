package providers

import (
	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// AzureOpenAI is the Azure OpenAI service. The model is that of the deployment in
// the path where the body names none.
//
// It ignores idempotency keys: its reference
// (learn.microsoft.com/azure/ai-services/openai/reference, read 2026-11) names
// none for inference; Repeatability-Request-ID exists on other Azure services
// only. The account is the api-key or the Authorization header. An Entra ID
// token in Authorization rotates: name the tenant then ([llmidem.WithTenant]).
func AzureOpenAI() llmidem.Provider {
	return llmidem.Provider{
		Name:    "azure.ai.openai",
		Rules:   identity.OpenAI(),
		Dialect: "openai",
		Account: header("Api-Key", "Authorization"),
		Errors: llmidem.ErrorCodes{
			Quota:      []string{"insufficient_quota", "QuotaExceeded"},
			InProgress: []string{},
			TooLarge:   []string{"Request too large"},
		},
	}
}
