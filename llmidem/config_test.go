package llmidem_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/gateway"
	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/llmidem/llmidem-go/llmidem/providers"
	"github.com/llmidem/llmidem-go/llmidem/store"
	"github.com/llmidem/llmidem-go/llmidem/store/storetest"
)

// configFile writes a file into a directory of its own.
func configFile(t testing.TB, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	require.NoError(t, os.Chmod(path, mode)) // whatever the umask says
	return path
}

func loaded(t testing.TB, text string) llmidem.Config {
	t.Helper()
	cfg, err := llmidem.LoadConfig(configFile(t, "llmidem.yaml", text, 0o600))
	require.NoError(t, err)
	return cfg
}

func TestLoadConfig_OfTheProcess(t *testing.T) {
	t.Setenv("LLMIDEM_KEY_PREFIX", "acme_")
	cfg, err := llmidem.LoadConfig("")
	require.NoError(t, err)
	b := newBench(t, cfg)
	require.Regexp(t, "^acme_[0-9a-f]{64}$", b.mustAsk("x").Receipt.Key.String())
}

func TestNew_SaysWhereAnOptionWasRead(t *testing.T) {
	for _, c := range []struct {
		text string
		opts []llmidem.Option
		want string
	}{
		{"tenant: t\nstore: redis://cache:6379", nil, ":2:8) names a store that was not opened; open it with a package of llmidem/store and the URL of Config.StoreURL, and give it to New by WithStore"},
		{"key_prefix: acme_", options(llmidem.WithScheme(identity.UUID5([16]byte{1}))), ":1:13) is set beside WithScheme; give the prefix to the scheme"},
		{"scheme: sha256", options(llmidem.WithScheme(identity.UUID5([16]byte{1}))), ":1:9) is set beside WithScheme; keep one of them"},
		{"excluded_fields: [messages]", nil, ":1:18) or Provider.Rules: "},
		{"header_name: X-Key", options(), ""},
		{"scheme: hmac\nscheme_secret: env:LLMIDEM_TEST_NOT_SET", nil, ":2:16) refers to the variable LLMIDEM_TEST_NOT_SET, which is not set; set it"},
		{"scheme: hmac\nscheme_secret: file:none", nil, "which cannot be read ("},
		{"key_policy: {prefix: acme_}", nil, `:1:22) does not take the keys of the client's own scheme sha256 (identity: bad key (prefix): it does not begin with "acme_"); set Scheme and KeyPrefix to what was agreed`},
	} {
		_, err := llmidem.New(providers.OpenAI(), append(options(loaded(t, c.text)), c.opts...)...)
		if c.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.want, c.text)
		require.ErrorContains(t, err, "llmidem.yaml:")
		require.NotContains(t, err.Error(), "\n", "said once")
	}
	memory, err := store.NewMemory(store.MemoryConfig{})
	require.NoError(t, err)
	client, err := llmidem.New(providers.OpenAI(), loaded(t, "store: redis://cache:6379"), llmidem.WithStore(memory))
	require.NoError(t, err)
	require.NoError(t, client.Close(context.Background()))
}

func TestConfig_SchemesMakeTheKeysOfWithScheme(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	space := [16]byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	t.Setenv("LLMIDEM_TEST_SECRET", secret)
	file := configFile(t, "secret", secret+"\r\n", 0o600)
	for text, scheme := range map[string]identity.Scheme{
		"scheme: sha256":                    identity.SHA256("idem_"),
		"scheme: sha256\nkey_prefix: acme_": identity.SHA256("acme_"),
		"scheme: uuid5\nscheme_namespace: 6ba7b810-9dad-11d1-80b4-00c04fd430c8": identity.UUID5(space),
		"scheme: hmac\nscheme_secret: env:LLMIDEM_TEST_SECRET":                  identity.HMAC("idem_", []byte(secret)),
		"scheme: hmac\nkey_prefix: acme_\nscheme_secret: file:" + file:          identity.HMAC("acme_", []byte(secret)),
	} {
		want := newBench(t, llmidem.WithScheme(scheme)).mustAsk("x").Receipt.Key
		require.Equal(t, want, newBench(t, loaded(t, text)).mustAsk("x").Receipt.Key, text)
	}
}

func TestConfig_SecretsAreKept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes of files; run this on another system")
	}
	const secret = "0123456789abcdef"
	open := func(logs *logLines, mode os.FileMode, text string) (*llmidem.Client, error) {
		cfg := llmidem.Config{Scheme: "hmac", SchemeSecret: "file:" + configFile(t, "secret", text, mode)}
		return llmidem.New(providers.OpenAI(), cfg, llmidem.WithLogger(slog.New(logs)))
	}
	for mode, warned := range map[os.FileMode]int{0o600: 0, 0o400: 0, 0o444: 1, 0o640: 1} {
		logs := &logLines{}
		client, err := open(logs, mode, secret)
		require.NoError(t, err)
		require.NoError(t, client.Close(context.Background()))
		require.Equal(t, warned, strings.Count(logs.all(), "may be read by others"), mode.String())
	}
	for says, c := range map[string]struct {
		mode os.FileMode
		text string
	}{
		"others may write to; chmod 600 it":  {0o620, secret},
		"others may write to; chmod 600 it ": {0o602, secret},
		"too short; use 16 bytes":            {0o600, "hunter2"},
		"which is empty":                     {0o600, "\n"},
		"larger than 64 KiB":                 {0o600, strings.Repeat("hunter2 ", 10<<10)},
	} {
		_, err := open(&logLines{}, c.mode, c.text)
		require.ErrorContains(t, err, strings.TrimSpace(says))
		require.NotContains(t, err.Error(), "hunter2")
	}
	for _, cfg := range []llmidem.Config{
		{Scheme: "hmac", SchemeSecret: "hunter2-hunter2-hunter2"},
		{Scheme: "hmac", SchemeSecret: "file:" + t.TempDir()},
		{Store: "redis://:hunter2@cache"},
	} {
		_, err := llmidem.New(providers.OpenAI(), cfg)
		require.ErrorContains(t, err, "llmidem: Config.S")
		require.NotContains(t, err.Error(), "hunter2")
		require.NotContains(t, fmt.Sprint(cfg.Settings()), "0123456789abcdef")
	}
}

// What a caller brings as a key must have the agreed form, however it comes.
func TestKeyPolicy_BeforeAnythingIsSent(t *testing.T) {
	const good = "acme_eaa2236d14ca0114fdf6ec964c013691087f53739a99270d8a72976381d63a7c"
	b := newBench(t, loaded(t, "key_prefix: acme_\nkey_policy:\n  scheme: sha256\n  prefix: acme_\n"))
	_, err := b.ask(t.Context(), "x", llmidem.Key("sk-proj-secret"))
	requirePolicy(t, err)
	req := b.request("/chat/completions", chatBody("x"))
	req.Header.Set("Idempotency-Key", "sk-proj-secret")
	_, err = b.client.RoundTrip(req)
	requirePolicy(t, err)
	_, err = llmidem.Do(t.Context(), b.client, "charge", 1, func(context.Context, identity.Key) (int, error) {
		require.Fail(t, "it must not run")
		return 0, nil
	}, llmidem.Key("sk-proj-secret"))
	requirePolicy(t, err)
	require.Zero(t, b.srv.Ledger().Executions())

	require.Equal(t, good, b.mustAsk("mine", llmidem.Key(good)).Receipt.Key.String())
	require.Regexp(t, "^acme_", b.mustAsk("made").Receipt.Key.String())
}

// A key that is quoted on the way arrives as it was, also one that has to be escaped
// for that.
func TestK11_QuotedKeysArrive(t *testing.T) {
	const mine = `tenant\order-7`
	b := benchOver(t, llmtest.New(t, llmtest.InMemory(), llmtest.WithKeys(llmidem.Keys{Quoted: true})))
	b.mustAsk("by option", llmidem.Key(mine))
	req := b.request("/chat/completions", chatBody("by header"))
	req.Header.Set("Idempotency-Key", `"tenant\\order-8"`)
	b.read(b.client.RoundTrip(req))

	wrap, err := gateway.RequireKey(identity.Policy{Prefix: `tenant\`})
	require.NoError(t, err)
	var arrived []string
	service := wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		key, _ := gateway.KeyOf(r.Context())
		arrived = append(arrived, key.String())
	}))
	for _, sent := range b.srv.Ledger().Requests {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header = sent.Header
		service.ServeHTTP(httptest.NewRecorder(), r)
	}
	require.Equal(t, []string{mine, `tenant\order-8`}, arrived)
}

func requirePolicy(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
	require.ErrorContains(t, err, "Config.KeyPolicy")
	require.NotContains(t, err.Error(), "secret")
	var bad *identity.KeyError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, identity.FaultForm, bad.Fault)
}

// A call without identity passes by the store; strict, which a file may say, refuses
// it.
func TestK8_StrictFromAFile(t *testing.T) {
	for strict, refused := range map[string]bool{"true": true, "false": false} {
		_, p := processes(t, 1, loaded(t, "tenant: t\nstrict: "+strict))
		resp, err := p[0].client.RoundTrip(p[0].request("/chat/completions", `{"messages":[]}`))
		if refused {
			require.Equal(t, llmidem.CodeInvalid, llmidem.CodeOf(err))
			require.Empty(t, p[0].srv.Ledger().Requests)
		} else {
			require.Empty(t, p[0].read(resp, err).header.Get("Idempotency-Key"))
			require.Len(t, p[0].srv.Ledger().Requests, 1)
		}
		for _, op := range []storetest.Op{storetest.OpClaim, storetest.OpRenew, storetest.OpSettle, storetest.OpGet} {
			require.Zero(t, p[0].store.Calls(op))
		}
	}
}

// Two clients with other settings on one store: neither is given what it would not
// have kept, and what is the same call for both is paid for once.
func TestS17_AnotherClientWithOtherSettings(t *testing.T) {
	ask := func(t *testing.T, one, other string) (llmidem.Receipt, llmidem.Receipt) {
		memory, err := store.NewMemory(store.MemoryConfig{})
		require.NoError(t, err)
		srv := llmtest.New(t, llmtest.InMemory(), llmtest.Sampled())
		shared := llmidem.WithStore(sharedMemory{memory})
		a := benchOver(t, srv, loaded(t, one), shared).mustAsk("x")
		b := benchOver(t, srv, loaded(t, other), shared).mustAsk("x")
		require.Equal(t, !b.Receipt.Paid(), a.Value.Choices[0].Message.Content == b.Value.Choices[0].Message.Content)
		return a.Receipt, b.Receipt
	}
	for _, c := range []struct {
		one, other string
		shared     bool
	}{
		{"", "cache_ttl: 1m\ncache_bytes: 1MiB\nretry: {max_attempts: 1}\nstrict: true", true},
		{"", "excluded_fields: []", true}, // no such member in the body
		{"tenant: a", "tenant: a", true},
		{"tenant: a", "tenant: b", false},
		{"namespace: a", "namespace: b", false},
		{"", "key_prefix: acme_", false},
		{"", "scheme: uuid5\nscheme_namespace: 6ba7b810-9dad-11d1-80b4-00c04fd430c8", false},
		{"", "recall: off", false},
	} {
		t.Run(c.other, func(t *testing.T) {
			first, second := ask(t, c.one, c.other)
			require.True(t, first.Paid())
			require.Equal(t, c.shared, !second.Paid(), "%q beside %q", c.other, c.one)
		})
	}
}
