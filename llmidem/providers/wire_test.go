package providers_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// K15a to K15d at the provider where they apply: another host, deployment, API
// version or form of the answer is another record; a credential in the query is
// none of them.
func TestK15_EndpointsAreApart(t *testing.T) {
	for name, tt := range map[string]struct {
		provider func() llmidem.Provider
		urls     []string // each another record
		same     []string // as the first
	}{
		"K15a host": {providers.OpenAI, []string{"https://api.openai.com/v1/chat/completions", "https://eu.api.openai.com/v1/chat/completions",
			"http://api.openai.com/v1/chat/completions", "https://api.openai.com:8443/v1/chat/completions", "https://api.openai.com/proxy/v1/chat/completions"},
			[]string{"https://API.openai.com:443/v1/chat/completions"}},
		"K15b deployment": {providers.AzureOpenAI, []string{"https://r.openai.azure.com/openai/deployments/a/chat/completions?api-version=1",
			"https://r.openai.azure.com/openai/deployments/b/chat/completions?api-version=1", "https://s.openai.azure.com/openai/deployments/a/chat/completions?api-version=1"}, nil},
		"K15c api-version": {providers.AzureOpenAI, []string{"https://r.openai.azure.com/openai/deployments/a/chat/completions?api-version=1",
			"https://r.openai.azure.com/openai/deployments/a/chat/completions?api-version=2", "https://r.openai.azure.com/openai/deployments/a/chat/completions"},
			[]string{"https://r.openai.azure.com/openai/deployments/a/chat/completions?sig=x&api-version=1"}},
		"K15d alt=sse": {providers.Gemini, []string{"https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse",
			"https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent", "https://generativelanguage.googleapis.com/v1/models/m:streamGenerateContent?alt=sse",
			"https://generativelanguage.googleapis.com/v1beta/models/n:streamGenerateContent?alt=sse"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := calls[tt.provider().Dialect]
			whole := c.whole
			if strings.Contains(tt.urls[0], ":stream") {
				whole = c.stream
			}
			service := always(reply{body: whole})
			client := newClient(t, tt.provider(), service)
			ask := func(url string) string {
				req := request(t, context.Background(), c)
				var err error
				req.URL, err = req.URL.Parse(url)
				require.NoError(t, err)
				ctx, receipt := llmidem.WithReceipt(context.Background())
				resp, err := client.RoundTrip(req.WithContext(ctx))
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				return receipt().Address
			}
			seen := map[string]bool{}
			for _, url := range tt.urls {
				seen[ask(url)] = true
			}
			require.Len(t, seen, len(tt.urls))
			for _, url := range tt.same {
				require.True(t, seen[ask(url)], url)
			}
			require.Len(t, seen, len(tt.urls))
		})
	}
}

// K15d: a credential in the query sets accounts apart, not endpoints, and two of
// them are two.
func TestK15d_GeminiKeyInTheQuery(t *testing.T) {
	c := calls["gemini"]
	service := always(reply{body: c.whole})
	client := newClient(t, providers.Gemini(), service)
	for i, key := range []string{"one", "two", "one", "two"} {
		with := c
		with.path += "?key=" + key
		require.Equal(t, i >= 2, send(t, client, with).source == "cache")
	}
	tenant := newClient(t, providers.Gemini(), service, llmidem.WithTenant("acme"))
	for i, key := range []string{"one", "two"} {
		with := c
		with.path += "?key=" + key
		require.Equal(t, i == 1, send(t, tenant, with).source == "cache", "a rotated key is no other endpoint")
	}
}

// K19: a header that changes the answer makes another key, one that delivers does
// not, and what is no header of the provider's is not looked at.
func TestK19_HeadersOfEachProvider(t *testing.T) {
	for name, tt := range map[string]struct{ counts, not []string }{
		"openai":          {[]string{"OpenAI-Organization", "OpenAI-Project", "OpenAI-Beta"}, []string{"X-Stainless-Retry-Count", "X-Request-Id"}},
		"azure.ai.openai": {[]string{"x-ms-oai-image-generation-deployment", "OpenAI-Beta"}, []string{"api-key", "x-ms-client-request-id"}},
		"anthropic":       {[]string{"anthropic-beta", "anthropic-version"}, []string{"x-api-key", "X-Stainless-Retry-Count", "request-id"}},
		"gcp.gemini":      {[]string{"x-goog-user-project"}, []string{"x-goog-api-key", "x-goog-api-client"}},
		"ollama":          {nil, []string{"Authorization", "X-Anything"}},
		"openrouter": {[]string{"X-OpenRouter-Cache", "X-OpenRouter-Metadata", "X-OpenRouter-New"},
			[]string{"HTTP-Referer", "X-Title", "X-OpenRouter-Title", "X-OpenRouter-Categories", "X-OpenRouter-Cache-TTL"}},
		"vllm": {[]string{"OpenAI-Beta"}, []string{"X-Request-Id", "X-data-parallel-rank"}},
		"litellm": {[]string{"x-litellm-tags", "x-litellm-customer-id", "x-litellm-new", "anthropic-beta"},
			[]string{"x-litellm-api-key", "x-litellm-timeout", "x-litellm-num-retries", "x-litellm-trace-id", "x-litellm-session-id"}},
		"portkey": {[]string{"x-portkey-config", "x-portkey-provider", "x-portkey-virtual-key", "x-portkey-custom-host", "x-portkey-metadata", "x-portkey-cache-namespace", "x-portkey-new"},
			[]string{"x-portkey-api-key", "x-portkey-trace-id", "x-portkey-span-id", "x-portkey-request-timeout", "x-portkey-aws-secret-access-key", "x-portkey-forward-headers"}},
		"cloudflare": {[]string{"cf-aig-byok-alias", "cf-aig-metadata", "cf-aig-skip-cache", "cf-aig-new"},
			[]string{"cf-aig-authorization", "cf-aig-cache-key", "cf-aig-cache-ttl", "cf-aig-max-attempts", "cf-aig-collect-log", "cf-aig-custom-cost", "cf-aig-request-timeout"}},
		"aws.bedrock": {[]string{"OpenAI-Project"}, []string{"X-Amz-Date", "X-Amz-Security-Token"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := constructors[name]()
			c := calls[p.Dialect]
			key := func(headers ...string) string {
				doc, err := p.Rules.Identify(identity.Request{Path: c.path, Header: request(t, context.Background(), c, headers...).Header, Body: []byte(c.body)}, identity.Call{})
				require.NoError(t, err)
				key, err := identity.SHA256("idem_").Key(doc)
				require.NoError(t, err)
				if len(headers) > 0 && strings.Contains(string(doc.Canonical()), "s3cret") {
					require.Contains(t, tt.counts, headers[0], "what is no part of the answer is no part of the document")
				}
				return key.String()
			}
			for _, header := range tt.counts {
				require.NotEqual(t, key(), key(header, "s3cret"), header)
				require.NotEqual(t, key(header, "a"), key(header, "b"), header)
				require.Equal(t, key(header, "a, b"), key(header, "a", header, "b"), "several lines are one list")
				require.Equal(t, key(header, "a"), key(strings.ToUpper(header), " a "), "spacing and case")
			}
			for _, header := range tt.not {
				require.Equal(t, key(), key(header, "s3cret"), header)
			}
		})
	}
}

// Portkey is told to hand the key on, and the key goes with it; a caller who
// forwards other headers says so itself.
func TestPortkeyForwardsTheKey(t *testing.T) {
	service := always(reply{body: calls["openai"].whole})
	client := newClient(t, providers.Portkey(), service)
	answer := send(t, client, calls["openai"])
	sent := service.seen[0].Header
	require.Equal(t, []string{"idempotency-key"}, sent.Values("x-portkey-forward-headers"))
	require.Equal(t, answer.header.Get("Idempotency-Key"), sent.Get("Idempotency-Key"))
	require.NotEmpty(t, sent.Get("Idempotency-Key"))

	other := calls["openai"]
	other.body = strings.Replace(other.body, `"x"`, `"y"`, 1)
	send(t, client, other, "X-Portkey-Forward-Headers", "x-custom, idempotency-key")
	require.Equal(t, []string{"x-custom, idempotency-key"}, service.seen[1].Header.Values("x-portkey-forward-headers"))
}

// cacheKey is the name of the entry that a call asks Cloudflare for.
func cacheKey(t *testing.T, headers []string, callOpts []llmidem.CallOption, opts ...llmidem.Option) string {
	t.Helper()
	c := calls["openai"]
	service := always(reply{body: c.whole})
	client := newClient(t, providers.CloudflareAIGateway(), service, opts...)
	answer := sendIn(t, llmidem.WithCall(context.Background(), callOpts...), client, c, headers...)
	require.NotEqual(t, answer.header.Get("Idempotency-Key"), service.seen[0].Header.Get("cf-aig-cache-key"))
	require.Empty(t, service.seen[0].Header.Values("Idempotency-Key"))
	return service.seen[0].Header.Get("cf-aig-cache-key")
}

// Cloudflare's cache tells entries apart by their name alone: the name has the
// tenant in it, and is the same in every process.
func TestCloudflareCacheKey(t *testing.T) {
	opts := func(o ...llmidem.CallOption) []llmidem.CallOption { return o }
	own := []string{"Authorization", "Bearer sk-1"}
	key := cacheKey(t, own, nil)
	require.Regexp(t, `^[0-9a-f]{64}$`, key)
	require.Equal(t, key, cacheKey(t, own, nil), "another client, as in another process")
	seen := map[string]string{key: "the call itself"}
	for what, other := range map[string]string{
		"another credential":         cacheKey(t, []string{"Authorization", "Bearer sk-2"}, nil),
		"another gateway token":      cacheKey(t, append(own, "cf-aig-authorization", "Bearer t"), nil),
		"a tenant":                   cacheKey(t, own, nil, llmidem.WithTenant("a")),
		"another tenant":             cacheKey(t, own, nil, llmidem.WithTenant("b")),
		"a namespace":                cacheKey(t, own, nil, llmidem.WithNamespace("a")),
		"a user":                     cacheKey(t, own, opts(llmidem.User("u"))),
		"an intended repeat":         cacheKey(t, own, opts(llmidem.Occurrence(1))),
		"a fresh call":               cacheKey(t, own, opts(llmidem.Fresh())),
		"a key of the caller's":      cacheKey(t, own, opts(llmidem.Key("order-1"))),
		"another stored key":         cacheKey(t, append(own, "cf-aig-byok-alias", "b"), nil),
		"a key kept secret by HMAC":  cacheKey(t, own, nil, llmidem.WithScheme(identity.HMAC("idem_", []byte("0123456789abcdef")))),
		"a key of the caller's, too": cacheKey(t, own, opts(llmidem.Key("order-2"))),
	} {
		require.Regexp(t, `^[0-9a-f]{64}$`, other, what)
		require.Empty(t, seen[other], what)
		seen[other] = what
	}
}

// The name of an entry does not change from one version to the next unless that is
// meant: everything that is cached would be paid for again.
func TestCloudflareCacheKeyIsPinned(t *testing.T) {
	require.Equal(t, pinnedCacheKey, cacheKey(t, []string{"Authorization", "Bearer sk-1"}, nil))
}

const pinnedCacheKey = "6da85105ea0747e8e8f59fdc4d410e8a166f03115911311a74512adeedf1e775"

// One key of the caller's for two requests is a conflict in one process, and must
// not be another's answer where processes share nothing but Cloudflare.
func TestCloudflareCacheKeyHasTheRequestInIt(t *testing.T) {
	keys := map[string]bool{}
	for _, text := range []string{"x", "y"} {
		c := calls["openai"]
		c.body = strings.Replace(c.body, `"x"`, `"`+text+`"`, 1)
		service := always(reply{body: c.whole})
		client := newClient(t, providers.CloudflareAIGateway(), service)
		sendIn(t, llmidem.WithCall(context.Background(), llmidem.Key("order-1")), client, c)
		keys[service.seen[0].Header.Get("cf-aig-cache-key")] = true
	}
	require.Len(t, keys, 2)
}

// Who wants no answer twice does not get one from Cloudflare: no entry is named.
func TestCloudflareCacheKeyOnlyWhereAnswersMayBeGivenAgain(t *testing.T) {
	require.Empty(t, cacheKey(t, nil, nil, llmidem.WithRecall(llmidem.RecallOff)))
	require.Empty(t, cacheKey(t, nil, nil, llmidem.WithRecall(llmidem.RecallUndelivered)))
	require.Empty(t, cacheKey(t, nil, []llmidem.CallOption{llmidem.NoRecall()}))
	require.Empty(t, cacheKey(t, nil, nil, llmidem.ForLegacy()))
}

// K10, K17: an entry that the caller names is left as it is, and is no part of the
// document.
func TestK10_CloudflareCacheKeyOfTheCaller(t *testing.T) {
	service := always(reply{body: calls["openai"].whole})
	client := newClient(t, providers.CloudflareAIGateway(), service)
	answer := send(t, client, calls["openai"], "Cf-Aig-Cache-Key", "responseA")
	require.Equal(t, []string{"responseA"}, service.seen[0].Header["Cf-Aig-Cache-Key"])
	require.Equal(t, "responseA", answer.header.Get("Idempotency-Key"))
}

// K20: what is no inference call passes each provider as it is, without key.
func TestK20_WhatPassesUntouched(t *testing.T) {
	for name, provider := range constructors {
		service := always(reply{body: `{}`})
		client := newClient(t, provider(), service)
		for _, path := range []string{"/v1/models", "/v1/files", "/model-invocation-job", "/model/m/converse", "/api/pull", "/v1beta/models/m:countTokens", "/v1/messages/count_tokens"} {
			require.Empty(t, send(t, client, call{path: path, body: `{}`}).header.Get("Idempotency-Key"), "%s %s", name, path)
		}
		for _, req := range service.seen {
			require.Empty(t, req.Header.Get("Idempotency-Key"))
			require.Empty(t, req.Header.Get("Cf-Aig-Cache-Key"))
		}
	}
}

// A Cache that nobody can be told apart by, or that is taken for idempotency, is
// refused.
func TestKeysOfACacheAreChecked(t *testing.T) {
	for _, keys := range []llmidem.Keys{{Cache: true}, {Cache: true, Header: "X-Cache-Key", Class: llmidem.Replay}} {
		_, err := llmidem.New(providers.Gateway("acme", keys))
		require.ErrorContains(t, err, "Provider.Keys.Cache")
	}
	_, err := llmidem.New(providers.Gateway("acme", llmidem.Keys{Cache: true, Header: "X-Cache-Key", MaxLen: 36}))
	require.ErrorContains(t, err, "64 bytes")
	service := always(reply{body: calls["openai"].whole})
	send(t, newClient(t, providers.Gateway("acme", llmidem.Keys{Cache: true, Header: "X-Cache-Key", MaxLen: 64}), service), calls["openai"])
	require.Len(t, service.seen[0].Header.Get("X-Cache-Key"), 64, "it is the digest that is measured, not the key")
}
