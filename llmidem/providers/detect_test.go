package providers_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// known are base URLs with the provider and the dialect that Detect finds.
var known = map[string][2]string{
	"https://api.openai.com/v1":                                                     {"openai", "openai"},
	"https://API.OpenAI.com:443/v1/":                                                {"openai", "openai"},
	"https://api.openai.com./v1":                                                    {"openai", "openai"},
	"http://api.openai.com":                                                         {"openai", "openai"},
	"https://user@api.openai.com/v1":                                                {"openai", "openai"},
	"https://api.anthropic.com":                                                     {"anthropic", "anthropic"},
	"https://api.anthropic.com/v1/":                                                 {"anthropic", "anthropic"},
	"https://openrouter.ai/api/v1":                                                  {"openrouter", "openai"},
	"https://api.portkey.ai/v1":                                                     {"portkey", "openai"},
	"https://ollama.com/api":                                                        {"ollama", "ollama"},
	"https://ollama.com/v1":                                                         {"ollama", "openai"},
	"http://localhost:11434":                                                        {"ollama", "ollama"},
	"http://127.0.0.1:11434/":                                                       {"ollama", "ollama"},
	"http://[::1]:11434/v1/":                                                        {"ollama", "openai"},
	"https://acme.openai.azure.com":                                                 {"azure.ai.openai", "openai"},
	"https://a-b.openai.azure.us/":                                                  {"azure.ai.openai", "openai"},
	"https://acme.services.ai.azure.com/openai/v1/":                                 {"azure.ai.openai", "openai"},
	"https://acme.cognitiveservices.azure.com/openai/deployments/d":                 {"azure.ai.openai", "openai"},
	"https://generativelanguage.googleapis.com/v1beta":                              {"gcp.gemini", "gemini"},
	"https://generativelanguage.googleapis.com/v1beta/openai/":                      {"gcp.gemini", "openai"},
	"https://aiplatform.googleapis.com/v1":                                          {"gcp.vertex_ai", "gemini"},
	"https://europe-west4-aiplatform.googleapis.com/v1":                             {"gcp.vertex_ai", "gemini"},
	"https://aiplatform.eu.rep.googleapis.com":                                      {"gcp.vertex_ai", "gemini"},
	"https://aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi": {"gcp.vertex_ai", "openai"},
	"https://gateway.ai.cloudflare.com/v1/acc/gw/openai":                            {"cloudflare", "openai"},
	"https://gateway.ai.cloudflare.com/v1/acc/gw/compat":                            {"cloudflare", "openai"},
	"https://gateway.ai.cloudflare.com/v1/acc/gw/anthropic":                         {"cloudflare", "anthropic"},
	"https://gateway.ai.cloudflare.com/v1/acc/gw/google-ai-studio/v1beta":           {"cloudflare", "gemini"},
	"https://gateway.ai.cloudflare.com/":                                            {"cloudflare", "openai"},
	"https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1":                     {"aws.bedrock", "openai"},
	"https://bedrock.eu-central-1.amazonaws.com":                                    {"aws.bedrock", "openai"},
	"https://bedrock-mantle.us-west-2.api.aws/anthropic/v1":                         {"aws.bedrock", "anthropic"},
	"https://acme.services.ai.azure.com/anthropic":                                  {"azure.ai.openai", "anthropic"},
	"https://acme.services.ai.azure.com/anthropics":                                 {"azure.ai.openai", "openai"},
	"https://bedrock-mantle.us-west-2.api.aws/v1":                                   {"aws.bedrock", "openai"},
}

// unknown are URLs that only look like known ones, or are none.
var unknown = []string{
	"", "api.openai.com/v1", "//api.openai.com", "ftp://api.openai.com", "https:api.openai.com", "https://", "https:///v1", "%", "https://api.openai.com:port",
	"https://evilapi.openai.com.example.org", "https://api.openai.com.example.org/v1", "https://evil-api.openai.com", "https://api.openai.com@example.org/v1",
	"https://example.org/api.openai.com", "https://example.org/?u=https://api.openai.com", "https://example.org#api.openai.com", "https://xapi.openai.com",
	"https://openai.azure.com", "https://.openai.azure.com", "https://a.b.openai.azure.com", "https://acme.openai.azure.com.example.org", "https://acme-openai.azure.com",
	"https://аpi.openai.com/v1", "https://api.openai.com\u3002example.org", "https://ａpi.openai.com", "https://api%2eopenai.com", "https://api.openai.com..",
	"https://evil.aiplatform.googleapis.com", "https://-aiplatform.googleapis.com", "https://x.y-aiplatform.googleapis.com", "https://aiplatform.rep.googleapis.com",
	"https://aiplatform.a.b.rep.googleapis.com", "https://generativelanguage.googleapis.com.evil", "https://storage.googleapis.com",
	"https://bedrock.amazonaws.com", "https://bedrock.a.b.amazonaws.com", "https://s3.us-east-1.amazonaws.com", "https://bedrock-runtime.us-east-1.amazonaws.com.evil",
	"http://localhost", "http://localhost:8000/v1", "http://localhost:4000", "http://192.168.0.7:11434", "http://localhost.example.org:11434", "http://example.org:11434",
	"https://openrouter.ai.example.org", "https://portkey.ai", "https://api.cloudflare.com/client/v4", "https://sub.openrouter.ai",
}

func TestDetect(t *testing.T) {
	for base, want := range known {
		p, ok := providers.Detect(base)
		require.True(t, ok, base)
		require.Equal(t, want, [2]string{p.Name, p.Dialect}, base)
		require.Equal(t, want[1], p.Rules.Name, base)
		newClient(t, p, always(reply{}))
	}
	for _, base := range unknown {
		p, ok := providers.Detect(base)
		require.False(t, ok, "%q is taken for %s", base, p.Name)
		require.Equal(t, llmidem.Provider{}, p)
	}
}

// Behind Cloudflare the headers of both count, and the credentials of both are the
// account.
func TestDetectBehindCloudflare(t *testing.T) {
	p, ok := providers.Detect("https://gateway.ai.cloudflare.com/v1/acc/gw/anthropic")
	require.True(t, ok)
	require.Contains(t, p.Rules.Headers, "anthropic-version")
	require.Contains(t, p.Rules.Headers, "cf-aig-*")
	require.NotEqual(t, p.Account(with("X-Api-Key", "a")), p.Account(with("X-Api-Key", "b")))
	c := calls["anthropic"]
	client := newClient(t, p, always(reply{body: c.whole}))
	send(t, client, c)
	require.Equal(t, "cache", send(t, client, c).source)
}

// FuzzDetect: a provider is found for hosts of its own alone, whatever surrounds
// them.
func FuzzDetect(f *testing.F) {
	for base := range known {
		f.Add(base)
	}
	for _, base := range unknown {
		f.Add(base)
	}
	domains := []string{"api.openai.com", "api.anthropic.com", "openrouter.ai", "api.portkey.ai", "gateway.ai.cloudflare.com", "generativelanguage.googleapis.com",
		"aiplatform.googleapis.com", "-aiplatform.googleapis.com", ".rep.googleapis.com", "ollama.com", "localhost", "127.0.0.1", "::1", ".openai.azure.com", ".openai.azure.us",
		".cognitiveservices.azure.com", ".services.ai.azure.com", ".amazonaws.com", ".amazonaws.com.cn", ".api.aws"}
	f.Fuzz(func(t *testing.T, base string) {
		p, ok := providers.Detect(base)
		if !ok {
			return
		}
		u, err := url.Parse(base)
		if err != nil {
			t.Fatalf("%q: %v", base, err)
		}
		host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
		for _, domain := range domains {
			if host == domain || strings.HasPrefix(domain, ".") && strings.HasSuffix(host, domain) || strings.HasPrefix(domain, "-") && strings.HasSuffix(host, domain) {
				return
			}
		}
		t.Fatalf("%q, host %q, is taken for %s", base, host, p.Name)
	})
}
