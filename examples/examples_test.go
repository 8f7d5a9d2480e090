package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	// What the examples are made of, so that a change to it runs this test again.
	_ "github.com/llmidem/llmidem-go/llmidem/llmtest"
	_ "github.com/llmidem/llmidem-go/llmidem/providers/goopenai"
)

// maxLines is how long an example may be; the quickstart, which is read first, is
// shorter.
const (
	maxLines           = 150
	maxQuickstartLines = 100
)

// folders are the folders that hold an example.
func folders(t *testing.T) []string {
	t.Helper()
	mains, err := filepath.Glob("*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("no example was found: %v", err)
	}
	var out []string
	for _, m := range mains {
		out = append(out, filepath.Dir(m))
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestOutput runs every example as a reader would and compares what it prints.
func TestOutput(t *testing.T) {
	for _, dir := range folders(t) {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			want := read(t, filepath.Join(dir, "output.txt"))
			cmd := exec.Command("go", "run", "./"+dir)
			cmd.Env = offline(os.Environ())
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				t.Fatalf("go run ./examples/%s: %v\n%s", dir, err, stderr.String())
			}
			if got := stdout.String(); got != want {
				t.Errorf("the output is not that of %s/output.txt\n got:\n%s\nwant:\n%s", dir, got, want)
			}
		})
	}
}

// offline is an environment in which an example asks no real service.
func offline(env []string) []string {
	var out []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "OPENAI_") && name != "VERBOSE" {
			out = append(out, kv)
		}
	}
	return out
}

func TestExamplesAreShort(t *testing.T) {
	for _, dir := range folders(t) {
		limit := maxLines
		if dir == "quickstart" {
			limit = maxQuickstartLines
		}
		if n := strings.Count(read(t, filepath.Join(dir, "main.go")), "\n"); n > limit {
			t.Errorf("%s/main.go has %d lines, more than %d", dir, n, limit)
		}
	}
}
