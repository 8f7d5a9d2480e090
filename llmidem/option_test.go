package llmidem_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/providers"
)

// Each bad option is refused by New with a message that names it and the fix.
func TestNew_RefusesBadOptions(t *testing.T) {
	with := func(change func(*llmidem.Provider)) llmidem.Provider {
		p := providers.OpenAI()
		change(&p)
		return p
	}
	none, err := llmidem.New(providers.OpenAI())
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		provider llmidem.Provider
		opts     []llmidem.Option
		says     []string
	}{
		"negative TTL":              {opts: options(llmidem.Config{CacheTTL: -1}), says: []string{"CacheTTL", "negative", "RecallOff"}},
		"negative capacity":         {opts: options(llmidem.Config{CacheCapacity: -1}), says: []string{"CacheCapacity", "negative"}},
		"negative bytes":            {opts: options(llmidem.Config{CacheBytes: -1}), says: []string{"CacheBytes", "negative"}},
		"negative detach limit":     {opts: options(llmidem.Config{DetachLimit: -1}), says: []string{"DetachLimit"}},
		"negative body":             {opts: options(llmidem.Config{MaxBody: -1}), says: []string{"MaxBody"}},
		"negative entry":            {opts: options(llmidem.Config{MaxEntry: -1}), says: []string{"MaxEntry"}},
		"negative flights":          {opts: options(llmidem.Config{MaxFlights: -1}), says: []string{"MaxFlights"}},
		"negative attempts":         {opts: options(llmidem.WithRetry(llmidem.RetryPolicy{MaxAttempts: -1})), says: []string{"Retry.MaxAttempts", "use 1"}},
		"negative refill":           {opts: options(llmidem.WithRetry(llmidem.RetryPolicy{Refill: -1})), says: []string{"Retry.Refill"}},
		"negative delay":            {opts: options(llmidem.WithRetry(llmidem.RetryPolicy{BaseDelay: -1})), says: []string{"Retry.BaseDelay"}},
		"empty prefix":              {opts: options(llmidem.WithScheme(identity.SHA256(""))), says: []string{"WithScheme", "prefix"}},
		"bad prefix":                {opts: options(llmidem.Config{KeyPrefix: "Acme"}), says: []string{"KeyPrefix", "prefix"}},
		"prefix beside scheme":      {opts: options(llmidem.Config{KeyPrefix: "acme_"}, llmidem.WithScheme(identity.UUID5([16]byte{1}))), says: []string{"KeyPrefix", "WithScheme"}},
		"zero namespace":            {opts: options(llmidem.WithScheme(identity.UUID5([16]byte{}))), says: []string{"WithScheme", "namespace"}},
		"excluded model":            {opts: options(llmidem.Config{ExcludedFields: []string{"model"}}), says: []string{"ExcludedFields", "model"}},
		"excluded messages":         {opts: options(llmidem.Config{ExcludedFields: []string{"messages"}}), says: []string{"ExcludedFields", "messages"}},
		"excluded temperature":      {opts: options(llmidem.Config{ExcludedFields: []string{"temperature"}}), says: []string{"ExcludedFields", "temperature"}},
		"header with a space":       {opts: options(llmidem.Config{HeaderName: "Idempotency Key"}), says: []string{"HeaderName", "Idempotency Key", "hyphens"}},
		"two presets":               {opts: options(llmidem.ForInference(), llmidem.ForLegacy()), says: []string{"ForInference and ForLegacy", "two presets", "keep one"}},
		"preset not first":          {opts: options(llmidem.WithTenant("t"), llmidem.ForLegacy()), says: []string{"ForLegacy", "first option"}},
		"legacy with a header":      {opts: options(llmidem.ForLegacy(), llmidem.Config{HeaderName: "X-Key"}), says: []string{"HeaderName", "ForLegacy promises"}},
		"legacy that replays":       {provider: providers.Gateway("g", llmidem.Keys{Class: llmidem.Replay}), opts: options(llmidem.ForLegacy()), says: []string{"ForLegacy", "replay"}},
		"no recall policy":          {opts: options(llmidem.WithRecall(99)), says: []string{"WithRecall", "RecallAlways"}},
		"no doubt policy":           {opts: options(llmidem.Config{OnAmbiguous: 99}), says: []string{"OnAmbiguous", "Retry or Fail"}},
		"no store policy":           {opts: options(llmidem.Config{StoreDown: 99}), says: []string{"StoreDown", "Proceed or Refuse"}},
		"nil transport":             {opts: options(llmidem.WithTransport(nil)), says: []string{"WithTransport", "nil"}},
		"a client as transport":     {opts: options(llmidem.WithTransport(none)), says: []string{"WithTransport", "llmidem.Client"}},
		"empty tenant":              {opts: options(llmidem.WithTenant("")), says: []string{"WithTenant", "empty"}},
		"empty namespace":           {opts: options(llmidem.WithNamespace("")), says: []string{"WithNamespace", "empty"}},
		"no provider name":          {provider: with(func(p *llmidem.Provider) { p.Name = "" }), says: []string{"Provider.Name"}},
		"no rules":                  {provider: with(func(p *llmidem.Provider) { p.Rules = nil }), says: []string{"Provider.Rules", "providers"}},
		"no class":                  {provider: with(func(p *llmidem.Provider) { p.Keys.Class = 9 }), says: []string{"Keys.Class"}},
		"bad key header":            {provider: with(func(p *llmidem.Provider) { p.Keys.Header = "a b" }), says: []string{"Keys.Header"}},
		"negative window":           {provider: with(func(p *llmidem.Provider) { p.Keys.Window = -1 }), says: []string{"Window"}},
		"bad pattern":               {provider: with(func(p *llmidem.Provider) { p.Keys.Pattern = "(" }), says: []string{"Keys.Pattern", "RE2"}},
		"key longer than taken":     {provider: with(func(p *llmidem.Provider) { p.Keys.MaxLen = 64 }), says: []string{"69 bytes", "64", "UUID5"}},
		"key outside of the form":   {provider: with(func(p *llmidem.Provider) { p.Keys.Pattern = "[0-9a-f-]+" }), says: []string{"pattern", "UUID5"}},
		"several at once, all said": {opts: options(llmidem.Config{CacheTTL: -1, HeaderName: "a b"}), says: []string{"CacheTTL", "HeaderName"}},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.provider.Name == "" && tt.provider.Rules == nil {
				tt.provider = providers.OpenAI()
			}
			client, err := llmidem.New(tt.provider, tt.opts...)
			require.Nil(t, client)
			for _, text := range tt.says {
				require.ErrorContains(t, err, text)
			}
			for _, line := range strings.Split(err.Error(), "\n") {
				require.Contains(t, line, ";", "the fix follows what is wrong")
			}
		})
	}
}

func options(opts ...llmidem.Option) []llmidem.Option { return opts }

func TestNew_TakesItsOwnCopy(t *testing.T) {
	b := newBench(t)
	p := b.client.Provider()
	p.Rules.Routes = nil
	p.Name = "changed"
	require.Equal(t, "llmtest", b.client.Provider().Name)
	b.mustAsk("still an inference call")
	require.NotEmpty(t, b.srv.Ledger().Keys())
}

func TestOver_SharesTheMemory(t *testing.T) {
	b := newBench(t)
	through := 0
	other := b.client.Over(roundTrip(func(req *http.Request) (*http.Response, error) {
		through++
		return b.srv.Transport().RoundTrip(req)
	}))
	b.read(other.RoundTrip(b.request("/chat/completions", chatBody("x"))))
	require.Equal(t, 1, through)
	require.Equal(t, "cache", b.read(b.client.RoundTrip(b.request("/chat/completions", chatBody("x")))).source)
	require.Equal(t, "cache", b.read(b.client.Over(nil).RoundTrip(b.request("/chat/completions", chatBody("x")))).source)
}

func TestForget(t *testing.T) {
	ctx := context.Background()
	b := newBench(t)
	address := b.mustAsk("x").Receipt.Address
	require.NoError(t, b.client.Forget(ctx, address))
	require.NoError(t, b.client.Forget(ctx, address), "what is not there is forgotten already")
	require.True(t, b.mustAsk("x").Receipt.Paid())
	for _, bad := range []string{"", "idem_1", address[1:], strings.Repeat("g", 64)} {
		require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(b.client.Forget(ctx, bad)))
	}
}
