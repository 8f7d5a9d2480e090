package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfigCheck(t *testing.T) {
	good := file(t, "llmidem.yaml", "cache_ttl: 10m\nscheme: hmac\nscheme_secret: env:LLMIDEM_TEST_NOT_SET\n")
	require.Equal(t, result{0, "3 settings, nothing wrong\n", ""}, llmidem("", "config", "check", good))
	require.Equal(t, result{0, "0 settings, nothing wrong\n", ""}, llmidem("", "config", "check"))
	t.Setenv("LLMIDEM_RECALL", "off")
	require.Equal(t, result{0, "4 settings, nothing wrong\n", ""}, llmidem("", "config", "check", good))

	t.Setenv("LLMIDEM_RECALL", "of")
	bad := file(t, "llmidem.json", "{\n\t\"cache_tll\": \"10m\",\n\t\"scheme_secret\": \"hunter2\"\n}\n")
	want := bad + ":2:2: there is no setting cache_tll; did you mean cache_ttl?\n" +
		bad + ":3:19: scheme_secret is set, and belongs to the scheme hmac; set scheme to hmac, or leave it out\n" +
		bad + ":3:19: scheme_secret is no reference; write env:NAME or file:PATH; the secret itself does not belong here\n" +
		"LLMIDEM_RECALL: is none of its values; write always, undelivered or off\n"
	for _, command := range []string{"check", "print"} {
		require.Equal(t, result{2, "", want}, llmidem("", "config", command, bad))
	}
	require.Equal(t, result{2, "", "LLMIDEM_RECALL: is none of its values; write always, undelivered or off\n"}, llmidem("", "config", "check"))
}

func TestConfigPrint(t *testing.T) {
	t.Setenv("LLMIDEM_RETRY_MAX_ATTEMPTS", "3")
	path := file(t, "llmidem.yaml", "cache_ttl: 10m\ntenant: \"a\\tb\"\nstore: file:url\n")
	r := llmidem("", "config", "print", path)
	require.Equal(t, 0, r.status, r.err)
	require.Empty(t, r.err)
	for _, row := range [][]string{
		{"cache_ttl", "10m", path + ":1:12"},
		{"tenant", `"a\tb"`, path + ":2:9"},
		{"store", "file:" + filepath.Join(filepath.Dir(path), "url"), path + ":3:8"},
		{"retry.max_attempts", "3", "LLMIDEM_RETRY_MAX_ATTEMPTS"},
		{"retry.budget", "100", "default"},
		{"scheme_secret", "-", "default"},
		{"header_name", "Idempotency-Key", "default", "(unless the provider names another)"},
		{"excluded_fields", "[timestamp, trace_id, request_id, retry_count]", "default", "(unless the provider's rules name others)"},
	} {
		found := false
		for line := range strings.Lines(r.out) {
			found = found || strings.Join(strings.Fields(line), " ") == strings.Join(row, " ")
		}
		require.True(t, found, "%v in\n%s", row, r.out)
	}

	r = llmidem("", "config", "print", "--json", path)
	require.Equal(t, 0, r.status, r.err)
	var list []shownSetting
	require.NoError(t, json.Unmarshal([]byte(r.out), &list))
	require.Contains(t, list, shownSetting{"cache_ttl", "10m", path + ":1:12", ""})
	require.Contains(t, list, shownSetting{"tenant", "a\tb", path + ":2:9", ""})
	require.Contains(t, list, shownSetting{"max_body", "128MiB", "default", ""})
	require.Equal(t, "header_name", list[0].Name)
}

func TestConfigUsage(t *testing.T) {
	for args, want := range map[string]string{
		"config check /no/such/file":  "llmidem: /no/such/file: no such file or directory\n",
		"config check a b":            "llmidem: accepts at most 1 arg(s), received 2\n",
		"config print --yaml":         "llmidem: unknown flag: --yaml\n",
		"config frobnicate":           "llmidem: unknown command \"frobnicate\" for \"llmidem config\"\n",
		"config check " + t.TempDir(): "this is no file\n",
	} {
		r := llmidem("", strings.Fields(args)...)
		require.Equal(t, 2, r.status, args)
		require.True(t, strings.HasSuffix(r.err, want), r.err)
		require.Equal(t, 1, strings.Count(r.err, "\n"))
	}
	require.Equal(t, result{2, "", "llmidem: the name of the file is empty; leave it out for the variables alone\n"}, llmidem("", "config", "check", ""))
	for _, args := range [][]string{{"config"}, {"config", "check", "--help"}, {"config", "print", "--help"}} {
		r := llmidem("", args...)
		require.Equal(t, 0, r.status)
		require.Contains(t, r.out, "Usage:")
	}
	for _, args := range [][]string{{"config", "check"}, {"config", "print"}, {"config", "print", "--json"}} {
		var err bytes.Buffer
		require.Equal(t, 2, run(args, strings.NewReader(""), broken{}, &err))
		require.Equal(t, "llmidem: standard output: the disk is full\n", err.String())
	}
}
