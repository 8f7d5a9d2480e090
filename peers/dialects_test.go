package peers

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// aimock speaks as many services do. What it says in the voice of each is known as
// whole, with its usage, and given again byte for byte.
func TestAimockDialects(t *testing.T) {
	const (
		messages = `"messages":[{"role":"user","content":"hello"}]`
		contents = `{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}`
	)
	var none llmidem.Usage // Ollama's counts are there, and 0
	p := aimock(t, fixture("hello", "Hello yourself.", nil))
	for _, c := range []struct {
		name       string
		provider   llmidem.Provider
		path, body string
		headers    []string
		usage      llmidem.Usage
	}{
		{"chat", providers.OpenAI(), "/v1/chat/completions", `{"model":"gpt-4o-mini",` + messages + `}`, nil, fixed},
		{"chat stream", providers.OpenAI(), "/v1/chat/completions",
			`{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},` + messages + `}`, nil, fixed},
		{"responses", providers.OpenAI(), "/v1/responses", `{"model":"gpt-4o-mini","input":"hello"}`, nil, fixed},
		{"responses stream", providers.OpenAI(), "/v1/responses", `{"model":"gpt-4o-mini","stream":true,"input":"hello"}`, nil, fixed},
		{"messages", providers.Anthropic(), "/v1/messages", `{"model":"claude-haiku-4-5","max_tokens":99,` + messages + `}`, version, fixed},
		{"messages stream", providers.Anthropic(), "/v1/messages",
			`{"model":"claude-haiku-4-5","max_tokens":99,"stream":true,` + messages + `}`, version, fixed},
		{"contents", providers.Gemini(), "/v1beta/models/gemini-2.5-flash:generateContent", contents, nil, fixed},
		{"contents stream", providers.Gemini(), "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", contents, nil, fixed},
		{"ollama", providers.Ollama(), "/api/chat", `{"model":"llama3.2","stream":false,` + messages + `}`, nil, none},
		{"ollama stream", providers.Ollama(), "/api/chat", `{"model":"llama3.2",` + messages + `}`, nil, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.ask(t, http.MethodPost, "/__aimock/reset/journal", nil)
			below := &tap{RoundTripper: wire(t)}
			over := client(t, c.provider, below)
			for i := range 2 {
				got, r, err := post(t, over, p.url+c.path, c.body, c.headers...)
				require.NoError(t, err)
				require.Equal(t, below.seen[0].String(), got)
				require.Contains(t, got, "ello")
				require.True(t, r.Complete && r.Kept, "%+v\n%s", r, got)
				require.Equal(t, i == 0, r.Paid())
				require.Equal(t, c.usage, []llmidem.Usage{r.Usage, r.Saved}[i], "%s", got)
				require.Equal(t, []string{r.Key.String()}, keys(t, p))
			}
		})
	}
}

var version = []string{"Anthropic-Version", "2023-06-01"}

// Embeddings have no fixture: they are made of the text.
func TestAimockEmbeddings(t *testing.T) {
	p := start(t, aimockScript)
	below := &tap{RoundTripper: wire(t)}
	over := client(t, providers.OpenAI(), below)
	for i := range 2 {
		got, r, err := post(t, over, p.url+"/v1/embeddings", `{"model":"text-embedding-3-small","input":["one","two"],"dimensions":8}`)
		require.NoError(t, err)
		require.Equal(t, below.seen[0].String(), got)
		require.Contains(t, got, `"embedding":[`)
		require.True(t, r.Complete && r.Kept)
		require.Equal(t, i == 0, r.Paid())
		require.Equal(t, []string{r.Key.String()}, keys(t, p))
	}
}
