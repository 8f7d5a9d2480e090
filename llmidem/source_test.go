package llmidem_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// modulePath is the module whose source the tests of this file's users read.
const modulePath = "github.com/llmidem/llmidem-go"

// sourceFile is one Go file of the module.
type sourceFile struct {
	path   string // relative to the module's root, with slashes
	syntax *ast.File
	fset   *token.FileSet
}

// pkg is the import path of the file's directory, relative to the module.
func (f sourceFile) pkg() string { return path.Dir(f.path) }

func (f sourceFile) test() bool { return strings.HasSuffix(f.path, "_test.go") }

// external reports whether the file is of an external test package.
func (f sourceFile) external() bool {
	return f.test() && strings.HasSuffix(f.syntax.Name.Name, "_test")
}

func (f sourceFile) line(p token.Pos) int { return f.fset.Position(p).Line }

func (f sourceFile) lines() int {
	return f.fset.File(f.syntax.FileStart).LineCount()
}

// imports are the import paths of the file.
func (f sourceFile) imports() []string {
	var out []string
	for _, i := range f.syntax.Imports {
		out = append(out, strings.Trim(i.Path.Value, `"`))
	}
	return out
}

var readSource = sync.OnceValues(func() ([]sourceFile, error) {
	var files []sourceFile
	const root = ".." // of the module: tests run in their package's directory
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(root, name, d.Name())
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		syntax, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		files = append(files, sourceFile{path: filepath.ToSlash(rel), syntax: syntax, fset: fset})
		return err
	})
	return files, err
})

// skipDir leaves out what the go command leaves out: hidden directories, test
// data and other modules.
func skipDir(root, name, base string) error {
	if name == root {
		return nil
	}
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// moduleSource is every Go file of the module.
func moduleSource(t *testing.T) []sourceFile {
	t.Helper()
	files, err := readSource()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"llmidem/client.go", "llmidem/identity/key.go", "llmidem/ranks_test.go"} {
		if !hasFile(files, want) {
			t.Fatalf("%s was not found: the tests that read the source would prove nothing", want)
		}
	}
	return files
}

func hasFile(files []sourceFile, name string) bool {
	for _, f := range files {
		if f.path == name {
			return true
		}
	}
	return false
}
