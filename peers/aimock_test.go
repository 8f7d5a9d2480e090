package peers

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
)

const aimockScript = "aimock.mjs"

// fixture is what aimock answers to a prompt, with usage of its author's choice.
func fixture(prompt, text string, more map[string]any) map[string]any {
	f := map[string]any{
		"match": map[string]any{"userMessage": prompt},
		"response": map[string]any{"content": text,
			"usage": map[string]any{"prompt_tokens": 11, "completion_tokens": 23, "total_tokens": 34}},
	}
	for name, value := range more {
		f[name] = value
	}
	return f
}

// fixed is the usage of every fixture.
var fixed = llmidem.Usage{InputTokens: 11, OutputTokens: 23}

func aimock(t *testing.T, fixtures ...map[string]any) *peer {
	t.Helper()
	p := start(t, aimockScript)
	p.answers(t, fixtures...)
	return p
}

// answers replaces what aimock answers.
func (p *peer) answers(t *testing.T, fixtures ...map[string]any) {
	t.Helper()
	p.ask(t, http.MethodDelete, "/__aimock/fixtures", nil)
	p.ask(t, http.MethodPost, "/__aimock/fixtures", map[string]any{"fixtures": fixtures})
}

// An entry is a request in aimock's journal, and what became of it.
type entry struct {
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers"`
	Response struct {
		Status      int    `json:"status"`
		Chaos       string `json:"chaosAction"`
		Interrupted bool   `json:"interrupted"`
	} `json:"response"`
}

func journal(t *testing.T, p *peer) (entries []entry) {
	t.Helper()
	p.get(t, "/__aimock/journal", &entries)
	return entries
}

// keys are the keys of the journal, one a request.
func keys(t *testing.T, p *peer) (out []string) {
	t.Helper()
	for _, e := range journal(t, p) {
		out = append(out, e.Headers["idempotency-key"])
	}
	return out
}

// A fault is one that aimock is told to commit: at a rate, or by a status, once.
type fault struct {
	name  string // as the journal has it
	chaos map[string]any
	code  int
}

func chaos(name, field string, value int) fault {
	return fault{name: name, chaos: map[string]any{field: value}}
}

func status(code int) fault { return fault{code: code} }

var (
	drop       = chaos("drop", "dropRate", 1)             // in truth a 500
	limit      = chaos("rateLimit", "rateLimitRate", 1)   // 429, and to wait for a second
	disconnect = chaos("disconnect", "disconnectRate", 1) // before any header
	malformed  = chaos("malformed", "malformedRate", 1)   // 200, and no JSON
	latency    = chaos("", "latencyMs", 20)               // and a good answer
)

// A script has aimock commit one fault for every request that passes, and none when
// there are no more.
type script struct {
	http.RoundTripper
	t      *testing.T
	p      *peer
	mu     sync.Mutex
	faults []fault
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var next fault
	if len(s.faults) > 0 {
		next, s.faults = s.faults[0], s.faults[1:]
	}
	if next.chaos == nil {
		next.chaos = map[string]any{}
	}
	s.p.ask(s.t, http.MethodPost, "/__aimock/chaos", next.chaos)
	if next.code != 0 {
		s.p.ask(s.t, http.MethodPost, "/__aimock/error", map[string]any{"status": next.code,
			"body": map[string]any{"message": "as told", "type": "server_error"}})
	}
	return s.RoundTripper.RoundTrip(req)
}

// requireCommitted compares the journal with the faults: each was committed, in this
// order, and after them came the good answer, if one did.
func requireCommitted(t *testing.T, p *peer, faults []fault, good bool) {
	t.Helper()
	entries := journal(t, p)
	want := len(faults)
	if good {
		want++
	}
	require.Len(t, entries, want)
	for i, e := range entries {
		if i == len(faults) {
			require.Equal(t, http.StatusOK, e.Response.Status)
			require.Empty(t, e.Response.Chaos)
			return
		}
		require.Equal(t, faults[i].name, e.Response.Chaos)
		if faults[i].code != 0 {
			require.Equal(t, faults[i].code, e.Response.Status)
		}
	}
}

// quick makes retries of many faults possible, without much waiting between them.
var quick = llmidem.RetryPolicy{MaxAttempts: 20, MaxAmbiguous: 20, BaseDelay: time.Millisecond}

func repeat(f fault, n int) (out []fault) {
	for range n {
		out = append(out, f)
	}
	return out
}

// title names a test.
func title(faults []fault) string {
	names := []string{}
	for _, f := range faults {
		if f.code != 0 {
			f.name = strconv.Itoa(f.code)
		}
		names = append(names, f.name)
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ",")
}
