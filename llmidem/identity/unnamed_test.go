package identity_test

import (
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
)

func TestUnnamed(t *testing.T) {
	for name, c := range map[string]struct{ path, body, want string }{
		"named":           {"/v1/chat/completions", `{"model":"m","messages":[],"user":"u","temperature":1,"tools":[{"any":1}]}`, ""},
		"unnamed":         {"/v1/chat/completions", `{"model":"m","messages":[],"temprature":1}`, "/temprature"},
		"other operation": {"/v1/embeddings", `{"model":"m","input":"a","temperature":1}`, "/temperature"},
		"escaped":         {"/v1/chat/completions", `{"model":"m","messages":[],"a/b~c\u00e9":1}`, "/a~1b~0cé"},
		"empty":           {"/v1/chat/completions", `{"model":"m","messages":[],"":1}`, "/"},
	} {
		rules := identity.OpenAI()
		d, err := rules.Identify(identity.Request{Path: c.path, Body: []byte(c.body)}, identity.Call{Exclude: []string{}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := rules.Unnamed(d); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		rules.Params = nil
		if d.Param("temperature") != nil && rules.Unnamed(d) == "" {
			t.Errorf("%s: nothing is unnamed where nothing is named", name)
		}
	}
}

// Every operation of the built-in rules has its list.
func TestParams_OfEveryRoute(t *testing.T) {
	for _, rules := range []*identity.Rules{identity.OpenAI(), identity.Anthropic(), identity.Gemini(), identity.Ollama()} {
		for _, route := range rules.Routes {
			if rules.Params[route.Operation] == nil {
				t.Errorf("%s: %s has no list", rules.Name, route.Operation)
			}
		}
	}
}
