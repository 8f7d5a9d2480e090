package llmidem

import (
	"slices"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
)

// facts are what the body of a request says about how it may be treated. They
// are read off the identity document: small, validated, and without prompt.
type facts struct {
	operation string
	model     string
	stream    bool
	choices   int  // n; 0 when it was not given
	sampled   bool // the answer is drawn, so that asking again may be meant
	stateful  bool // it changes state at the provider: conversation, background
	tools     bool // tools run at the provider, with effects that can be repeated
}

// sampledOperations are those whose answers are drawn, unless the temperature
// is 0; images have none.
var sampledOperations = []string{"chat", "text_completion", "responses", "messages", "generate_content",
	"stream_generate_content", "ollama.chat", "ollama.generate",
	"images.generations", "images.edits", "images.variations"}

func factsOf(doc identity.Document) facts {
	f := facts{operation: doc.Operation(), model: doc.Model()}
	f.stream = string(doc.Param("stream")) == "true" || f.operation == "stream_generate_content"
	if strings.HasPrefix(f.operation, "ollama.") { // streams unless told not to
		f.stream = f.operation != "ollama.embed" && string(doc.Param("stream")) != "false"
	}
	for _, count := range [...][]byte{doc.Param("n"), complete.Get(doc.Param("generationConfig"), "candidateCount")} {
		if n, ok := complete.Int(count); ok && n > 0 && n <= 1<<20 {
			f.choices = int(n)
		}
	}
	f.sampled = slices.Contains(sampledOperations, f.operation) && string(doc.Param("temperature")) != "0"
	conversation := doc.Param("conversation")
	f.stateful = string(doc.Param("background")) == "true" || conversation != nil && string(conversation) != "null"
	f.tools = conversation != nil && string(conversation) != "null" || runsTools(doc.Param("tools"))
	return f
}

// runsTools reports whether a tool of the list runs at the provider and can do
// something there twice. Functions run at the caller; searches only read.
func runsTools(tools []byte) bool {
	found := false
	if complete.KindOf(tools) != complete.KindArray {
		return false
	}
	_ = complete.Elements(tools, func(_ int, tool []byte) bool {
		kind, _ := complete.String(complete.Get(tool, "type"))
		found = found || kind == "mcp" || strings.HasPrefix(kind, "code_interpreter") || strings.HasPrefix(kind, "computer")
		return !found
	})
	return found
}
