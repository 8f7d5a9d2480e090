package providers

import (
	"net/url"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

// Detect returns the provider of an API's base URL, as an SDK is configured with
// it. Only the host tells a provider, by whole labels; the path tells which API is
// spoken where one host speaks several: OpenAI's at Ollama (/v1), Gemini (/openai)
// and Vertex AI (/endpoints/openapi), Anthropic's at Azure and Bedrock (/anthropic),
// its or Gemini's behind Cloudflare. Of ports only 11434 on the machine itself says
// something: it is Ollama.
//
// false means that the host is no known one, or the URL has no host: vLLM, LiteLLM
// and gateways of your own have to be named. Nothing is asked over the network.
//
// Sources, read 2026-11: the comments of the constructors.
func Detect(baseURL string) (llmidem.Provider, bool) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http" {
		return llmidem.Provider{}, false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	path := strings.Trim(u.Path, "/")
	switch {
	case host == "api.openai.com":
		return OpenAI(), true
	case host == "api.anthropic.com":
		return Anthropic(), true
	case host == "openrouter.ai":
		return OpenRouter(), true
	case host == "api.portkey.ai":
		return Portkey(), true
	case host == "gateway.ai.cloudflare.com":
		return cloudflare(behindCloudflare(path)), true
	case host == "generativelanguage.googleapis.com":
		return speaking(Gemini(), ends(path, "openai"), identity.OpenAI()), true
	case vertex(host):
		p := Gemini()
		p.Name = "gcp.vertex_ai"
		return speaking(p, ends(path, "endpoints/openapi"), identity.OpenAI()), true
	case host == "ollama.com", u.Port() == "11434" && local(host):
		if ends(path, "v1") {
			return Gateway("ollama", llmidem.Keys{}), true
		}
		return Ollama(), true
	case azure(host):
		return speaking(AzureOpenAI(), begins(path, "anthropic"), identity.Anthropic()), true
	case bedrock(host):
		return speaking(Bedrock(), begins(path, "anthropic"), identity.Anthropic()), true
	}
	return llmidem.Provider{}, false
}

// speaking is a provider by another API than its first, if the path says so.
func speaking(p llmidem.Provider, other bool, rules *identity.Rules) llmidem.Provider {
	if other {
		p.Rules, p.Dialect = rules, rules.Name
	}
	return p
}

// behindCloudflare are the rules of the service that a path names:
// v1/account/gateway/service.
func behindCloudflare(path string) *identity.Rules {
	if parts := strings.Split(path, "/"); len(parts) > 3 {
		switch parts[3] {
		case "anthropic":
			return identity.Anthropic()
		case "google-ai-studio", "google-vertex-ai":
			return identity.Gemini()
		}
	}
	return identity.OpenAI()
}

// vertex knows the global host of Vertex AI, those of regions
// (europe-west4-aiplatform) and those of multi-regions (aiplatform.eu.rep).
func vertex(host string) bool {
	label, ok := strings.CutSuffix(host, ".googleapis.com")
	if !ok {
		return false
	}
	if region, ok := strings.CutSuffix(label, "-aiplatform"); ok {
		return name(region)
	}
	if multi, ok := strings.CutPrefix(label, "aiplatform."); ok {
		region, ok := strings.CutSuffix(multi, ".rep")
		return ok && name(region)
	}
	return label == "aiplatform"
}

// azure knows the hosts of resources: one label before the service's domain.
func azure(host string) bool {
	for _, domain := range [...]string{".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".openai.azure.us"} {
		if resource, ok := strings.CutSuffix(host, domain); ok {
			return name(resource)
		}
	}
	return false
}

// bedrock knows the hosts of regions.
func bedrock(host string) bool {
	for _, service := range [...]string{"bedrock.", "bedrock-runtime.", "bedrock-mantle.", "bedrock-runtime-fips.", "bedrock-fips."} {
		rest, ok := strings.CutPrefix(host, service)
		if !ok {
			continue
		}
		for _, domain := range [...]string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"} {
			if region, ok := strings.CutSuffix(rest, domain); ok {
				return name(region)
			}
		}
	}
	return false
}

// local reports whether a host is the machine itself.
func local(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// name reports whether a text is one label of a host's name, in ASCII.
func name(label string) bool {
	return label != "" && strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// begins reports whether a path begins with this whole element.
func begins(path, element string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first == element
}

// ends reports whether a path ends in these whole elements.
func ends(path, elements string) bool {
	return path == elements || strings.HasSuffix(path, "/"+elements)
}
