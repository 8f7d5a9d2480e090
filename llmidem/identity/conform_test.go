package identity_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/identity"
	"github.com/stretchr/testify/require"
)

// keyOf returns the key of a chat body, or the code of its refusal.
func keyOf(t testing.TB, body string) string {
	return keyFor(t, identity.OpenAI(), chatRequest(body), identity.Call{})
}

func keyFor(t testing.TB, r *identity.Rules, req identity.Request, c identity.Call) string {
	k, err := r.Key(req, c, identity.Scheme{})
	if err != nil {
		require.IsType(t, &identity.Refusal{}, err)
		return string(err.(*identity.Refusal).Code)
	}
	return k.String()
}

// distinct checks that all bodies have keys, and no two of them one.
func distinct(t *testing.T, bodies ...string) {
	t.Helper()
	seen := map[string]string{}
	for _, b := range bodies {
		k := keyOf(t, b)
		require.True(t, strings.HasPrefix(k, "idem_"), "%s: %s", k, b)
		require.NotContains(t, seen, k, "%s and %s", b, seen[k])
		seen[k] = b
	}
}

// message returns a chat body whose message has this content, a JSON value.
func message(content string) string {
	return `{"model":"m","messages":[{"role":"user","content":` + content + `}]}`
}

func TestK1_MembersShuffledAtEveryDepth(t *testing.T) {
	want := keyOf(t, `{"messages":[{"a":{"x":1,"y":{"p":[{"k":1,"l":2}],"q":2}},"b":2}],"model":"m","tools":[{"b":1,"a":{"d":1,"c":2}}]}`)
	require.Equal(t, want, keyOf(t, `{"tools":[{"a":{"c":2,"d":1},"b":1}],"model":"m","messages":[{"b":2,"a":{"y":{"q":2,"p":[{"l":2,"k":1}]},"x":1}}]}`))
	require.Equal(t, want, keyOf(t, "{ \"model\" : \"m\" ,\n\t\"messages\":[ { \"b\" : 2 , \"a\":{\"x\":1,\"y\":{\"q\":2,\"p\":[{\"l\":2,\"k\":1}]}} } ] ,\r\n\"tools\":[{\"b\":1,\"a\":{\"d\":1,\"c\":2}}]} "))
}

func TestK2_NamesThatDifferOnlyByCase(t *testing.T) {
	distinct(t,
		`{"model":"m","messages":[{"a":1,"A":2}]}`, `{"model":"m","messages":[{"a":2,"A":1}]}`,
		`{"model":"m","messages":[],"User":"u"}`, `{"model":"m","messages":[],"user":"u"}`,
		`{"model":"m","messages":[],"Messages":[]}`)
	require.Equal(t, "no_model", keyOf(t, `{"Model":"m","messages":[]}`))
}

func TestK3_ArrayOrder(t *testing.T) {
	distinct(t, message(`["a","b"]`), message(`["b","a"]`), message(`[["a"],"b"]`), message(`["a",["b"]]`), message(`["ab"]`))
}

func TestK4_NullAbsentEmpty(t *testing.T) {
	distinct(t, message(`null`), message(`""`), message(`[]`), message(`{}`), message(`[null]`), message(`[""]`),
		`{"model":"m","messages":[{"role":"user"}]}`, `{"model":"m","messages":null}`, `{"model":"m"}`,
		`{"model":"m","messages":[]}`, `{"model":"m","messages":[],"stop":null}`, `{"model":"m","messages":[],"stop":""}`)
}

func TestK5_Numbers(t *testing.T) {
	require.Equal(t, keyOf(t, message(`1`)), keyOf(t, message(`1.0`)))
	require.Equal(t, keyOf(t, message(`1`)), keyOf(t, message(`10e-1`)))
	require.Equal(t, keyOf(t, message(`0`)), keyOf(t, message(`-0`)))
	distinct(t, message(`1`), message(`"1"`), message(`true`), message(`[1]`),
		message(`9007199254740992`), message(`9007199254740993`), message(`9007199254740994`),
		message(`18446744073709551615`), message(`18446744073709551616`))
	for _, bad := range []string{`NaN`, `Infinity`, `-Infinity`, `01`, `+1`, `1.`, `.5`, `1e`, `0x1`, `--1`, `1_000`, `-`, `٣`} {
		require.Equal(t, "invalid_json", keyOf(t, message(bad)), bad)
	}
	require.Equal(t, "number_overflow", keyOf(t, message(`1e400`)))
	require.Equal(t, "number_overflow", keyOf(t, message(`-1e309`)))
	require.Equal(t, keyOf(t, message(`0`)), keyOf(t, message(`1e-400`)))
}

func TestK6_Text(t *testing.T) {
	distinct(t, message(`"e\u0301"`), message(`"\u00e9"`), message(`"\u0000"`), message(`"\\u0000"`), message(`""`), message(`"😀"`))
	require.Equal(t, keyOf(t, message(`"é"`)), keyOf(t, message(`"\u00E9"`)))
	require.Equal(t, keyOf(t, message(`"😀"`)), keyOf(t, message(`"\ud83d\ude00"`)))
	for _, bad := range []string{`"\ud83d"`, `"\ude00"`, `"\ude00\ud83d"`, `"\ud83dx"`, `"\ud83d\n"`, `"\ud83d\u0041"`} {
		require.Equal(t, "lone_surrogate", keyOf(t, message(bad)), bad)
	}
	long := strings.Repeat("文", 40)
	for _, bad := range []string{"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", long + "\xe2\x82" + long, long + "\x80"} {
		require.Equal(t, "invalid_utf8", keyOf(t, message(`"`+bad+`"`)), "%q", bad)
		require.Equal(t, "invalid_utf8", keyOf(t, `{"model":"m","messages":[{"`+bad+`":1}]}`), "%q", bad)
	}
	require.Equal(t, "invalid_json", keyOf(t, message("\"a\x00b\"")))
	require.Equal(t, "invalid_json", keyOf(t, message("\"a\nb\"")))
	require.Equal(t, "invalid_utf8", keyFor(t, identity.OpenAI(), chatRequest(message(`1`)), identity.Call{Scope: "\xff"}))
	require.Equal(t, "invalid_utf8", keyFor(t, identity.OpenAI(), chatRequest(message(`1`)), identity.Call{User: "\xed\xa0\x80"}))
}

func TestK7_EmptyPayloads(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range []string{`0`, `false`, `""`, `[]`, `{}`, `null`} {
		d, err := identity.Function("f", []byte(p), identity.Call{})
		require.NoError(t, err)
		require.False(t, seen[string(d.Canonical())])
		seen[string(d.Canonical())] = true
		b, err := identity.Payload([]byte(p))
		require.NoError(t, err)
		require.Equal(t, p, string(b.Canonical()))
	}
	for _, p := range []string{``, ` `, `,`, `[`, `"`} {
		_, err := identity.Payload([]byte(p))
		require.ErrorContains(t, err, "invalid_json")
	}
}

func TestK9_ForeignKey(t *testing.T) {
	for _, good := range []string{"a", "order-17/2", strings.Repeat("x", 255), "~!#$%&()*+-./:;<=>?@[]^_{|}"} {
		k, err := identity.Foreign(good)
		require.NoError(t, err)
		require.Equal(t, good, k.String())
		require.Equal(t, good, k.LogString())
	}
	for bad, want := range map[string]identity.KeyError{
		"": {Fault: identity.FaultLength, Offset: -1}, strings.Repeat("x", 256): {Fault: identity.FaultLength, Offset: -1},
		" ": {Fault: identity.FaultAlphabet}, "a b": {Fault: identity.FaultAlphabet, Offset: 1}, "a\r\nb": {Fault: identity.FaultAlphabet, Offset: 1},
		"ä": {Fault: identity.FaultAlphabet}, `a"`: {Fault: identity.FaultAlphabet, Offset: 1}, "a,b": {Fault: identity.FaultAlphabet, Offset: 1},
		"it's": {Fault: identity.FaultAlphabet, Offset: 2}, "a\x7f": {Fault: identity.FaultAlphabet, Offset: 1}, "\x00": {Fault: identity.FaultAlphabet},
	} {
		_, err := identity.Foreign(bad)
		var e *identity.KeyError
		require.ErrorAs(t, err, &e, "%q", bad)
		require.Equal(t, want.Fault, e.Fault, "%q", bad)
		require.Equal(t, want.Offset, e.Offset, "%q", bad)
	}
}

func TestK13_Attachments(t *testing.T) {
	uri := func(b string) string {
		return `"data:image/png;base64,` + base64.StdEncoding.EncodeToString([]byte(b)) + `"`
	}
	distinct(t,
		message(`[`+uri("one")+`,`+uri("two")+`]`), message(`[`+uri("two")+`,`+uri("one")+`]`),
		message(`[`+uri("onetwo")+`,`+uri("")+`]`), message(`[`+uri("on")+`,`+uri("etwo")+`]`), message(`[`+uri("onetwo")+`]`),
		message(`{"a":`+uri("one")+`}`), message(`{"b":`+uri("one")+`}`), message(`{"a":`+uri("one")+`,"b":`+uri("one")+`}`), message(`""`))
	file := func(name, content string) part {
		return part{Name: name, Filename: new(string), Base64: base64.StdEncoding.EncodeToString([]byte(content))}
	}
	seen := map[string]bool{}
	for _, parts := range [][]part{
		{file("a", "one"), file("a", "two")}, {file("a", "two"), file("a", "one")}, {file("a", "one"), file("b", "two")},
		{file("a", "one"), file("b", "one")}, {file("a", "onetwo")}, {file("a", "one"), file("a", "one")},
	} {
		kind, body := form(t, append(parts, part{Name: "model", Text: "m"}))
		req := identity.Request{Path: "/v1/images/edits", Header: http.Header{"content-type": {kind}}, Body: body}
		k := keyFor(t, identity.OpenAI(), req, identity.Call{})
		require.Contains(t, k, "idem_")
		require.False(t, seen[k])
		seen[k] = true
	}
}

func TestK17_TheKeyIsNoPartOfItsDocument(t *testing.T) {
	r := identity.OpenAI()
	r.Headers = append(r.Headers, "x-*", "idempotency-*", "*")
	r.Delivery = []string{"x-delivery-*", "x-attempt"}
	req := chatRequest(message(`1`))
	want := keyFor(t, r, req, identity.Call{})
	for _, h := range []string{"Idempotency-Key", "idempotency-key", "X-Idempotency-Key", "Authorization", "X-Delivery-Id", "X-Attempt", "Cookie", "Traceparent", "X-Api-Key"} {
		req.Header = http.Header{h: {"1"}}
		require.Equal(t, want, keyFor(t, r, req, identity.Call{}), h)
	}
	req.Header = http.Header{"X-Route": {"1"}}
	require.NotEqual(t, want, keyFor(t, r, req, identity.Call{}))
	r.Headers = []string{"idempotency-key"}
	require.ErrorContains(t, r.Validate(nil), "idempotency-key")
}

func TestK18_FunctionsAndImitations(t *testing.T) {
	chat, err := identity.OpenAI().Identify(chatRequest(message(`"x"`)), identity.Call{})
	require.NoError(t, err)
	a, err := identity.Function("a", chat.Canonical(), identity.Call{})
	require.NoError(t, err)
	b, err := identity.Function("b", chat.Canonical(), identity.Call{})
	require.NoError(t, err)
	bare, err := identity.Payload(chat.Canonical())
	require.NoError(t, err)
	require.NotEqual(t, a.Canonical(), b.Canonical())
	require.NotEqual(t, a.Canonical(), chat.Canonical())
	require.Equal(t, chat.Canonical(), bare.Canonical(), "which is why no record is kept under a bare document")
	require.True(t, bare.Bare())
	require.False(t, chat.Bare())
}

func TestK19_HeadersThatChangeTheAnswer(t *testing.T) {
	r := identity.OpenAI()
	r.Headers = append(r.Headers, "x-route-*")
	key := func(h http.Header) string {
		req := chatRequest(message(`1`))
		req.Header = h
		return keyFor(t, r, req, identity.Call{})
	}
	want := key(http.Header{"Openai-Beta": {"a,b"}})
	for _, h := range []http.Header{
		{"Openai-Beta": {" a ,\tb "}}, {"Openai-Beta": {"a", "b"}}, {"Openai-Beta": {"a,", ",b", ""}}, {"OpenAI-Beta": {"a,b"}},
		{"openai-beta": {"a,b"}}, {"Openai-Beta": {"a"}, "openai-beta": {"b"}}, {"Openai-Beta": {"a,b"}, "Accept": {"x"}}, {"Openai-Beta": {"a,b"}, "X-Route-": {" "}},
	} {
		require.Equal(t, want, key(h), h)
	}
	for _, h := range []http.Header{
		{}, {"Openai-Beta": {"b,a"}}, {"Openai-Beta": {"a b"}}, {"Openai-Project": {"a,b"}}, {"Openai-Beta": {"a,b"}, "X-Route-Model": {"m"}},
	} {
		require.NotEqual(t, want, key(h), h)
	}
	require.Equal(t, "invalid_utf8", key(http.Header{"Openai-Beta": {"\xff"}}))
	require.Equal(t, want, key(http.Header{"Openai-Beta": {"a,b"}, "Accept": {"\xff"}}))
}

func TestRequestMemoryIsNotKept(t *testing.T) {
	body := []byte(`{"model":"gpt","user":"u-1","temperature":0.7,"messages":[{"role":"user","content":"x"}]}`)
	d, err := identity.OpenAI().Identify(identity.Request{Path: "/v1/chat/completions", Body: body}, identity.Call{Detail: true})
	require.NoError(t, err)
	canonical, shown := string(d.Canonical()), fmt.Sprint(d.Explain())
	copy(body, bytes.Repeat([]byte{'!'}, len(body)))
	for range 100 { // reuse of scratch memory
		keyOf(t, message(`"other"`))
	}
	require.Equal(t, canonical, string(d.Canonical()))
	require.Equal(t, shown, fmt.Sprint(d.Explain()))
	require.Equal(t, "gpt u-1 0.7", fmt.Sprint(d.Model(), " ", d.User(), " ", string(d.Param("temperature"))))
	require.Nil(t, d.Param("messages"))
	require.Nil(t, d.Param("model"))
	require.Nil(t, d.Param("temp"))
}
