package llmidem

import (
	"slices"
	"strconv"
	"strings"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
)

// facts are what the body of a request says about how it may be treated. They
// are read off the identity document: small, validated, and without prompt; but
// for a stored prompt, which is named in it.
type facts struct {
	operation string
	model     string
	choices   int // n; 0 when it was not given
	stream    bool
	sampled   bool // the answer is drawn, so that asking again may be meant
	stateful  bool // it changes state at the provider: conversation, background
	fleeting  bool // it names what may change at the provider: see fleetingTTL
	tools     bool // tools run at the provider, with effects that can be repeated
}

// sampledOperations are those whose answers are drawn, unless the temperature
// is 0; images have none.
var sampledOperations = []string{"chat", "text_completion", "responses", "messages", "generate_content",
	"stream_generate_content", "ollama.chat", "ollama.generate",
	"images.generations", "images.edits", "images.variations"}

func factsOf(doc identity.Document, body []byte) facts {
	f := facts{operation: doc.Operation(), model: doc.Model()}
	f.stream = isTrue(doc.Param("stream")) || f.operation == "stream_generate_content" ||
		f.operation == "audio.speech" && string(doc.Param("stream_format")) == `"sse"`
	if strings.HasPrefix(f.operation, "ollama.") { // streams unless told not to
		f.stream = f.operation != "ollama.embed" && string(doc.Param("stream")) != "false"
	}
	for _, count := range [...][]byte{doc.Param("n"), complete.Get(doc.Param("generationConfig"), "candidateCount")} {
		if n, ok := formInt(count); ok && n > 0 && n <= 1<<20 {
			f.choices = int(n)
		}
	}
	f.sampled = slices.Contains(sampledOperations, f.operation) && string(doc.Param("temperature")) != "0"
	conversation := given(doc, "conversation")
	f.stateful = conversation || string(doc.Param("background")) == "true"
	f.fleeting = leansOnOthers(doc, body)
	f.tools = conversation || runsTools(doc)
	return f
}

// isTrue and formInt read parameters of JSON, and of forms, where all is text.
func isTrue(value []byte) bool { return string(value) == "true" || string(value) == `"true"` }

func formInt(value []byte) (int64, bool) {
	if text, ok := complete.String(value); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	}
	return complete.Int(value)
}
