package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// result is what a run of the command left.
type result struct {
	status   int
	out, err string
}

// llmidem runs the command.
func llmidem(stdin string, args ...string) result {
	var out, err bytes.Buffer
	status := run(args, strings.NewReader(stdin), &out, &err)
	return result{status, out.String(), err.String()}
}

// vector is a call of the specification's test vectors with what it must give.
type vector struct {
	Name, Profile, Route string
	Body                 json.RawMessage
	Want                 json.RawMessage
	line                 string
}

func (v *vector) body(t testing.TB) (text string) {
	require.NoError(t, json.Unmarshal(v.Body, &text))
	return text
}

// want returns the vector's answer.
func (v *vector) want(t testing.TB) (a answer) {
	require.NoError(t, json.Unmarshal(v.Want, &a))
	return a
}

func loadVectors(t testing.TB) (list []vector) {
	b, err := os.ReadFile("../../llmidem/identity/testdata/vectors.json")
	require.NoError(t, err)
	var raw []json.RawMessage
	require.NoError(t, json.Unmarshal(b, &raw))
	require.Len(t, raw, 133)
	for _, r := range raw {
		var v vector
		require.NoError(t, json.Unmarshal(r, &v))
		var line bytes.Buffer
		require.NoError(t, json.Compact(&line, r))
		v.line = line.String()
		list = append(list, v)
	}
	return list
}

// vectorNamed returns one vector.
func vectorNamed(t testing.TB, name string) vector {
	for _, v := range loadVectors(t) {
		if v.Name == name {
			return v
		}
	}
	require.Fail(t, "no vector "+name)
	return vector{}
}

// file writes a file and returns its path.
func file(t testing.TB, name, text string) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
