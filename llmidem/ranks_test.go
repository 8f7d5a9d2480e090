package llmidem_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// ranks order the packages: one imports only packages of a strictly lower rank,
// so that what an application needs least is never pulled in by what it needs
// most, and a cycle cannot even begin. A name that ends in /... stands for all
// packages below it. A package that is not here has no place yet: give it one.
var ranks = map[string]int{
	"llmidem/internal/...":       0, // one idea a folder; none imports another
	"llmidem/identity":           1,
	"llmidem/store":              2,
	"llmidem/audit":              2,
	"llmidem":                    3,
	"llmidem/gateway":            3,
	"llmidem/store/storetest":    3,
	"llmidem/store/redisstore":   3,
	"llmidem/store/pgstore":      3,
	"llmidem/store/boltstore":    3,
	"llmidem/providers":          4,
	"llmidem/batch":              4,
	"llmidem/providers/goopenai": 5,
	"llmidem/llmtest":            5,
	"cmd/...":                    6,
	"examples":                   6,
	"examples/...":               6,
}

// rankOf is the rank of a package, by its path in the module.
func rankOf(pkg string) (int, bool) {
	if r, ok := ranks[pkg]; ok {
		return r, true
	}
	for name, r := range ranks {
		if dir, ok := strings.CutSuffix(name, "..."); ok && strings.HasPrefix(pkg, dir) {
			return r, true
		}
	}
	return 0, false
}

func TestSourceHasRanks(t *testing.T) {
	pkgs := map[string]bool{}
	for _, f := range moduleSource(t) {
		pkgs[f.pkg()] = true
	}
	for _, pkg := range slices.Sorted(maps.Keys(pkgs)) {
		if _, ok := rankOf(pkg); !ok {
			t.Errorf("package %s has no rank", pkg)
		}
	}
}

func TestSourceImportsGoDown(t *testing.T) {
	checked := 0
	for _, f := range moduleSource(t) {
		if f.external() {
			continue // may look up: it tests its package as users see it
		}
		own, _ := rankOf(f.pkg())
		for _, imported := range f.imports() {
			pkg, ours := strings.CutPrefix(imported, modulePath+"/")
			if !ours {
				continue
			}
			checked++
			if r, ok := rankOf(pkg); !ok || r >= own {
				t.Errorf("%s (rank %d) imports %s (rank %d): only lower ranks may be imported", f.path, own, pkg, r)
			}
		}
	}
	if checked == 0 {
		t.Error("no import within the module was found: the check proves nothing")
	}
}
