package providers_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// credentials are where each provider looks for them. A ? stands before a
// parameter of the query.
var credentials = map[string][]string{
	"openai":          {"Authorization"},
	"azure.ai.openai": {"Api-Key", "X-Api-Key", "Ocp-Apim-Subscription-Key", "Authorization"},
	"anthropic":       {"X-Api-Key", "Authorization"},
	"gcp.gemini":      {"X-Goog-Api-Key", "Authorization", "?key", "?access_token"},
	"ollama":          usual(),
	"openrouter":      {"Authorization"},
	"vllm":            usual(),
	"litellm":         usual("X-Litellm-Api-Key", "Ocp-Apim-Subscription-Key"),
	"portkey": usual("X-Portkey-Api-Key", "X-Portkey-Aws-Access-Key-Id", "X-Portkey-Aws-Secret-Access-Key", "X-Portkey-Aws-Session-Token",
		"X-Portkey-Azure-Ad-Token", "X-Portkey-Azure-Entra-Client-Secret", "X-Portkey-Vertex-Service-Account-Json", "X-Portkey-Virtual-Key"),
	"cloudflare":  usual("Cf-Aig-Authorization"),
	"aws.bedrock": {"Authorization", "X-Api-Key"},
}

func usual(own ...string) []string {
	return append(own, "Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key", "?key", "?access_token")
}

// with is a request with these credentials, pairs of place and value.
func with(pairs ...string) *http.Request {
	req := &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "api.invalid", Path: "/v1/chat/completions"},
		Header: http.Header{"User-Agent": {"x"}, "X-Stainless-Os": {"linux"}}}
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if name, ok := strings.CutPrefix(pairs[i], "?"); ok {
			query.Add(name, pairs[i+1])
		} else {
			req.Header[pairs[i]] = append(req.Header[pairs[i]], pairs[i+1])
		}
	}
	req.URL.RawQuery = query.Encode()
	return req
}

// P9: the account is the credentials, whole, wherever the service takes them from,
// and nothing else of the request; no two sets of credentials are one account.
func TestP9_AccountsAreApartAndStable(t *testing.T) {
	for name, provider := range constructors {
		t.Run(name, func(t *testing.T) {
			account := provider().Account
			require.Empty(t, account(with()))
			require.Empty(t, account(with("Cookie", "a", "Openai-Organization", "a", "?api-version", "1")))
			seen := map[string]string{}
			apart := func(what string, pairs ...string) {
				got := account(with(pairs...))
				require.NotEmpty(t, got, what)
				require.Equal(t, got, provider().Account(with(pairs...)), "another copy finds the same")
				require.Empty(t, seen[got], "%s is taken for %s", what, seen[got])
				seen[got] = what
			}
			for _, place := range credentials[name] {
				apart(place+"=a", place, "a")
				apart(place+"=b", place, "b")
				apart(place+"=ab", place, "ab")
				apart(place+"=a and b", place, "a", place, "b")
				for _, other := range credentials[name] {
					if place < other {
						apart(place+" and "+other, place, "a", other, "a")
						apart(place+" and another "+other, place, "a", other, "b")
					}
				}
			}
		})
	}
}

// A map of headers that was set by hand has credentials in any spelling.
func TestP9_CredentialsInAnySpelling(t *testing.T) {
	for name, provider := range constructors {
		for _, place := range credentials[name] {
			if strings.HasPrefix(place, "?") {
				continue
			}
			account := provider().Account
			require.Equal(t, account(with(place, "a")), account(with(strings.ToLower(place), "a")), "%s %s", name, place)
			require.NotEqual(t, account(with(place, "a")), account(with(strings.ToLower(place), "b")), "%s %s", name, place)
		}
	}
	service := always(reply{body: calls["openai"].whole}) // and without an Account of the provider's
	client := newClient(t, providers.Gateway("acme", llmidem.Keys{}), service)
	for _, key := range []string{"a", "b", "a"} {
		req := request(t, context.Background(), calls["openai"])
		req.Header["api-key"] = []string{key}
		resp, err := client.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.Len(t, service.seen, 2)
}

// P9, end to end: an answer of one account is not another's, at any provider.
func TestP9_NoAnswerCrosses(t *testing.T) {
	for name, provider := range constructors {
		c := calls[provider().Dialect]
		service := always(reply{body: c.whole})
		client := newClient(t, provider(), service)
		place := credentials[name][0]
		for i, key := range []string{"one", "two", "one", "two"} {
			require.Equal(t, i >= 2, send(t, client, c, place, key).source == "cache", name)
		}
		require.Len(t, service.seen, 2)
	}
}

// P9a: a signature changes with every request, the access key that it is made with
// does not.
func TestP9a_SignedRequests(t *testing.T) {
	signed := func(id, date, signature string) string {
		return "AWS4-HMAC-SHA256 Credential=" + id + "/" + date + "/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + signature
	}
	account := providers.Bedrock().Account
	first := account(with("Authorization", signed("AKIA1", "20261123", "aa")))
	require.NotEmpty(t, first)
	require.NotContains(t, first, "aa")
	require.Equal(t, first, account(with("Authorization", signed("AKIA1", "20261124", "bb"))))
	require.NotEqual(t, first, account(with("Authorization", signed("AKIA2", "20261123", "aa"))))
	require.Equal(t, first, account(with("?X-Amz-Credential", "AKIA1/20261123/us-east-1/bedrock/aws4_request", "?X-Amz-Signature", "cc")))
	require.NotEqual(t, first, account(with("Authorization", "AKIA1")), "an API key of that text is another account")
	for _, odd := range []string{"AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 Credential=/x", "AWS4-HMAC-SHA256 Credential=AKIA1"} {
		require.NotEmpty(t, account(with("Authorization", odd)))
		require.NotEqual(t, first, account(with("Authorization", odd)))
	}
}

// P9a: where credentials rotate a tenant keeps the answers together, and its own
// apart.
func TestP9a_RotatedTokensUnderATenant(t *testing.T) {
	for name, provider := range constructors {
		c := calls[provider().Dialect]
		client := newClient(t, provider(), always(reply{body: c.whole}), llmidem.WithTenant("acme"))
		require.Equal(t, "provider", send(t, client, c, "Authorization", "Bearer monday").source, name)
		require.Equal(t, "cache", send(t, client, c, "Authorization", "Bearer tuesday").source, name)
	}
}
