package llmidem_test

import (
	"go/ast"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// linked is what the go command links with a package: the package itself and all
// that it imports, tests aside.
func linked(t *testing.T, pkg string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", modulePath+"/"+pkg)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return strings.Fields(string(out))
}

// within reports whether an import path is a module's or below it.
func within(pkg, module string) bool { return pkg == module || strings.HasPrefix(pkg, module+"/") }

func TestSourceOfClientLinksNoSDK(t *testing.T) {
	deps := linked(t, "llmidem")
	if !slices.Contains(deps, modulePath+"/llmidem/store") {
		t.Fatalf("the client does not link its own store: go list said %v", deps)
	}
	for _, dep := range deps {
		for _, banned := range []string{
			"go.opentelemetry.io/otel/sdk",
			"github.com/sashabaranov/go-openai",
			"github.com/openai/openai-go",
			"github.com/anthropics/anthropic-sdk-go",
			"google.golang.org/genai",
			"github.com/stretchr/testify",
			"testing",
		} {
			if within(dep, banned) {
				t.Errorf("package llmidem links %s", dep)
			}
		}
	}
}

// TestSourceLinksNoTelemetrySDK is about what applications link, of all packages.
func TestSourceLinksNoTelemetrySDK(t *testing.T) {
	for _, f := range moduleSource(t) {
		if f.test() {
			continue
		}
		for _, imported := range f.imports() {
			if within(imported, "go.opentelemetry.io/otel/sdk") {
				t.Errorf("%s imports %s", f.path, imported)
			}
		}
	}
}

// TestSourceOfIdentityStandsAlone: keys must be the same in every program, so what makes
// them depends on next to nothing, and knows HTTP by its headers only.
func TestSourceOfIdentityStandsAlone(t *testing.T) {
	for _, f := range moduleSource(t) {
		if f.test() || f.pkg() != "llmidem/identity" {
			continue
		}
		for _, imported := range f.imports() {
			std := !strings.Contains(strings.Split(imported, "/")[0], ".")
			allowed := std || within(imported, "github.com/google/uuid") || within(imported, "github.com/segmentio/asm")
			if !allowed {
				t.Errorf("%s imports %s", f.path, imported)
			}
			if strings.HasPrefix(imported, "net/") && imported != "net/http" && imported != "net/textproto" && imported != "net/url" {
				t.Errorf("%s imports %s", f.path, imported)
			}
			if imported == "net/http" {
				checkHTTPUse(t, f)
			}
		}
	}
}

// checkHTTPUse finds uses of net/http beyond headers and sniffing.
func checkHTTPUse(t *testing.T, f sourceFile) {
	t.Helper()
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); !ok || x.Name != "http" {
			return true
		}
		switch sel.Sel.Name {
		case "Header", "CanonicalHeaderKey", "DetectContentType":
		default:
			t.Errorf("%s:%d uses http.%s", f.path, f.line(sel.Pos()), sel.Sel.Name)
		}
		return true
	})
}

// maxNames is how many names a user of package llmidem has to know of. Members of
// typed constant groups are found by their type, so they are not counted.
const maxNames = 70

func TestSourceExportsFewNames(t *testing.T) {
	var names []string
	for _, f := range moduleSource(t) {
		if f.test() || f.pkg() != "llmidem" {
			continue
		}
		for _, decl := range f.syntax.Decls {
			names = append(names, exportedNames(decl)...)
		}
	}
	if !slices.Contains(names, "New") || !slices.Contains(names, "Client") || slices.Contains(names, "RecallOff") {
		t.Fatalf("the names were not counted as they should be: %v", names)
	}
	if len(names) > maxNames {
		t.Errorf("package llmidem exports %d names, more than %d: %v", len(names), maxNames, names)
	}
}

// exportedNames are the package-level names of a declaration that count.
func exportedNames(decl ast.Decl) []string {
	var out []string
	add := func(id *ast.Ident) {
		if id.IsExported() {
			out = append(out, id.Name)
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			add(d.Name)
		}
	case *ast.GenDecl:
		typed := false
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				add(s.Name)
			case *ast.ValueSpec:
				// A constant without type and value repeats the ones before it.
				typed = s.Type != nil || typed && len(s.Values) == 0
				for _, id := range s.Names {
					if !typed {
						add(id)
					}
				}
			}
		}
	}
	return out
}

const (
	maxFileLines = 500
	maxFuncLines = 80
)

func TestSourceIsShort(t *testing.T) {
	for _, f := range moduleSource(t) {
		if n := f.lines(); n > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", f.path, n, maxFileLines)
		}
		for _, decl := range f.syntax.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := f.line(d.End()) - f.line(d.Pos()) + 1; n > maxFuncLines {
				t.Errorf("%s:%d: %s has %d lines, more than %d", f.path, f.line(d.Pos()), d.Name.Name, n, maxFuncLines)
			}
		}
	}
}
