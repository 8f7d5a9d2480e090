package fold

import (
	"net/http"
	"slices"
	"testing"
)

func TestP9_ValuesUnderEverySpelling(t *testing.T) {
	h := http.Header{"Api-Key": {"b", "a"}, "api-key": {"d"}, "API-KEY": {"c", "e"}, "Api-Keys": {"x"}, "X-Api-Key": {"y"}}
	for name, want := range map[string][]string{"Api-Key": {"b", "a", "c", "d", "e"}, "Api-Keys": {"x"}, "X-Api-Key": {"y"}, "None": nil} {
		for range 10 { // the order of the map does not matter
			if got := Values(h, name); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
	if !slices.Equal(h["Api-Key"], []string{"b", "a"}) {
		t.Error("the header was changed")
	}
	if n := testing.AllocsPerRun(100, func() { Values(h, "X-Api-Key") }); n != 0 {
		t.Errorf("%v allocations where there is one spelling", n)
	}
}
