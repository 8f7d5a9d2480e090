package providers

import (
	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// AzureOpenAI is the Azure OpenAI service. The model is that of the deployment in
// the path where the body names none.
//
// It ignores idempotency keys: its reference names none for inference;
// Repeatability-Request-ID exists on other Azure services only. The account is the
// key, in whichever of its headers, or the Authorization header. An Entra ID token
// in that rotates within the hour: name the tenant then ([llmidem.WithTenant]).
// Claude on the same resources speaks Anthropic's API below /anthropic, for which
// [Detect] gives its rules. The deployment that draws images for Responses is named by a header and part of
// the identity.
//
// Sources, read 2026-11: learn.microsoft.com/azure/ai-services/openai/reference
// (keys), learn.microsoft.com/en-us/azure/foundry/openai/api-version-lifecycle
// and platform.claude.com/docs/build-with-claude/claude-in-microsoft-foundry
// (credentials), www.developersdigest.tech/errors/api/azure-openai (which quotes
// its documentation: 429 with retry-after-ms whatever the limit, content_filter; a
// code of a spent quota is not documented, so those are OpenAI's).
func AzureOpenAI() llmidem.Provider {
	rules := identity.OpenAI()
	rules.Headers = append(rules.Headers, "x-ms-oai-image-generation-deployment")
	return llmidem.Provider{
		Name:    "azure.ai.openai",
		Rules:   rules,
		Dialect: "openai",
		Account: header("Api-Key", "X-Api-Key", "Ocp-Apim-Subscription-Key", "Authorization"),
		Errors: llmidem.ErrorCodes{
			Quota:      openAIQuota(),
			Overload:   []string{}, // not documented; they come as 429
			InProgress: []string{}, // not documented
			TooLarge:   []string{"Request too large"},
			Filtered:   openAIFiltered(),
		},
	}
}
