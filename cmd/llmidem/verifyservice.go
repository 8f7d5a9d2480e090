package main

import (
	"fmt"
	"net/url"
	"strings"

	sdk "github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// A service is a provider as the command line names it.
type service struct {
	flag string
	make func() sdk.Provider
	code string // the constructor in Go
	env  string // where its users keep its key; "" for that of its dialect
	auth string // header that carries the key; "" for that of its dialect
}

// services in the order in which the help names them. The last is every other one.
var services = []service{
	{"openai", providers.OpenAI, "OpenAI()", "", ""},
	{"azure", providers.AzureOpenAI, "AzureOpenAI()", "AZURE_OPENAI_API_KEY", "Api-Key"},
	{"anthropic", providers.Anthropic, "Anthropic()", "", ""},
	{"gemini", providers.Gemini, "Gemini()", "", ""},
	{"vertex", vertex, "Gemini()", "CLOUDSDK_AUTH_ACCESS_TOKEN", "Authorization"},
	{"bedrock", providers.Bedrock, "Bedrock()", "AWS_BEARER_TOKEN_BEDROCK", ""},
	{"ollama", providers.Ollama, "Ollama()", "", ""},
	{"vllm", providers.VLLM, "VLLM()", "VLLM_API_KEY", ""},
	{"litellm", providers.LiteLLM, "LiteLLM()", "LITELLM_API_KEY", ""},
	{"openrouter", providers.OpenRouter, "OpenRouter()", "OPENROUTER_API_KEY", ""},
	{"portkey", providers.Portkey, "Portkey()", "PORTKEY_API_KEY", "X-Portkey-Api-Key"},
	{"cloudflare", providers.CloudflareAIGateway, "CloudflareAIGateway()", "", ""},
	{"gateway", gateway, "", "", ""},
}

// gateway is a service that speaks the OpenAI API and is not known.
func gateway() sdk.Provider { return providers.Gateway("gateway", sdk.Keys{}) }

// vertex has the name that Detect gives it.
func vertex() sdk.Provider {
	p := providers.Gemini()
	p.Name = "gcp.vertex_ai"
	return p
}

// serviceOf returns the service of a flag, or of a base URL where that is empty,
// and its provider, whose dialect is as the base URL says.
func serviceOf(flag, base string) (service, sdk.Provider, error) {
	found, known := providers.Detect(base)
	var names []string
	for _, s := range services {
		p := s.make()
		switch {
		case flag == "" && known && p.Name == found.Name:
			return s, found, nil
		case flag == s.flag && known && p.Name == found.Name:
			return s, found, nil
		case flag == s.flag:
			return s, p, nil
		}
		names = append(names, s.flag)
	}
	if flag != "" {
		return service{}, sdk.Provider{}, fmt.Errorf("no provider %q: it is one of %s", flag, strings.Join(names, ", "))
	}
	last := services[len(services)-1]
	return last, last.make(), nil
}

// usualEnv is the variable in which users of the service keep its key.
func (s service) usualEnv(d *dialect) string {
	if s.env != "" {
		return s.env
	}
	return map[string]string{"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY",
		"gemini": "GEMINI_API_KEY", "ollama": "OLLAMA_API_KEY"}[d.name]
}

// credential is the header line that carries the service's key.
func (s service) credential(d *dialect, key string) (name, value string) {
	name = s.auth
	if name == "" {
		name = map[string]string{"anthropic": "X-Api-Key", "gemini": "X-Goog-Api-Key"}[d.name]
	}
	if name == "" || name == "Authorization" {
		return "Authorization", "Bearer " + key
	}
	return name, key
}

// address is where a chat with the model goes. Azure has it below the deployment,
// except in its newer API, whose base URL says so.
func (s service) address(d *dialect, base url.URL, model string) *url.URL {
	if s.flag != "azure" || d.name != "openai" || strings.Contains(base.Path+"/", "/v1/") || strings.HasSuffix(base.Path, "/chat/completions") {
		return d.url(base, model)
	}
	if q := base.Query(); !q.Has("api-version") {
		q.Set("api-version", "2024-10-21")
		base.RawQuery = q.Encode()
	}
	if !strings.Contains(base.Path, "/deployments/") {
		base = *below(base, "openai", "deployments", url.PathEscape(model))
	}
	return below(base, "chat", "completions")
}
