package llmidem_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSourceOfChoosing holds docs/choosing.md to the examples that it names: each
// row of its matrix has one, in the file that it links to.
func TestSourceOfChoosing(t *testing.T) {
	const page = "../docs/choosing.md"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	_, matrix, ok := strings.Cut(string(text), "| --- | --- | --- | --- | --- |\n")
	require.True(t, ok)
	matrix, _, _ = strings.Cut(matrix, "\n\n")
	example := regexp.MustCompile("\\[`(Example\\w+)`\\]\\(([^)]+)\\)")
	for row := range strings.Lines(matrix) {
		if !strings.Contains(row, "boltstore") { // whose own pages have the examples
			require.Regexp(t, example, row)
		}
	}
	named := example.FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(named), 5)
	for _, m := range named {
		code, err := os.ReadFile(filepath.Join("../docs", filepath.FromSlash(m[2])))
		require.NoError(t, err)
		require.Contains(t, string(code), "func "+m[1]+"()", "%s is not in %s", m[1], m[2])
	}
}
