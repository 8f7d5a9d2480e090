package llmidem_test

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// TestSourceIsDocumented reads what users see: every package has a comment,
// and so has every exported type, function, method, field, constant and variable.
func TestSourceIsDocumented(t *testing.T) {
	packages := map[string]bool{} // whether it has a comment
	for _, f := range moduleSource(t) {
		if f.test() || f.syntax.Name.Name == "main" {
			continue
		}
		packages[f.pkg()] = packages[f.pkg()] || documented(f.syntax.Doc)
		d := docs{t, f}
		for _, decl := range f.syntax.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				d.function(decl)
			case *ast.GenDecl:
				d.group(decl)
			}
		}
	}
	for pkg, has := range packages {
		if !has {
			t.Errorf("package %s has no comment", pkg)
		}
	}
}

// documented reports whether one of the comments says something.
func documented(comments ...*ast.CommentGroup) bool {
	for _, c := range comments {
		if c != nil && strings.TrimSpace(c.Text()) != "" {
			return true
		}
	}
	return false
}

// docs checks the declarations of one file.
type docs struct {
	t *testing.T
	f sourceFile
}

func (d docs) missing(pos token.Pos, what string) {
	d.t.Helper()
	d.t.Errorf("%s:%d: %s has no comment", d.f.path, d.f.line(pos), what)
}

// function checks functions, and methods of exported types.
func (d docs) function(decl *ast.FuncDecl) {
	if !decl.Name.IsExported() || documented(decl.Doc) {
		return
	}
	if decl.Recv == nil || ast.IsExported(receiver(decl.Recv.List[0].Type)) {
		d.missing(decl.Pos(), decl.Name.Name)
	}
}

// receiver is the name of a receiver's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// group checks types, and constants and variables, for which the comment of their
// group will do.
func (d docs) group(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				d.typ(s, documented(decl.Doc, s.Doc, s.Comment))
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && !documented(decl.Doc, s.Doc, s.Comment) {
					d.missing(name.Pos(), name.Name)
				}
			}
		}
	}
}

// typ checks a type, its fields and the methods of an interface.
func (d docs) typ(s *ast.TypeSpec, has bool) {
	if !has {
		d.missing(s.Pos(), s.Name.Name)
	}
	switch t := s.Type.(type) {
	case *ast.StructType:
		if !plain(t) {
			d.fields(s.Name.Name, t.Fields.List)
		}
	case *ast.InterfaceType:
		d.fields(s.Name.Name, t.Methods.List)
	}
}

// plain reports whether a struct is of at most three fields without any comment:
// that of the type speaks for them.
func plain(t *ast.StructType) bool {
	names := 0
	for _, f := range t.Fields.List {
		names += max(len(f.Names), 1)
		if documented(f.Doc, f.Comment) {
			return false
		}
	}
	return names <= 3
}

// fields checks what has a name: an embedded type has its own documentation, and
// so has a field that is named like its type. A comment holds for the fields on
// the lines right below it too.
func (d docs) fields(typ string, list []*ast.Field) {
	covered, last := false, 0
	for _, f := range list {
		has := documented(f.Doc, f.Comment)
		covered = has || covered && d.f.line(f.Pos()) == last+1
		last = d.f.line(f.End())
		for _, name := range f.Names {
			if named, ok := f.Type.(*ast.Ident); ok && named.Name == name.Name {
				continue
			}
			if name.IsExported() && !covered {
				d.missing(name.Pos(), typ+"."+name.Name)
			}
		}
	}
}
