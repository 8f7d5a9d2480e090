package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// How long the README is, in lines: enough to decide by, and not a manual.
const (
	minReadme = 120
	maxReadme = 200
)

// A block is a fenced block of the README that is marked as being, or being part
// of, a file of this folder: <!-- examples/readme/main.go --> on the line before.
type block struct{ file, text string }

var marked = regexp.MustCompile("(?ms)^<!-- examples/(\\S+) -->\n```\\w*\n(.*?)^```$")

func readme(t *testing.T) (string, []block) {
	t.Helper()
	text := read(t, filepath.Join("..", "README.md"))
	var blocks []block
	for _, m := range marked.FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, block{file: m[1], text: m[2]})
	}
	if n := strings.Count(text, "<!-- examples/"); n != len(blocks) {
		t.Fatalf("README.md has %d marks and %d marked blocks: a mark is not followed by a block", n, len(blocks))
	}
	return text, blocks
}

// TestReadmeShowsWhatRuns: what the README shows is what the examples are and
// print, and those are run by TestOutput.
func TestReadmeShowsWhatRuns(t *testing.T) {
	_, blocks := readme(t)
	whole := map[string]bool{}
	for _, b := range blocks {
		file := read(t, b.file)
		whole[b.file] = whole[b.file] || file == b.text
		if !strings.Contains("\n"+file, "\n"+b.text) {
			t.Errorf("a block of README.md is no part of examples/%s:\n%s", b.file, b.text)
		}
	}
	for _, f := range []string{"readme/main.go", "readme/output.txt"} {
		if !whole[f] {
			t.Errorf("README.md does not show the whole of examples/%s", f)
		}
	}
}

func TestReadmeIsShort(t *testing.T) {
	text, _ := readme(t)
	if n := strings.Count(text, "\n"); n < minReadme || n > maxReadme {
		t.Errorf("README.md has %d lines, not %d to %d", n, minReadme, maxReadme)
	}
}

// TestReadmeCommands: the first commands a reader finds are those that CI runs.
func TestReadmeCommands(t *testing.T) {
	text, _ := readme(t)
	_, first, _ := strings.Cut(text, "```sh\n")
	first, _, _ = strings.Cut(first, "```")
	if want := "go run ./examples/quickstart\ngo test ./...\n"; first != want {
		t.Errorf("the first commands of README.md are %q, not %q", first, want)
	}
}

// TestReadmeLinks: what it links to within the repository is there.
func TestReadmeLinks(t *testing.T) {
	text, _ := readme(t)
	links := regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(text, -1)
	if len(links) == 0 {
		t.Fatal("README.md has no links")
	}
	for _, m := range links {
		if strings.Contains(m[1], "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(m[1]))); err != nil {
			t.Errorf("README.md links to %s: %v", m[1], err)
		}
	}
}
