package providers_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

func all() map[string]func() llmidem.Provider {
	return map[string]func() llmidem.Provider{
		"openai":          providers.OpenAI,
		"azure.ai.openai": providers.AzureOpenAI,
		"acme": func() llmidem.Provider {
			return providers.Gateway("acme", llmidem.Keys{Class: llmidem.Replay, Header: "X-Key", Quoted: true, MaxLen: 255, Window: time.Hour})
		},
	}
}

// Every provider is one that New takes, and a copy of its own.
func TestProviders(t *testing.T) {
	for name, make := range all() {
		t.Run(name, func(t *testing.T) {
			p := make()
			require.Equal(t, name, p.Name)
			client, err := llmidem.New(p)
			require.NoError(t, err)
			require.Equal(t, p.Keys, client.Provider().Keys)
			p.Rules.Routes[0].Operation = "changed"
			require.NotEqual(t, "changed", make().Rules.Routes[0].Operation, "each call gives a fresh copy")
			require.NotEqual(t, "changed", client.Provider().Rules.Routes[0].Operation, "New takes its own")
		})
	}
}

// The account is the credentials, whole, and nothing else of the request.
func TestAccounts(t *testing.T) {
	request := func(header, value string) *http.Request {
		req, err := http.NewRequest(http.MethodPost, "https://api.invalid/v1/chat/completions", nil)
		require.NoError(t, err)
		req.Header.Set("User-Agent", "x")
		if header != "" {
			req.Header.Set(header, value)
		}
		return req
	}
	openai, azure := providers.OpenAI().Account, providers.AzureOpenAI().Account
	require.Empty(t, openai(request("", "")))
	require.Empty(t, azure(request("", "")))
	require.NotEmpty(t, openai(request("Authorization", "Bearer a")))
	require.NotEqual(t, openai(request("Authorization", "Bearer a")), openai(request("Authorization", "Bearer b")))
	require.NotEmpty(t, azure(request("api-key", "a")))
	require.NotEqual(t, azure(request("api-key", "a")), azure(request("Authorization", "a")))
	two := request("Authorization", "a")
	two.Header.Add("Authorization", "b")
	require.NotEqual(t, openai(request("Authorization", "a")), openai(two))
	require.NotEqual(t, openai(request("Authorization", "ab")), openai(two))
}
