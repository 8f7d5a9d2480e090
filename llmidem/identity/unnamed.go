package identity

import "slices"

// Unnamed returns the RFC 6901 pointer of a body member of a document that
// [Rules.Params] does not name for its operation, and "" when there is none: the
// first in the order of the document. Members that were excluded are not in the
// document; what is inside of a member is not looked at. A document of an operation
// that Params does not list has all its members unnamed.
func (r *Rules) Unnamed(d Document) string {
	named := r.Params[d.Operation()]
	for _, p := range d.params {
		member := d.text[p.a:p.b]
		name := member[:skipString(member, 0)]
		if !slices.Contains(named, textOf(name)) {
			return below("", name, 0)
		}
	}
	return ""
}
