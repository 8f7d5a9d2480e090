package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/llmidem/llmidem-go/llmidem/gateway"
	"github.com/llmidem/llmidem-go/llmidem/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const good = "acme_eaa2236d14ca0114fdf6ec964c013691087f53739a99270d8a72976381d63a7c"

var agreed = identity.Policy{Scheme: "sha256", Prefix: "acme_"}

// service answers with the key that it was given.
var service = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	k, ok := gateway.KeyOf(r.Context())
	fmt.Fprintf(w, "%v %v", ok, k)
})

// send makes a request with key headers to a service behind the middleware.
func send(t *testing.T, method string, keys []string, opts ...gateway.KeyOption) *httptest.ResponseRecorder {
	t.Helper()
	wrap, err := gateway.RequireKey(agreed, opts...)
	require.NoError(t, err)
	r := httptest.NewRequest(method, "/charges", strings.NewReader("{}"))
	for _, k := range keys {
		r.Header.Add("Idempotency-Key", k)
	}
	w := httptest.NewRecorder()
	wrap(service).ServeHTTP(w, r)
	return w
}

func TestRequireKey_LetsThroughTheAgreedForm(t *testing.T) {
	for _, text := range []string{good, `"` + good + `"`, " " + good + "\t"} {
		w := send(t, "POST", []string{text})
		require.Equal(t, 200, w.Code, text)
		require.Equal(t, "true "+good, w.Body.String())
	}
	w := send(t, "GET", []string{"anything"})
	require.Equal(t, "false ", w.Body.String(), "a GET needs no key")
	w = send(t, "POST", nil, gateway.WithOptionalKey())
	require.Equal(t, "false ", w.Body.String())
}

func TestRequireKey_RefusesEverythingElse(t *testing.T) {
	const secret = "sk-proj-do-not-print"
	for _, c := range []struct {
		name   string
		method string
		keys   []string
		opts   []gateway.KeyOption
		fault  string
		says   string
	}{
		{"none", "POST", nil, nil, "missing", "has no Idempotency-Key header"},
		{"none, PATCH", "PATCH", nil, nil, "missing", "has no Idempotency-Key header"},
		{"none, method named", "PUT", nil, []gateway.KeyOption{gateway.WithMethods("PUT")}, "missing", "no Idempotency-Key"},
		{"two", "POST", []string{good, good}, nil, "several", "2 Idempotency-Key headers"},
		{"two, where none is needed", "POST", []string{good, good}, []gateway.KeyOption{gateway.WithOptionalKey()}, "several", "Send one."},
		{"two in one line", "POST", []string{good + ", " + good}, nil, "alphabet", "comma"},
		{"empty", "POST", []string{""}, nil, "length", "0 bytes"},
		{"empty, quoted", "POST", []string{`""`}, nil, "length", "0 bytes"},
		{"blank", "POST", []string{"  "}, nil, "length", "0 bytes"},
		{"a credential", "POST", []string{secret}, nil, "form", "neither"},
		{"a credential, optional", "POST", []string{secret}, []gateway.KeyOption{gateway.WithOptionalKey()}, "form", "neither"},
		{"another prefix", "POST", []string{"idem_" + good[5:]}, nil, "prefix", `"acme_"`},
		{"upper case", "POST", []string{"acme_" + strings.ToUpper(good[5:])}, nil, "alphabet", "at byte 5"},
		{"long", "POST", []string{strings.Repeat("a", 70<<10)}, nil, "length", "71680 bytes"},
		{"beyond ASCII", "POST", []string{"kéy"}, nil, "alphabet", "ASCII"},
		{"quote not closed", "POST", []string{`"` + good}, nil, "form", "RFC 8941"},
		{"text after the quotes", "POST", []string{`"` + good + `";a=1`}, nil, "form", "RFC 8941"},
		{"bad escape", "POST", []string{`"\n"`}, nil, "form", "RFC 8941"},
		{"escape at the end", "POST", []string{`"\`}, nil, "form", "RFC 8941"},
		{"escaped quote", "POST", []string{`"a\"b"`}, nil, "alphabet", "quote"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := send(t, c.method, c.keys, c.opts...)
			require.Equal(t, 400, w.Code)
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			var p map[string]any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p), w.Body.String())
			require.Equal(t, "about:blank", p["type"])
			require.Equal(t, "Bad Request", p["title"], "what RFC 9457 asks for beside about:blank")
			require.EqualValues(t, 400, p["status"])
			require.Equal(t, "Idempotency-Key", p["header"])
			require.Equal(t, c.fault, p["fault"])
			require.Contains(t, p["detail"], c.says)
			require.NotContains(t, w.Body.String(), secret)
			for _, k := range c.keys {
				require.False(t, len(k) > 3 && strings.Contains(w.Body.String(), k), "the answer repeats what came")
			}
			require.Less(t, w.Body.Len(), 1000)
		})
	}
}

func TestRequireKey_Options(t *testing.T) {
	wrap, err := gateway.RequireKey(identity.Policy{}, nil, gateway.WithHeader("x-request-key"), gateway.WithProblemType("https://example.com/keys"))
	require.NoError(t, err)
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Idempotency-Key", "k")
	w := httptest.NewRecorder()
	wrap(service).ServeHTTP(w, r)
	require.Equal(t, 400, w.Code)
	require.Contains(t, w.Body.String(), `"type":"https://example.com/keys"`)
	require.Contains(t, w.Body.String(), `no X-Request-Key header`)
	require.Equal(t, `<https://example.com/keys>; rel="describedby"`, w.Header().Get("Link"))
	r.Header.Set("X-Request-Key", `"a\\b"`)
	w = httptest.NewRecorder()
	wrap(service).ServeHTTP(w, r)
	require.Equal(t, `true a\b`, w.Body.String())
}

func TestRequireKey_RefusesBadOptions(t *testing.T) {
	for says, opt := range map[string]gateway.KeyOption{
		`"A B" is no header name`: gateway.WithHeader("a b"),
		`"post" is no method`:     gateway.WithMethods("post"),
		"no method is named":      gateway.WithMethods(),
		"this is no URI":          gateway.WithProblemType("a\r\nSet-Cookie: x"),
	} {
		_, err := gateway.RequireKey(identity.Policy{Scheme: "md5"}, opt)
		require.ErrorContains(t, err, `no scheme "md5"`, "all that is wrong is said at once")
		if says == `"A B" is no header name` {
			says = "is no header name"
		}
		require.ErrorContains(t, err, says)
	}
}

// Whatever comes is answered: through with a key of the form, or 400 with JSON.
func FuzzRequireKey(f *testing.F) {
	for _, s := range []string{good, `"` + good + `"`, `"\`, "", "\x00", "a,b", `"a" `} {
		f.Add(s)
	}
	wrap, err := gateway.RequireKey(agreed)
	require.NoError(f, err)
	h := wrap(service)
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["Idempotency-Key"] = []string{value}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == 200 {
			k, ok := strings.CutPrefix(w.Body.String(), "true ")
			require.True(t, ok)
			_, err := agreed.Parse(k)
			require.NoError(t, err)
			return
		}
		require.Equal(t, 400, w.Code)
		require.True(t, json.Valid(w.Body.Bytes()))
	})
}

func ExampleRequireKey() {
	wrap, err := gateway.RequireKey(identity.Policy{Scheme: "sha256", Prefix: "acme_"})
	if err != nil {
		fmt.Println(err)
		return
	}
	charges := wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, _ := gateway.KeyOf(r.Context())
		fmt.Fprintln(w, "charged once under", key)
	}))
	for _, key := range []string{
		"acme_eaa2236d14ca0114fdf6ec964c013691087f53739a99270d8a72976381d63a7c",
		"Bearer-sk-12345",
	} {
		r := httptest.NewRequest(http.MethodPost, "/charges", nil)
		r.Header.Set("Idempotency-Key", key)
		w := httptest.NewRecorder()
		charges.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	// Output:
	// 200 charged once under acme_eaa2236d14ca0114fdf6ec964c013691087f53739a99270d8a72976381d63a7c
	// 400 {"type":"about:blank","title":"Bad Request","status":400,"detail":"The value of Idempotency-Key is no key of the agreed form. What is wrong: neither a prefix ending in _ with 64 hexadecimal digits, nor a UUID.","header":"Idempotency-Key","fault":"form"}
}
