// Package fold reads headers whose names may be spelt in any case. A map that was
// set by hand can have api-key beside Api-Key, and net/http sends both.
package fold

import (
	"net/http"
	"slices"
	"strings"
)

// Values returns the lines of a header, given its canonical name, under every
// spelling: those of the canonical one in their order, then the others, sorted. The
// result is the header's own where there is one spelling, and not to be changed.
func Values(h http.Header, canonical string) []string {
	values := h[canonical]
	var others []string
	for name, v := range h {
		if len(name) == len(canonical) && name != canonical && strings.EqualFold(name, canonical) {
			others = append(others, v...)
		}
	}
	if others == nil {
		return values
	}
	slices.Sort(others)
	return append(slices.Clone(values), others...)
}
