package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const explainBody = `{"model":"gpt-4o","user":"u-1","request_id":"r","temperature":0.70,"stop":"hush","messages":[
 {"role":"system","content":"hush"},
 {"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,MQ=="}}]}]}`

func TestExplain(t *testing.T) {
	args := []string{"explain", "--scope", "run-1", "--occurrence", "2", "--header", "OpenAI-Project: p"}
	r := llmidem(explainBody, args...)
	require.Equal(t, 0, r.status, r.err)
	key := strings.TrimSpace(llmidem(explainBody, append([]string{"key"}, args[1:]...)...).out)
	var rows []string
	for line := range strings.Lines(r.out) {
		rows = append(rows, strings.Join(strings.Fields(line), " "))
	}
	require.Equal(t, []string{
		"key " + key, "operation chat", "model gpt-4o", "user u-1 (from /user)", "scope run-1", "occurrence 2", "header openai-project p",
		"member /params/stop 6 bytes sha256:60c7ec0f22d2ac6f64604d99dcd5c94faaf47ab0ec0d1228c0f15ed5efcb9521", "member /params/temperature 0.7",
	}, rows[:9])
}

func TestExplainHasNoText(t *testing.T) {
	for _, args := range [][]string{{"explain"}, {"explain", "--json"}} {
		r := llmidem(explainBody, args...)
		require.Equal(t, 0, r.status, r.err)
		require.NotContains(t, r.out, "hush")
		require.NotContains(t, r.out, "MQ==")
	}
}

func TestExplainJSON(t *testing.T) {
	args := []string{"--scheme", "uuid5"}
	r := llmidem(explainBody, append([]string{"explain", "--json"}, args...)...)
	require.Equal(t, 0, r.status, r.err)
	var e explainedCall
	require.NoError(t, json.Unmarshal([]byte(r.out), &e))
	require.Equal(t, llmidem(explainBody, append([]string{"key"}, args...)...).out, e.Key+"\n")
	require.Equal(t, "chat", e.Operation)
	require.Equal(t, "gpt-4o", e.Model)
	require.Equal(t, "u-1", e.User)
	require.Equal(t, "/user", e.UserFrom)
	require.Equal(t, []string{"/request_id"}, e.Excluded)
	require.Equal(t, []explainedAttachment{{
		Pointer: "/messages/1/content/0/image_url/url", Encoding: "data-uri", MediaType: "image/png", Size: 1,
		Digest: "sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
	}}, e.Attachments)
	var pointers []string
	for _, m := range e.Members {
		pointers = append(pointers, m.Pointer)
	}
	require.Subset(t, pointers, []string{"/params/stop", "/params/temperature", "/prompt", "/prompt/messages/0", "/prompt/messages/1"})
}

func TestExplainJSONHasListsNotNull(t *testing.T) {
	r := llmidem(`{"model":"m"}`, "explain", "--json")
	require.Equal(t, 0, r.status, r.err)
	require.NotContains(t, r.out, "null")
}

func TestExplainQuotesWhatATerminalWouldObey(t *testing.T) {
	r := llmidem(`{"model":"\u001b[2J","a\nb":1}`, "explain", "--user", "x\ny")
	require.Equal(t, 0, r.status, r.err)
	require.NotContains(t, r.out, "\x1b")
	require.Contains(t, r.out, `"x\ny"`)
	require.Contains(t, r.out, `"/params/a\nb"`)
}
