package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	diffA = `{"model":"m","messages":[{"content":"a"},{"content":"hush"}],"temperature":0.70,"stop":"hush","n":1,"timestamp":1}`
	diffB = `{"timestamp":2,"temperature":8e-1,"seed":7,"n":1.0,"stop":"hush!","messages":[{"content":"a"},{"content":"hush!"}],"model":"m"}`
)

func TestDiff(t *testing.T) {
	b := file(t, "b.json", diffB)
	r := llmidem(diffA, "diff", "-", b)
	require.Equal(t, 1, r.status, r.err)
	require.Empty(t, r.err)
	require.NotContains(t, r.out, "hush")
	var pointers []string
	for line := range strings.Lines(r.out) {
		pointers = append(pointers, strings.Fields(line)[0])
	}
	require.Equal(t, []string{"/params/seed", "/params/stop", "/params/temperature", "/prompt/messages/1"}, pointers)
	require.Regexp(t, `(?m)^/params/temperature +0\.7 -> 0\.8$`, r.out)
	require.Regexp(t, `(?m)^/params/seed +nothing -> 7$`, r.out)
}

func TestDiffJSON(t *testing.T) {
	r := llmidem(diffB, "diff", "--json", file(t, "a.json", diffA), "-")
	require.Equal(t, 1, r.status, r.err)
	var rows []difference
	require.NoError(t, json.Unmarshal([]byte(r.out), &rows))
	require.Len(t, rows, 4)
	require.Equal(t, difference{Pointer: "/params/seed", B: "7"}, rows[0])
	require.Equal(t, difference{Pointer: "/params/temperature", A: "0.7", B: "0.8"}, rows[2])
}

func TestDiffOfEqualKeys(t *testing.T) {
	a, b := file(t, "a.json", diffA), file(t, "b.json", " "+strings.Replace(diffA, `"timestamp":1`, `"timestamp":2`, 1))
	require.Equal(t, result{0, "", ""}, llmidem("", "diff", a, b))
	require.Equal(t, result{0, "[]\n", ""}, llmidem("", "diff", "--json", a, b))
	require.Equal(t, 1, llmidem("", "diff", "--no-exclude", a, b).status)
}
