package sdks

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxLines is how long a program may be.
const maxLines = 150

// folders are the folders that hold a program.
func folders(t *testing.T) []string {
	t.Helper()
	mains, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	require.NotEmpty(t, mains)
	var out []string
	for _, m := range mains {
		out = append(out, filepath.Dir(m))
	}
	return out
}

// TestOutput runs every program as a reader would and compares what it prints.
func TestOutput(t *testing.T) {
	for _, dir := range folders(t) {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(filepath.Join(dir, "output.txt"))
			require.NoError(t, err)
			cmd := exec.Command("go", "run", "./"+dir)
			cmd.Env = offline(os.Environ())
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			require.NoError(t, cmd.Run(), stderr.String())
			require.Equal(t, string(want), stdout.String())
		})
	}
}

// offline is an environment that tells the SDKs of no real service.
func offline(env []string) []string {
	var out []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		switch vendor, _, _ := strings.Cut(name, "_"); vendor {
		case "OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE":
		default:
			out = append(out, kv)
		}
	}
	return out
}

func TestProgramsAreShort(t *testing.T) {
	for _, dir := range folders(t) {
		text, err := os.ReadFile(filepath.Join(dir, "main.go"))
		require.NoError(t, err)
		require.LessOrEqual(t, bytes.Count(text, []byte("\n")), maxLines, dir)
	}
}
