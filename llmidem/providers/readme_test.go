package providers_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/llmidem/llmidem-go/llmidem"
)

var update = flag.Bool("update", false, "write the table of README.md")

const begin, end = "<!-- table: go test ./llmidem/providers -run TestReadme -update -->\n", "<!-- end -->\n"

// The table of README.md is what the code says.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "README.md has no place for the table")
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "README.md has no end of the table")
	want := before + begin + table(t) + end + after
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(text), "run: go test ./llmidem/providers -run TestReadme -update")
	for name, provider := range constructors {
		for _, route := range provider().Rules.Routes {
			require.Contains(t, after, "`"+route.Operation+"`", "README.md says nothing of when an answer to it is whole (%s)", name)
		}
	}
}

// table has a line for every provider.
func table(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| provider | constructor | speaks | class | key | account | headers that count | of those not | final: quota | refused: overload | in progress | final: too large | final: filtered | cache hits | read |\n")
	b.WriteString("|" + strings.Repeat(" --- |", 15) + "\n")
	docs := map[string]decl{}
	for _, d := range sources(t) {
		docs[d.fn.Name.Name] = d
	}
	for _, name := range names() {
		p := constructors[name]()
		constructor := constructorOf(t, name, docs)
		e := p.Errors
		fmt.Fprintf(&b, "| %s | [`%s()`](%s) | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
			code(name), constructor, docs[constructor].file, p.Dialect, p.Keys.Class, keys(p.Keys), list(account(t, p)),
			list(p.Rules.Headers), list(p.Rules.Delivery), list(e.Quota), list(e.Overload), list(e.InProgress), list(e.TooLarge), list(e.Filtered),
			hits(p.CacheHits), read(t, docs[constructor]))
	}
	return b.String()
}

// constructorOf finds the function that gives a provider its name.
func constructorOf(t *testing.T, name string, docs map[string]decl) string {
	for fn, d := range docs {
		src, err := os.ReadFile(d.file)
		require.NoError(t, err)
		if ast.IsExported(fn) && d.fn.Type.Params.NumFields() == 0 && regexp.MustCompile(`Name: +"`+regexp.QuoteMeta(name)+`"`).Match(src) {
			return fn
		}
	}
	t.Fatalf("no constructor says %q", name)
	return ""
}

func code(s string) string { return "`" + strings.ReplaceAll(s, "|", `\|`) + "`" }

func list(items []string) string {
	if len(items) == 0 {
		return "–"
	}
	var out []string
	for _, item := range items {
		out = append(out, code(item))
	}
	return strings.Join(out, " ")
}

func keys(k llmidem.Keys) string {
	header := k.Header
	if header == "" {
		header = "Idempotency-Key"
	}
	form := "bare"
	switch {
	case k.Cache:
		form = "digest of the record's address"
	case k.Quoted:
		form = "quoted"
	}
	out := code(header) + ", " + form
	if k.MaxLen > 0 {
		out += fmt.Sprintf(", at most %d", k.MaxLen)
	}
	if k.Pattern != "" {
		out += ", " + code(k.Pattern)
	}
	if k.Window > 0 {
		out += ", for " + k.Window.String()
	}
	return out
}

func hits(h http.Header) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		out = append(out, code(strings.ToLower(name)+": "+strings.Join(h[name], ", ")))
	}
	if out == nil {
		return "–"
	}
	return strings.Join(out, " ")
}

// account asks the provider itself which credentials it sees.
func account(t *testing.T, p llmidem.Provider) []string {
	all := map[string]bool{}
	for _, places := range credentials {
		for _, place := range places {
			all[place] = true
		}
	}
	var out []string
	for _, place := range slices.Sorted(maps.Keys(all)) {
		if p.Account(with(place, "x")) != "" {
			require.Contains(t, credentials[p.Name], place)
			out = append(out, strings.ToLower(place))
		}
	}
	return out
}

var (
	source = regexp.MustCompile(`[a-z0-9-]+(?:\.[a-z0-9-]+)+/[^\s,()]+`)
	month  = regexp.MustCompile(`Sources, read (20\d\d-\d\d):`)
)

// read is where and when the facts of a constructor were read, from its comment.
func read(t *testing.T, d decl) string {
	text := strings.Join(strings.Fields(d.fn.Doc.Text()), " ")
	at := month.FindStringSubmatchIndex(text)
	require.NotNil(t, at, "%s does not say when its facts were read", d.fn.Name.Name)
	found := source.FindAllString(text[at[1]:], -1)
	require.NotEmpty(t, found, "%s does not say where its facts were read", d.fn.Name.Name)
	out := text[at[2]:at[3]]
	for i, url := range found {
		out += fmt.Sprintf(" [%d](https://%s)", i+1, strings.TrimRight(url, ".;:"))
	}
	return out
}

// decl is a function of the package and the file that it is in.
type decl struct {
	file string
	fn   *ast.FuncDecl
}

func sources(t *testing.T) (out []decl) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				out = append(out, decl{file, fn})
			}
		}
	}
	require.NotEmpty(t, out)
	return out
}
