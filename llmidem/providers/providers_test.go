package providers_test

import (
	"context"
	"go/ast"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// Every provider is one that New takes, under every preset that sends a key or
// none, and has said what each list of codes is: no list is nil by oversight.
func TestProvidersAreValid(t *testing.T) {
	for name, provider := range constructors {
		t.Run(name, func(t *testing.T) {
			p := provider()
			require.Equal(t, name, p.Name)
			require.NotNil(t, p.Account)
			require.Equal(t, llmidem.Ignore, p.Keys.Class, "no large service honours a key on a synchronous call")
			for _, codes := range lists(p) {
				require.NotNil(t, codes)
			}
			for _, preset := range []llmidem.Option{llmidem.ForInference(), llmidem.ForLegacy()} {
				client, err := llmidem.New(p, preset, llmidem.WithScheme(identity.UUID5(namespace)))
				require.NoError(t, err)
				require.Equal(t, p.Keys, client.Provider().Keys)
				require.NoError(t, client.Close(context.Background()))
			}
		})
	}
}

func lists(p llmidem.Provider) [][]string {
	e := p.Errors
	return [][]string{e.Quota, e.Overload, e.InProgress, e.TooLarge, e.Filtered}
}

// A constructor is in the table of these tests, or it is not tested.
func TestNoConstructorIsForgotten(t *testing.T) {
	var found []string
	for _, decl := range sources(t) {
		if fn := decl.fn; fn.Recv == nil && fn.Name.IsExported() && fn.Type.Params.NumFields() == 0 && fn.Type.Results.NumFields() == 1 {
			if sel, ok := fn.Type.Results.List[0].Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "Provider" {
				found = append(found, fn.Name.Name)
			}
		}
	}
	require.Len(t, found, len(constructors))
}

// What is changed in one copy is not changed in the next, nor in a client that was
// made of it, wherever it lies.
func TestCopiesAreFresh(t *testing.T) {
	for name, provider := range constructors {
		t.Run(name, func(t *testing.T) {
			p := provider()
			client, err := llmidem.New(p, llmidem.WithScheme(identity.UUID5(namespace)))
			require.NoError(t, err)
			defer client.Close(context.Background())
			require.NotZero(t, spoil(reflect.ValueOf(&p).Elem()))
			for what, other := range map[string]llmidem.Provider{"another copy": provider(), "the client": client.Provider()} {
				other.Account = nil // functions do not compare
				want := provider()
				want.Account = nil
				require.Equal(t, want, other, what)
				require.NotEqual(t, p.Rules, other.Rules, what)
			}
		})
	}
}

// spoil overwrites every text that is reached through a pointer, slice or map, and
// counts them.
func spoil(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			n = spoil(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += spoil(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += spoil(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			n += spoil(v.MapIndex(key))
			v.SetMapIndex(key, reflect.ValueOf([]string{"spoilt"}))
			n++
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString("spoilt")
			n++
		}
	}
	return n
}

// K11: what a service takes is enforced before anything is sent, and the error
// proposes what it does take.
func TestK11_TheFormOfKeys(t *testing.T) {
	_, err := llmidem.New(providers.Gateway("acme", llmidem.Keys{Class: llmidem.Replay, MaxLen: 64}))
	require.ErrorContains(t, err, "69 bytes")
	require.ErrorContains(t, err, "identity.UUID5")

	service := always(reply{body: calls["openai"].whole})
	gateway := providers.Gateway("acme", llmidem.Keys{Class: llmidem.Replay, Header: "X-Key", Quoted: true, MaxLen: 36, Window: time.Hour})
	client := newClient(t, gateway, service, llmidem.WithScheme(identity.UUID5(namespace)))
	send(t, client, calls["openai"])
	require.Regexp(t, `^"[0-9a-f-]{36}"$`, service.seen[0].Header.Get("X-Key"))

	ctx := llmidem.WithCall(context.Background(), llmidem.Key("a-key-of-the-caller-that-is-much-too-long"))
	_, err = client.RoundTrip(request(t, ctx, calls["openai"]))
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
	require.Len(t, service.seen, 1)

	_, err = llmidem.New(providers.Bedrock())
	require.ErrorContains(t, err, "identity.UUID5", "an underscore is not in Bedrock's pattern")
}

// P7 for each provider: an answer is given again when it is whole in its service's
// own terms, JSON and streams, and only then.
func TestP7_WholeAnswersAlone(t *testing.T) {
	for name, provider := range constructors {
		for form, c := range map[string]call{"json": calls[provider().Dialect], "stream": calls[provider().Dialect].streaming()} {
			t.Run(name+"/"+form, func(t *testing.T) {
				client := newClient(t, provider(), always(reply{body: c.whole}))
				first, second := send(t, client, c), send(t, client, c)
				require.Equal(t, []string{"provider", "cache"}, []string{first.source, second.source})
				require.Equal(t, first.body, second.body)

				service := always(reply{body: c.cut})
				client = newClient(t, provider(), service, llmidem.Config{Retry: llmidem.RetryPolicy{MaxAttempts: 1}})
				require.Equal(t, "provider", send(t, client, c).source)
				require.Equal(t, "provider", send(t, client, c).source)
				require.Len(t, service.seen, 2)
			})
		}
	}
}

// What an answer says of its cost is read in each dialect.
func TestUsage(t *testing.T) {
	for name, provider := range constructors {
		c := calls[provider().Dialect]
		client := newClient(t, provider(), always(reply{body: c.whole}))
		ctx, receipt := llmidem.WithReceipt(context.Background())
		sendIn(t, ctx, client, c)
		require.Equal(t, llmidem.Usage{InputTokens: 3, OutputTokens: 2}, receipt().Usage, name)
	}
}

// P11: of the first answer's headers a recorded one has those that name it, and not
// what was true of that moment alone.
func TestP11_HeadersOfTheFirstAnswer(t *testing.T) {
	kept := map[string]string{"openai": "X-Request-Id", "azure.ai.openai": "Apim-Request-Id", "anthropic": "Request-Id", "openrouter": "X-Generation-Id",
		"vllm": "X-Request-Id", "litellm": "X-Litellm-Call-Id", "portkey": "X-Portkey-Trace-Id", "cloudflare": "Cf-Aig-Log-Id", "aws.bedrock": "X-Amzn-Requestid"}
	dropped := []string{"Set-Cookie", "Date", "Retry-After", "X-Ratelimit-Remaining-Requests", "Anthropic-Ratelimit-Requests-Remaining",
		"X-Litellm-Key-Spend", "X-Litellm-Response-Cost", "X-Portkey-Cache-Status", "Cf-Aig-Cache-Status", "X-Openrouter-Cache-Status", "Llmidem-Source"}
	for name, provider := range constructors {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for _, h := range dropped {
				header.Set(h, "moment")
			}
			if h := kept[name]; h != "" {
				header.Set(h, "id-1")
			}
			c := calls[provider().Dialect]
			client := newClient(t, provider(), always(reply{body: c.whole, header: header}))
			send(t, client, c)
			again := send(t, client, c)
			require.Equal(t, "cache", again.source)
			for _, h := range dropped {
				require.False(t, slices.Contains(again.header.Values(h), "moment"), h)
			}
			if h := kept[name]; h != "" {
				require.Equal(t, "id-1", again.header.Get(h))
			}
		})
	}
}

// A cache of the service is believed in the service's words, and by nobody else.
func TestCacheHitsAreNotPaidFor(t *testing.T) {
	hits := map[string][2]string{"openrouter": {"X-OpenRouter-Cache-Status", "HIT"}, "portkey": {"x-portkey-cache-status", "SEMANTIC HIT"},
		"cloudflare": {"cf-aig-cache-status", "hit"}}
	for name, hit := range hits {
		for status, source := range map[string]string{hit[1]: "replay", "MISS": "provider"} {
			header := http.Header{}
			header.Set(hit[0], status)
			for other, provider := range constructors {
				c := calls[provider().Dialect]
				client := newClient(t, provider(), always(reply{body: c.whole, header: header}))
				want := "provider"
				if other == name {
					want = source
				}
				answer := send(t, client, c)
				require.Equal(t, want, answer.source, "%s at %s", status, other)
				require.Equal(t, want == "replay", answer.header.Get("Idempotent-Replayed") == "true")
			}
		}
	}
}
