package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// apiKey is the credential of the tests; no output may hold it.
const apiKey = "sk-test-0123456789abcdef"

// verifyURL runs the command as a user does, over the network.
func verifyURL(t *testing.T, url string, args ...string) result {
	t.Helper()
	t.Setenv("OPENAI_API_KEY", apiKey)
	return hush(t, llmidem("", append([]string{"verify", "--base-url", url, "--model", "m"}, args...)...))
}

// verifyOver runs the probes over a transport in memory, for bubbles of synctest:
// there are no signals in it.
func verifyOver(ctx context.Context, t *testing.T, rt http.RoundTripper, args ...string) result {
	t.Helper()
	var f verifyFlags
	var out, errs bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	f.add(cmd)
	require.NoError(t, cmd.ParseFlags(append([]string{"--base-url", llmtest.MemoryURL, "--model", "m"}, args...)))
	p, _, err := f.prober(rt)
	require.NoError(t, err)
	if err = verify(ctx, cmd, &f, p); err != nil {
		errs.WriteString(err.Error() + "\n")
	}
	return hush(t, result{statusOf(err), out.String(), errs.String()})
}

// hush fails the test if a credential, a key or a prompt was written.
func hush(t *testing.T, r result) result {
	t.Helper()
	for _, text := range []string{apiKey, "Bearer", "Invent one word", "Answer to"} {
		require.NotContains(t, r.out+r.err, text)
	}
	require.NotRegexp(t, `[0-9a-f]{16}`, r.out+r.err, "a key, or a part of one")
	return r
}

// reported reads what --json wrote.
func reported(t *testing.T, r result) (rep report) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(r.out))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&rep), r.err)
	return rep
}

// results are the results of the probes, in order, with their degree where they are
// not proved.
func (r report) results() (list []string) {
	for _, p := range r.Probes {
		text := p.Probe + ": " + p.Result
		if p.Degree != proved {
			text += " (" + string(p.Degree) + ")"
		}
		list = append(list, text)
	}
	return list
}

// golden is a table without the widths of its columns.
func golden(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		var cells []string
		for _, c := range strings.Split(strings.TrimSpace(line), "  ") {
			if c = strings.TrimSpace(c); c != "" {
				cells = append(cells, c)
			}
		}
		b.WriteString(strings.Join(cells, " | ") + "\n")
	}
	return b.String()
}
