package identity_test

import (
	"slices"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

func TestMatchTakesTheLongestSuffix(t *testing.T) {
	r := identity.OpenAI()
	slices.Reverse(r.Routes)
	for path, want := range map[string][2]string{
		"/v1/chat/completions":                  {"chat", "/v1"},
		"/v1/completions":                       {"text_completion", "/v1"},
		"/chat/completions":                     {"chat", ""},
		"/openai/deployments/x/embeddings":      {"embeddings", "/openai/deployments/x"},
		"/v1/files":                             {},
		"/v1/chat/completions/":                 {},
		"/v1/chat/completions?api-version=2024": {},
		"":                                      {},
	} {
		m, ok := r.Match(path)
		require.Equal(t, want[0] != "", ok, path)
		require.Equal(t, want[0], m.Route.Operation, path)
		require.Equal(t, want[1], m.Prefix, path)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { r.Match("/v1/chat/completions") }))
}

func TestConstructorsGiveFreshCopies(t *testing.T) {
	for name, rules := range profiles {
		a, b := rules(), rules()
		require.Equal(t, name, a.Name)
		require.NoError(t, a.Validate(nil))
		require.NoError(t, a.Validate([]string{}))
		require.NoError(t, a.Validate([]string{"metadata.trace"}))
		a.Routes[0].Suffix, a.Exclude[0] = "x", "x"
		if len(a.Routes[0].Prompt) > 0 {
			a.Routes[0].Prompt[0] = "x"
		}
		a.Base64[0].Member = "x"
		require.Equal(t, rules(), b)
		require.Equal(t, []string{"timestamp", "trace_id", "request_id", "retry_count"}, b.Exclude)
	}
}

func TestValidateNamesWhatToCorrect(t *testing.T) {
	for want, change := range map[string]func(*identity.Rules){
		"no routes":        func(r *identity.Rules) { r.Routes = nil },
		"empty Suffix":     func(r *identity.Rules) { r.Routes[0].Suffix = "" },
		"no Operation":     func(r *identity.Rules) { r.Routes[0].Operation = "" },
		"function's":       func(r *identity.Rules) { r.Routes[0].Operation = "do:x" },
		"holds a query":    func(r *identity.Rules) { r.Routes[0].Suffix = "/x?y" },
		"cannot be one":    func(r *identity.Rules) { r.Routes[0].Prompt = []string{""} },
		"twice":            func(r *identity.Rules) { r.Routes[0].Prompt = []string{"a", "a"} },
		"user field":       func(r *identity.Rules) { r.UserFields = []string{"messages.user"} },
		"without parent":   func(r *identity.Rules) { r.Base64 = []identity.Place{{Member: "x"}} },
		"lower-case name":  func(r *identity.Rules) { r.Headers = []string{"X-Route"} },
		"with one *":       func(r *identity.Rules) { r.Delivery = []string{"x-*-y"} },
		"not be in":        func(r *identity.Rules) { r.Headers = []string{"authorization"} },
		"bad_exclusion":    func(r *identity.Rules) { r.Exclude = []string{"messages"} },
		"has an empty nam": func(r *identity.Rules) { r.Exclude = []string{"a..b"} },
	} {
		r := identity.OpenAI()
		change(r)
		require.ErrorContains(t, r.Validate(nil), want)
	}
	for _, bad := range []string{"", ".", "a.", ".a", "a..b", "model", "stream.x", "n", "tools.0", "response_format", "messages", "input.x"} {
		require.ErrorContains(t, identity.OpenAI().Validate([]string{bad}), "bad_exclusion", bad)
	}
}

func TestExclusionListOfTheRules(t *testing.T) {
	r := identity.OpenAI()
	body := `{"model":"m","messages":[],"request_id":"a","extra":{"id":1}}`
	bare := keyOf(t, `{"model":"m","messages":[]}`)
	with := keyOf(t, `{"model":"m","messages":[],"extra":{"id":1}}`)
	require.Equal(t, with, keyFor(t, r, chatRequest(body), identity.Call{}))
	r.Exclude = nil
	require.Equal(t, with, keyFor(t, r, chatRequest(body), identity.Call{}))
	r.Exclude = []string{"request_id", "extra.id"}
	require.Equal(t, bare, keyFor(t, r, chatRequest(body), identity.Call{}))
	require.NotEqual(t, with, keyFor(t, r, chatRequest(body), identity.Call{Exclude: []string{}}))
	require.Equal(t, bare, keyFor(t, r, chatRequest(body), identity.Call{Exclude: []string{"extra", "request_id"}}))
}

// Rules are shared by all calls of a client.
func TestRulesServeManyCallsAtOnce(t *testing.T) {
	r := identity.OpenAI()
	vectors := loadVectors(t)
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 20 {
				for _, v := range vectors {
					if v.Profile != "openai" || v.Options.Prefix != nil || v.Want.Refused != "" {
						continue
					}
					call := identity.Call{User: v.Options.User, Scope: v.Options.Scope, Occurrence: v.Options.Occurrence, Exclude: v.Options.Exclude}
					require.Equal(t, v.Want.SHA256, keyFor(t, r, v.request(t), call))
				}
			}
		})
	}
}
