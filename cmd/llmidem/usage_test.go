package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// broken takes and gives nothing.
type broken struct{}

func (broken) Read([]byte) (int, error)  { return 0, errors.New("the pipe broke") }
func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestHelpAndVersion(t *testing.T) {
	r := llmidem("", "--version")
	require.Equal(t, 0, r.status)
	require.Regexp(t, `^llmidem version \S+.*\n$`, r.out)
	for _, args := range [][]string{{}, {"--help"}} {
		r = llmidem("", args...)
		require.Equal(t, 0, r.status)
		for _, name := range []string{"key", "explain", "diff", "verify", "config", "audit"} {
			require.Contains(t, r.out, "\n  "+name)
		}
		require.Empty(t, r.err)
	}
	for _, name := range []string{"key", "explain", "diff", "verify"} {
		r = llmidem("", name, "--help")
		require.Equal(t, 0, r.status)
		require.Contains(t, r.out, "Examples:\n  llmidem "+name)
	}
}

func TestBadUsageIsOneLineAndStatus2(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"frobnicate", `unknown command "frobnicate" for "llmidem"`},
		{"key --nonsense", "unknown flag: --nonsense"},
		{"key a b", "accepts at most 1 arg(s), received 2"},
		{"diff a", "accepts 2 arg(s), received 1"},
		{"diff - -", "only one of the two can be standard input"},
		{"explain a b", "accepts at most 1 arg(s), received 2"},
		{"key --provider acme", `no provider "acme": it is one of openai, anthropic, gemini, ollama`},
		{"key --provider gemini", "--provider gemini needs --route: its paths name the model, as in /v1beta/models/MODEL:generateContent"},
		{"key --header nonsense", "--header 1 is not of the form 'Name: value'"},
		{"key --exclude a --no-exclude", "if any flags in the group [exclude no-exclude] are set none of the others can be; [exclude no-exclude] were all set"},
		{"key --scheme md5", `no scheme "md5": it is one of sha256, uuid5, hmac`},
		{"key --scheme hmac", "--scheme hmac needs --secret-file or --secret-env"},
		{"key --scheme hmac --secret-env LLMIDEM_TEST_NOT_SET", `--secret-env: there is no variable "LLMIDEM_TEST_NOT_SET"`},
		{"key --scheme hmac --secret-file /no/such/secret", "/no/such/secret: no such file or directory"},
		{"key --secret-env X", "--secret-env is for --scheme hmac"},
		{"key --namespace x", "--namespace is for --scheme uuid5"},
		{"key --scheme uuid5 --namespace x", "--namespace is not a UUID"},
		{"key --scheme uuid5 --prefix x_", "--prefix is for --scheme sha256 and hmac: a UUID has none"},
		{"key --prefix X", `identity: the key prefix "X" does not match [a-z0-9]+_`},
		{"key --calls --user u", "--user does not go with --calls: every line says it for itself"},
		{"key /no/such/body", "/no/such/body: no such file or directory"},
		{"key --calls /no/such/calls", "/no/such/calls: no such file or directory"},
	} {
		r := llmidem(`{"model":"m"}`, strings.Fields(c.args)...)
		require.Equal(t, result{2, "", "llmidem: " + c.want + "\n"}, r, c.args)
	}
	r := llmidem("", "key", "--header", "X-Key: secret\r\nother")
	require.Equal(t, result{2, "", "llmidem: --header X-Key: a value is one line\n"}, r)
	r = llmidem("", "key", "no\nsuch\nfile")
	require.Equal(t, 2, r.status)
	require.Equal(t, 1, strings.Count(r.err, "\n"))
}

func TestBrokenPipes(t *testing.T) {
	body := file(t, "a.json", `{"model":"m"}`)
	other := file(t, "b.json", `{"model":"n"}`)
	call := file(t, "calls", `{"profile":"payload","body":"1"}`)
	for _, args := range [][]string{
		{"key", body}, {"key", "--calls", call}, {"explain", body}, {"explain", "--json", body}, {"diff", body, other}, {"diff", "--json", body, other},
	} {
		var err bytes.Buffer
		require.Equal(t, 2, run(args, strings.NewReader(""), broken{}, &err), args)
		require.Equal(t, "llmidem: standard output: the disk is full\n", err.String(), args)
	}
	for _, args := range [][]string{{"key"}, {"key", "--calls"}, {"explain"}, {"diff", "-", body}} {
		var out, err bytes.Buffer
		require.Equal(t, 2, run(args, broken{}, &out, &err), args)
		require.Equal(t, "llmidem: standard input: the pipe broke\n", err.String(), args)
	}
}

func TestBadBodyNamesFileOffsetAndReason(t *testing.T) {
	for _, c := range []struct {
		body, want string
		args       []string
	}{
		{`{"model":"m","model":"n"}`, "byte 21: duplicate_member: ", nil},
		{`{"model":"m",}`, "byte 13: invalid_json: ", nil},
		{"{\"model\":\"m\",\"x\":\"\xff\"}", "byte 18: invalid_utf8: ", nil},
		{`{"messages":[]}`, "no_model: ", nil},
		{`{"model":"m"}`, "no_such_route: ", []string{"--route", "/v1/files"}},
		{`{"model":"m"}`, "bad_exclusion: ", []string{"--exclude", "messages"}},
		{`{"model":"m"}`, "bad_exclusion: ", []string{"--exclude", "a", "--exclude", ""}},
		{`{"model":"m"}`, "bad_occurrence: ", []string{"--occurrence", "9223372036854775808"}},
	} {
		for _, command := range []string{"key", "explain"} {
			r := llmidem(c.body, append([]string{command}, c.args...)...)
			require.Equal(t, 2, r.status, c.body)
			require.Empty(t, r.out)
			require.Truef(t, strings.HasPrefix(r.err, "llmidem: standard input: "+c.want), "%s: %s", c.body, r.err)
			require.Equal(t, 1, strings.Count(r.err, "\n"))
		}
		path := file(t, "body.json", c.body)
		r := llmidem(`{"model":"m"}`, append([]string{"diff", "-", path}, c.args...)...)
		require.Equal(t, 2, r.status, c.body)
		if len(c.args) == 0 {
			require.Truef(t, strings.HasPrefix(r.err, "llmidem: "+path+": "+c.want), "%s: %s", c.body, r.err)
		}
	}
}

func TestErrorsHoldNoText(t *testing.T) {
	for _, args := range [][]string{{"key"}, {"explain"}, {"key", "--calls"}} {
		r := llmidem(`{"model":"m","messages":[{"content":"hush hush" hush}]}`, args...)
		require.Equal(t, 2, r.status)
		require.NotContains(t, r.err, "hush")
	}
}
