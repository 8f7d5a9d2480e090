package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// spoken is how one API is asked and answers.
type spoken struct {
	provider, path, answer string // answer takes id and text
	header, env            string // of the credential
	members                []string
	class                  string
}

var spokenAPIs = []spoken{
	{"openai", "/v1/chat/completions", `{"id":%q,"choices":[{"message":{"content":%q},"finish_reason":"length"}]}`,
		"Authorization", "OPENAI_API_KEY", []string{"max_tokens", "messages", "model", "temperature"}, classReplay},
	{"anthropic", "/v1/messages", `{"id":%q,"type":"message","content":[{"type":"text","text":%q}],"stop_reason":"end_turn"}`,
		"X-Api-Key", "ANTHROPIC_API_KEY", []string{"max_tokens", "messages", "model", "temperature"}, classReplay},
	{"gemini", "/v1beta/models/m%2F1:generateContent", `{"responseId":%q,"candidates":[{"content":{"parts":[{"text":%q}]},"finishReason":"STOP"}]}`,
		"X-Goog-Api-Key", "GEMINI_API_KEY", []string{"contents", "generationConfig"}, classReplay},
	{"vertex", "/v1beta/models/m%2F1:generateContent", `{"responseId":%q,"candidates":[{"content":{"parts":[{"text":%q}]},"finishReason":"STOP"}]}`,
		"Authorization", "CLOUDSDK_AUTH_ACCESS_TOKEN", []string{"contents", "generationConfig"}, classReplay},
	{"ollama", "/api/chat", `{"created_at":%q,"message":{"content":%q},"done":true}`,
		"Authorization", "OLLAMA_API_KEY", []string{"messages", "model", "options", "stream"}, classReplay},
	{"azure", "/openai/deployments/m%2F1/chat/completions", `{"id":%q,"choices":[{"message":{"content":%q}}]}`,
		"Api-Key", "AZURE_OPENAI_API_KEY", []string{"max_tokens", "messages", "model", "temperature"}, classReplay},
	{"portkey", "/v1/chat/completions", `{"id":%q,"choices":[{"message":{"content":%q}}]}`,
		"X-Portkey-Api-Key", "PORTKEY_API_KEY", []string{"max_tokens", "messages", "model", "temperature"}, classReplay},
}

func TestVerifySpeaksEveryAPI(t *testing.T) {
	for _, c := range spokenAPIs {
		t.Run(c.provider, func(t *testing.T) {
			url, _ := handler(t, func(w http.ResponseWriter, r *http.Request, n int) {
				if r.URL.EscapedPath() != c.path || !strings.HasSuffix(r.Header.Get(c.header), apiKey) {
					w.WriteHeader(http.StatusTeapot)
					return
				}
				fmt.Fprintf(w, c.answer, r.Header.Get("Idempotency-Key"), "one text")
			})
			t.Setenv(c.env, apiKey)
			r := hush(t, llmidem("", "verify", "--provider", c.provider, "--base-url", url, "--model", "m/1", "--json"))
			require.Equal(t, statusOK, r.status, r.err)
			rep := reported(t, r)
			require.Equal(t, c.class, rep.Class)
			require.Equal(t, c.provider, rep.Provider)
			require.Contains(t, rep.Go, "p := providers.")
			require.Contains(t, r.err, "the credential in "+c.env)
		})
	}
}

func TestVerifyBodies(t *testing.T) {
	for _, c := range spokenAPIs {
		s, p, err := serviceOf(c.provider, "http://h/")
		require.NoError(t, err)
		d := dialects[p.Dialect]
		for _, plain := range []bool{false, true} {
			b, err := json.Marshal(d.body(ask{"m", "a prompt", 32, plain}))
			require.NoError(t, err)
			var in map[string]any
			require.NoError(t, json.Unmarshal(b, &in))
			require.Contains(t, string(b), `"a prompt"`)
			require.Contains(t, string(b), "32")
			require.Equal(t, !plain, strings.Contains(string(b), `"temperature":1`))
			if plain {
				continue
			}
			for _, name := range c.members {
				require.Contains(t, in, name)
			}
			require.Len(t, in, len(c.members))
		}
		id, text, ok := d.read([]byte(fmt.Sprintf(c.answer, "id-1", "hello")))
		require.True(t, ok)
		require.Equal(t, []string{"id-1", "hello"}, []string{id, text})
		for _, foreign := range []string{``, `{}`, `null`, `[]`, `{"choices":[{}]}`, `{"candidates":[{}]}`, `{"content":[]}`, `{"done":false}`, `"x"`, "\xff"} {
			_, _, ok := d.read([]byte(foreign))
			require.False(t, ok, foreign)
		}
		require.NotEmpty(t, s.usualEnv(d))
	}
}

func TestVerifyAddresses(t *testing.T) {
	for _, c := range []struct{ provider, base, want string }{
		{"", "https://api.openai.com/v1", "openai https://api.openai.com/v1/chat/completions"},
		{"", "https://api.openai.com/v1/", "openai https://api.openai.com/v1/chat/completions"},
		{"", "https://gw.example.com", "gateway https://gw.example.com/v1/chat/completions"},
		{"", "https://gw.example.com/a/v1/chat/completions", "gateway https://gw.example.com/a/v1/chat/completions"},
		{"", "https://openrouter.ai/api/v1", "openrouter https://openrouter.ai/api/v1/chat/completions"},
		{"", "https://api.anthropic.com", "anthropic https://api.anthropic.com/v1/messages"},
		{"", "https://api.anthropic.com/v1", "anthropic https://api.anthropic.com/v1/messages"},
		{"", "https://generativelanguage.googleapis.com", "gemini https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"},
		{"", "https://generativelanguage.googleapis.com/v1beta", "gemini https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"},
		{"", "https://generativelanguage.googleapis.com/v1beta/openai", "gemini https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"},
		{"", "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google",
			"vertex https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/m:generateContent"},
		{"", "http://localhost:11434", "ollama http://localhost:11434/api/chat"},
		{"", "http://localhost:11434/api", "ollama http://localhost:11434/api/chat"},
		{"", "http://localhost:11434/v1", "ollama http://localhost:11434/v1/chat/completions"},
		{"", "https://r.openai.azure.com", "azure https://r.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-10-21"},
		{"", "https://r.openai.azure.com/?api-version=2025-01-01", "azure https://r.openai.azure.com/openai/deployments/m/chat/completions?api-version=2025-01-01"},
		{"", "https://r.openai.azure.com/openai/v1", "azure https://r.openai.azure.com/openai/v1/chat/completions"},
		{"", "https://r.services.ai.azure.com/anthropic", "azure https://r.services.ai.azure.com/anthropic/v1/messages"},
		{"", "https://gateway.ai.cloudflare.com/v1/a/g/anthropic", "cloudflare https://gateway.ai.cloudflare.com/v1/a/g/anthropic/v1/messages"},
		{"", "https://gateway.ai.cloudflare.com/v1/a/g/google-ai-studio", "cloudflare https://gateway.ai.cloudflare.com/v1/a/g/google-ai-studio/v1beta/models/m:generateContent"},
		{"anthropic", "https://gw.example.com", "anthropic https://gw.example.com/v1/messages"},
		{"gateway", "https://api.openai.com/v1", "gateway https://api.openai.com/v1/chat/completions"},
	} {
		s, p, err := serviceOf(c.provider, c.base)
		require.NoError(t, err)
		u, err := url.Parse(c.base)
		require.NoError(t, err)
		require.Equal(t, c.want, s.flag+" "+s.address(dialects[p.Dialect], *u, "m").String(), c.base)
	}
}

// Every provider of the package has a dialect that can be asked, and a variable.
func TestVerifyKnowsEveryProvider(t *testing.T) {
	for _, s := range services {
		p := s.make()
		require.Contains(t, dialects, p.Dialect, s.flag)
		require.NotEmpty(t, s.usualEnv(dialects[p.Dialect]))
		got, _, err := serviceOf(s.flag, "https://h/")
		require.NoError(t, err)
		require.Equal(t, s.flag, got.flag)
	}
}

// The transport of the command keeps no connection, asks for no compression and
// takes HTTP/1.1 where HTTP/2 is to be had.
func TestVerifyTransport(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q %t %s", r.Header.Get("Accept-Encoding"), r.Close, r.Proto)
	}))
	srv.EnableHTTP2, srv.Config.ErrorLog = true, log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	rt := transport().(*http.Transport)
	rt.TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	require.NoError(t, err)
	res, err := rt.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, `"" true HTTP/1.1`, string(b))

	r := verifyURL(t, srv.URL)
	require.Equal(t, statusMute, r.status)
	require.Contains(t, r.err, "its TLS or its certificate cannot be used")
	require.NotContains(t, r.err, "without TLS")
}
