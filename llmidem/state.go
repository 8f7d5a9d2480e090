package llmidem

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/internal/complete"
	"github.com/llmidem/llmidem-go/llmidem/store"
)

// fleetingTTL is how long an answer is given again whose request names something
// at the provider that others may change meanwhile.
const fleetingTTL = 10 * time.Minute

// errStale says that a record is older than an answer to its request may be.
var errStale = errors.New("llmidem: the record of this call is too old for a request that leans on state at the provider")

// stale reports whether a record, of whatever client, must not answer the call.
func (c *call) stale(rec store.Record) bool {
	return c.facts.fleeting && rec.Age >= fleetingTTL
}

// given reports whether a parameter is there and not null.
func given(doc identity.Document, name string) bool {
	value := doc.Param(name)
	return value != nil && string(value) != "null"
}

// leansOnOthers reports whether a request names something at the provider whose
// content is not in the request and can change: Gemini's cached content, or a
// stored prompt in whatever version is current.
func leansOnOthers(doc identity.Document, body []byte) bool {
	if given(doc, "cachedContent") || given(doc, "cached_content") {
		return true
	}
	if doc.Operation() != "responses" {
		return false
	}
	prompt := complete.Get(body, "prompt") // a part of the prompt, so no parameter
	if complete.KindOf(prompt) != complete.KindObject {
		return false
	}
	version, _ := complete.String(complete.Get(prompt, "version"))
	return version == ""
}

// runsTools reports whether tools of a request run at the provider and can do
// something there twice. Functions run at the caller; searches only read.
func runsTools(doc identity.Document) bool {
	found := false
	_ = each(doc.Param("mcp_servers"), func([]byte) bool { found = true; return false })
	_ = each(doc.Param("tools"), func(tool []byte) bool {
		found = found || runsTool(tool)
		return !found
	})
	return found
}

// each calls fn for the elements of what is an array.
func each(list []byte, fn func([]byte) bool) error {
	if complete.KindOf(list) != complete.KindArray {
		return nil
	}
	return complete.Elements(list, func(_ int, value []byte) bool { return fn(value) })
}

// Tools that run at a provider: by the beginning of their type (OpenAI, Anthropic,
// and what speaks their APIs), and by the member that names them (Gemini).
var (
	toolTypes   = []string{"mcp", "code_interpreter", "code_execution", "computer"}
	toolMembers = []string{"codeExecution", "code_execution", "computerUse", "computer_use", "mcpServers", "mcp_servers"}
)

func runsTool(tool []byte) bool {
	kind, _ := complete.String(complete.Get(tool, "type"))
	if kind == "shell" { // a container of the provider's, unless it says that it is the caller's
		where, ok := complete.String(complete.Get(tool, "environment", "type"))
		return ok && where != "local"
	}
	return slices.ContainsFunc(toolTypes, func(s string) bool { return strings.HasPrefix(kind, s) }) ||
		slices.ContainsFunc(toolMembers, func(s string) bool { return complete.KindOf(complete.Get(tool, s)) > complete.KindNull })
}
