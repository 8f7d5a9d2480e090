package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	sdk "github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/stretchr/testify/require"
)

func TestVerifyBadUsage(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", apiKey)
	t.Setenv("LLMIDEM_TEST_SPLIT", "a\r\nX-Other: b")
	const base = "--base-url http://127.0.0.1:1 --model m "
	for _, c := range []struct{ args, want string }{
		{"", `required flag(s) "base-url", "model" not set`},
		{"--base-url http://h --model=", "--model is empty"},
		{base + "more", `unknown command "more" for "llmidem verify"`},
		{base + "--expect maybe", `no class "maybe": --expect is one of replay, reject, ignore`},
		{base + "--max-calls 0", "--max-calls is at least 1; the class takes 3"},
		{base + "--max-tokens 0", "--max-tokens is at least 1"},
		{base + "--timeout 0s", "--timeout is more than 0, as in 30s"},
		{base + "--provider acme", `no provider "acme": it is one of openai, azure, anthropic, gemini, vertex, bedrock, ollama, vllm, litellm, openrouter, portkey, cloudflare, gateway`},
		{base + "--key-header a:b", "--key-header is not the name of a header"},
		{base + "--key-header authorization", "--key-header authorization is a header with another meaning"},
		{base + "--header nonsense", "--header 1 is not of the form 'Name: value'"},
		{base + "--header authorization:" + apiKey, "--header Authorization: a command line is seen by every process of the machine; use --header-env 'Authorization=VARIABLE'"},
		{base + "--header idempotency-key:k", "--header Idempotency-Key cannot be set here"},
		{base + "--header Content-Length:3", "--header Content-Length cannot be set here"},
		{base + "--header-env X-Team", "--header-env 1 is not of the form 'Name=VARIABLE'"},
		{base + "--header-env Host=HOME", "--header-env 1 is not of the form 'Name=VARIABLE'"},
		{base + "--header-env Idempotency-Key=HOME", "--header-env 1 is not of the form 'Name=VARIABLE'"},
		{base + "--header-env X-Team=LLMIDEM_TEST_NOT_SET", `--header-env X-Team: there is no variable "LLMIDEM_TEST_NOT_SET", or it is empty`},
		{base + "--header-env X-Team=LLMIDEM_TEST_SPLIT", `--header-env X-Team: the value of "LLMIDEM_TEST_SPLIT" is no value of a header`},
		{base + "--api-key-env LLMIDEM_TEST_NOT_SET", `--api-key-env: there is no variable "LLMIDEM_TEST_NOT_SET", or it is empty`},
		{base + "--api-key-env OPENAI_API_KEY --header-env Authorization=OPENAI_API_KEY", "--api-key-env and --header-env Authorization are one header"},
		{"--model m --base-url h/v1", "--base-url is not of the form https://host/path"},
		{"--model m --base-url ftp://h/v1", "--base-url is not of the form https://host/path"},
		{"--model m --base-url http://:80", "--base-url is not of the form https://host/path"},
		{"--model m --base-url https://u:" + apiKey + "@h", "--base-url holds a credential; put that into a variable, and name it with --api-key-env or --header-env"},
		{"--model m --base-url https://h?key=" + apiKey, "--base-url holds a credential in its query; put that into a variable, and name it with --api-key-env or --header-env"},
		{"--model m --base-url https://h#v1", "--base-url has a fragment, which is never sent"},
	} {
		r := llmidem("", append([]string{"verify"}, strings.Fields(c.args)...)...)
		require.Equal(t, result{2, "", "llmidem: " + c.want + "\n"}, r, c.args)
	}
}

func TestVerifySendsHeadersAsTold(t *testing.T) {
	srv := serve(t, sdk.Keys{})
	t.Setenv("GATEWAY_KEY", "gateway-secret")
	t.Setenv("TEAM_TOKEN", "team-secret")
	r := verifyURL(t, srv.URL(), "--max-calls", "1", "--provider", "portkey", "--api-key-env", "GATEWAY_KEY",
		"--header", "x-route: eu", "--header", "X-Route: us", "--header-env", "x-team-token=TEAM_TOKEN", "--header-env", "authorization=OPENAI_API_KEY")
	require.Equal(t, statusMute, r.status)
	require.NotContains(t, r.out+r.err, "secret")
	require.NotContains(t, r.out+r.err, "eu")
	h := srv.Ledger().Requests[0].Header
	require.Equal(t, []string{"eu", "us"}, h.Values("X-Route"))
	require.Equal(t, []string{"team-secret"}, h.Values("X-Team-Token"))
	require.Equal(t, []string{apiKey}, h.Values("Authorization"))
	require.Equal(t, []string{"gateway-secret"}, h.Values("X-Portkey-Api-Key"))
	require.Equal(t, []string{"idempotency-key"}, h.Values("X-Portkey-Forward-Headers"))
	require.Regexp(t, "^idem_[0-9a-f]{64}$", h.Get("Idempotency-Key"))
	require.NotEmpty(t, h.Get("User-Agent"))
}

func TestVerifyWithoutACredential(t *testing.T) {
	srv := serve(t, sdk.Keys{})
	t.Setenv("OPENAI_API_KEY", "")
	r := llmidem("", "verify", "--base-url", srv.URL(), "--model", "m", "--max-calls", "3")
	require.Equal(t, 0, r.status)
	require.Contains(t, r.err, "with no credential")
	require.Empty(t, srv.Ledger().Requests[0].Header.Values("Authorization"))
}

func TestVerifyTakesTheQueryOfTheBaseAndDoesNotShowIt(t *testing.T) {
	srv := serve(t, sdk.Keys{})
	r := verifyURL(t, srv.URL()+"?tenant=t-17", "--max-calls", "3")
	require.Equal(t, 0, r.status, r.err)
	require.NotContains(t, r.out+r.err, "t-17")
	require.Equal(t, "tenant=t-17", srv.Ledger().Requests[0].Query)
}

func TestVerifyAsksBeforeItCosts(t *testing.T) {
	for answer, ok := range map[string]bool{"y\n": true, "Yes \n": true, "y": true, "\n": false, "": false, "no\n": false, "yep\n": false} {
		var out bytes.Buffer
		err := confirm(strings.NewReader(answer), &out)
		require.Equal(t, ok, err == nil, answer)
		require.Equal(t, "Go on? [y/N] ", out.String())
	}
	require.EqualError(t, confirm(broken{}, &bytes.Buffer{}), "standard input: the pipe broke")
	require.NoError(t, agree(strings.NewReader(""), os.Stderr), "nobody is there to be asked")
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close()
	require.False(t, terminal(null))
}

func TestVerifyBrokenPipe(t *testing.T) {
	srv := serve(t, sdk.Keys{}, llmtest.Sampled())
	for _, format := range []string{"--json", "--yes"} {
		var err bytes.Buffer
		args := []string{"verify", "--base-url", srv.URL(), "--model", "m", "--max-calls", "3", format}
		require.Equal(t, 2, run(args, strings.NewReader(""), broken{}, &err))
		require.Contains(t, err.String(), "llmidem: standard output: the disk is full\n")
	}
}

func TestVerifyStatuses(t *testing.T) {
	require.Equal(t, []int{0, 1, 1, 2, 3}, []int{statusOf(nil), statusOf(errDiffer), statusOf(errUnmet), statusOf(errors.New("x")), statusOf(&unasked{"x"})})
}

func TestVerifyCode(t *testing.T) {
	for _, c := range []struct{ provider, base, class, want string }{
		{"", "https://api.openai.com/v1", classIgnore, `p := providers.OpenAI()`},
		{"", "https://Gw_1.example.com/v1", classIgnore, `p := providers.Gateway("gw_1.example.com", llmidem.Keys{})`},
		{"", "http://[::1]:80/v1", classReject, `p := providers.Gateway("--1", llmidem.Keys{Class: llmidem.Reject})`},
		{"anthropic", "https://gw/", classReject, "p := providers.Anthropic()\np.Keys = llmidem.Keys{Class: llmidem.Reject}"},
		{"", "http://localhost:11434/v1", classIgnore, `p, _ := providers.Detect("http://localhost:11434/v1")`},
		{"", "https://gateway.ai.cloudflare.com/v1/a/g/anthropic", classIgnore, `p, _ := providers.Detect("https://gateway.ai.cloudflare.com/v1/a/g/anthropic")`},
		{"", "https://gw", unknown, ""},
	} {
		f := verifyFlags{baseURL: c.base, model: "m", provider: c.provider, maxCalls: 1, maxTokens: 1, timeout: 1}
		p, _, err := f.prober(nil)
		require.NoError(t, err)
		s := session{prober: p, form: formIdem, class: finding{c.class, proved, ""}}
		require.Equal(t, c.want, s.code())
	}
}
