package llmidem_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

const (
	responsesPath = "/v1/responses"
	geminiPath    = "/v1beta/models/gemini-2.5-flash:generateContent"
)

// stateful is a client of a service whose rules and dialect are those of the path.
func stateful(t *testing.T, path string, rt http.RoundTripper, opts ...llmidem.Option) func(body string) exchanged {
	t.Helper()
	rules := identity.OpenAI()
	switch {
	case strings.Contains(path, "generateContent"):
		rules = identity.Gemini()
	case strings.HasSuffix(path, "/messages"):
		rules = identity.Anthropic()
	}
	client, err := llmidem.New(llmidem.Provider{Name: "p", Rules: rules}, append(opts, llmidem.WithTransport(rt), llmidem.WithTenant("t"),
		llmidem.WithLogger(slog.New(slog.DiscardHandler)))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(t.Context())) })
	b := &bench{t: t}
	return func(text string) exchanged {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, "https://api.invalid"+path, body(text))
		require.NoError(t, err)
		return b.read(client.RoundTrip(req))
	}
}

// whole answers every call of the Responses, Messages and Gemini APIs.
func whole(req *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, req.Body)
	req.Body.Close()
	text := `{"id":"r","status":"completed","type":"message","stop_reason":"end_turn","output":[],"candidates":[{"finishReason":"STOP"}]}`
	return &http.Response{StatusCode: 200, ProtoMajor: 2, Header: http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text))}, err
}

// leaning are requests, and whether what they name at the provider may change.
var leaning = []struct {
	name, path, body string
	fleeting         bool
}{
	{"cached content", geminiPath, `{"contents":[],"cachedContent":"cachedContents/1"}`, true},
	{"cached content, as proto names it", geminiPath, `{"contents":[],"cached_content":"cachedContents/1"}`, true},
	{"cached content that is null", geminiPath, `{"contents":[],"cachedContent":null}`, false},
	{"stored prompt", responsesPath, `{"prompt":{"id":"pmpt_1"}}`, true},
	{"stored prompt, name escaped", responsesPath, `{"pr\u006fmpt":{"id":"pmpt_1"}}`, true},
	{"stored prompt, version null", responsesPath, `{"prompt":{"id":"pmpt_1","version":null,"variables":{"version":"2"}}}`, true},
	{"stored prompt, version empty", responsesPath, `{"prompt":{"id":"pmpt_1","version":""}}`, true},
	{"stored prompt of a version", responsesPath, `{"prompt":{"version":"2","id":"pmpt_1"}}`, false},
	{"previous response", responsesPath, `{"model":"m","input":"x","previous_response_id":"resp_1"}`, false},
	{"to be stored", responsesPath, `{"model":"m","input":"x","store":true}`, false},
	{"no conversation", responsesPath, `{"model":"m","input":"x","conversation":null,"background":false}`, false},
	{"text that names them", responsesPath, `{"model":"m","input":"cachedContent prompt","metadata":{"cachedContent":"1"}}`, false},
}

// An answer to a request that names what may change at the provider is given again
// for ten minutes at most, whatever the client keeps others for.
func TestFleeting_Memory(t *testing.T) {
	for _, tt := range leaning {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				send := stateful(t, tt.path, roundTrip(whole), llmidem.Config{CacheTTL: 24 * time.Hour})
				require.Equal(t, "provider", send(tt.body).source)
				time.Sleep(10*time.Minute - time.Second)
				require.Equal(t, "cache", send(tt.body).source)
				time.Sleep(2 * time.Second)
				require.Equal(t, tt.fleeting, send(tt.body).source == "provider")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // less stays less
		send := stateful(t, responsesPath, roundTrip(whole), llmidem.Config{CacheTTL: time.Minute})
		send(leaning[3].body)
		time.Sleep(2 * time.Minute)
		require.Equal(t, "provider", send(leaning[3].body).source)
	})
}

// The same in a store that others share, and in the copies that they keep of it.
func TestFleeting_SharedStore(t *testing.T) {
	for _, tt := range leaning {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory, err := store.NewMemory(store.MemoryConfig{})
				require.NoError(t, err)
				first := stateful(t, tt.path, roundTrip(whole), llmidem.WithStore(sharedMemory{memory}))
				second := stateful(t, tt.path, roundTrip(whole), llmidem.WithStore(sharedMemory{memory}))
				require.Equal(t, "provider", first(tt.body).source)
				time.Sleep(9 * time.Minute)
				require.Equal(t, "store", second(tt.body).source)
				time.Sleep(59 * time.Second)
				require.Equal(t, "cache", second(tt.body).source, "its copy")
				time.Sleep(2 * time.Second)
				require.Equal(t, tt.fleeting, second(tt.body).source == "provider")
				require.NotEqual(t, "provider", first(tt.body).source)
			})
		})
	}
}

// What changes state at the provider is not given again.
func TestNotRecalled_ChangesState(t *testing.T) {
	send := stateful(t, responsesPath, roundTrip(whole))
	for _, member := range []string{`"conversation":"conv_1"`, `"conversation":{"id":"conv_1"}`, `"background":true`} {
		for range 2 {
			require.Equal(t, "provider", send(`{"model":"m","input":"x",`+member+`}`).source, member)
		}
	}
}

// Members that decide that cannot be excluded, whoever tries.
func TestExclude_WhatIsLeanedOn(t *testing.T) {
	for _, path := range []string{"conversation", "conversation.id", "background", "cachedContent", "cached_content", "mcp_servers", "temperature"} {
		rules := identity.OpenAI()
		_, err := llmidem.New(llmidem.Provider{Name: "p", Rules: rules}, llmidem.Config{ExcludedFields: []string{path}})
		require.ErrorContains(t, err, "Config.ExcludedFields", path)
		rules.Exclude = []string{path}
		_, err = llmidem.New(llmidem.Provider{Name: "p", Rules: rules})
		require.ErrorContains(t, err, "Provider.Rules.Exclude", path)
		b := newBench(t)
		_, err = b.ask(t.Context(), "x", llmidem.Exclude("trace_id", path))
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err), path)
		require.Empty(t, b.srv.Ledger().Requests)
	}
}

// R9: tools that run at the provider may have done something, so an attempt of
// unknown end is the last one.
func TestR9_ToolsThatRunAtTheProvider(t *testing.T) {
	const anthropicPath = "/v1/messages"
	for _, tt := range []struct {
		path, member string
		repeated     bool
	}{
		{responsesPath, `"tools":[{"type":"mcp","server_url":"https://x"}]`, false},
		{responsesPath, `"tools":[{"type":"function","name":"f"},{"type":"code_interpreter","container":{"type":"auto"}}]`, false},
		{responsesPath, `"tools":[{"type":"computer_use_preview"}]`, false},
		{responsesPath, `"tools":[{"type":"computer"}]`, false},
		{responsesPath, `"tools":[{"type":"shell","environment":{"type":"container_auto"}}]`, false},
		{responsesPath, `"tools":[{"type":"shell","environment":{"type":"local"}}]`, true},
		{responsesPath, `"tools":[{"type":"shell"}]`, true},
		{responsesPath, `"conversation":"c"`, false},
		{responsesPath, `"previous_response_id":"r"`, true},
		{responsesPath, `"tools":[{"type":"web_search"},{"type":"file_search"},{"type":"function","name":"mcp"}]`, true},
		{anthropicPath, `"tools":[{"type":"code_execution_20250825","name":"c"}]`, false},
		{anthropicPath, `"mcp_servers":[{"type":"url","url":"https://x"}]`, false},
		{anthropicPath, `"mcp_servers":[]`, true},
		{anthropicPath, `"tools":[{"name":"f","input_schema":{}}]`, true},
		{geminiPath, `"tools":[{"codeExecution":{}}]`, false},
		{geminiPath, `"tools":[{"googleSearch":{}},{"code_execution":{}}]`, false},
		{geminiPath, `"tools":[{"computerUse":{}}]`, false},
		{geminiPath, `"tools":[{"functionDeclarations":[{"name":"codeExecution"}]},{"codeExecution":null}]`, true},
	} {
		t.Run(tt.path+" "+tt.member, func(t *testing.T) {
			sends := 0
			rt := roundTrip(func(req *http.Request) (*http.Response, error) {
				if sends++; sends == 1 {
					req.Body.Close()
					return nil, syscall.ECONNRESET
				}
				return whole(req)
			})
			rules := identity.OpenAI()
			switch tt.path {
			case geminiPath:
				rules = identity.Gemini()
			case anthropicPath:
				rules = identity.Anthropic()
			}
			client, err := llmidem.New(llmidem.Provider{Name: "p", Rules: rules}, llmidem.WithTransport(rt), quiet,
				llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: 1}))
			require.NoError(t, err)
			defer client.Close(t.Context())
			req, err := http.NewRequest(http.MethodPost, "https://api.invalid"+tt.path, body(`{"model":"m","max_tokens":1,"messages":[],"input":"x",`+tt.member+`}`))
			require.NoError(t, err)
			resp, err := client.RoundTrip(req)
			if !tt.repeated {
				require.Equal(t, llmidem.CodeAmbiguous, llmidem.CodeOf(err))
				require.Equal(t, 1, sends)
				return
			}
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, 2, sends)
		})
	}
}

// In a run, whose records live for days together, too: an answer that may be wrong
// by now is made anew.
func TestFleeting_InARun(t *testing.T) {
	for _, tt := range leaning {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory, err := store.NewMemory(store.MemoryConfig{})
				require.NoError(t, err)
				life := func() string { // of a program that is started again
					rules := identity.OpenAI()
					if tt.path == geminiPath {
						rules = identity.Gemini()
					}
					client, err := llmidem.New(llmidem.Provider{Name: "p", Rules: rules}, llmidem.WithTransport(roundTrip(whole)),
						llmidem.WithTenant("t"), llmidem.WithStore(sharedMemory{memory}), quiet)
					require.NoError(t, err)
					defer client.Close(t.Context())
					req, err := http.NewRequestWithContext(llmidem.WithRun(t.Context(), "run-7"), http.MethodPost, "https://api.invalid"+tt.path, body(tt.body))
					require.NoError(t, err)
					return (&bench{t: t}).read(client.RoundTrip(req)).source
				}
				require.Equal(t, "provider", life())
				time.Sleep(9 * time.Minute)
				require.Equal(t, "store", life())
				time.Sleep(2 * time.Minute)
				require.Equal(t, tt.fleeting, life() == "provider")
			})
		})
	}
}
