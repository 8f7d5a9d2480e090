package identity

import (
	"fmt"
	"slices"
	"strings"
)

// neverCounted are the headers that no document holds: credentials, the key itself
// and the trace context of a delivery. Patterns pass them by, full names are refused.
var neverCounted = [...]string{
	"authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "x-goog-api-key",
	"idempotency-key", "x-idempotency-key", "traceparent", "tracestate", "baggage",
}

// Validate reports what is wrong with the rules and with exclude, which stands for
// a client's own exclusion list; nil takes the rules' one. An exclusion that must
// not be is a [*Refusal] with [CodeBadExclusion], for every route of the rules;
// everything else is a plain error that names the field to correct.
func (r *Rules) Validate(exclude []string) error {
	if len(r.Routes) == 0 {
		return fmt.Errorf("identity: rules %q have no routes", r.Name)
	}
	for i := range r.Routes {
		if err := r.validateRoute(&r.Routes[i]); err != nil {
			return err
		}
		if ref := checkExclusions(r.exclusions(exclude), r.Routes[i].Prompt); ref != nil {
			return ref
		}
	}
	for _, p := range r.Base64 {
		if p.Member == "" || p.Parent == "" {
			return fmt.Errorf("identity: rules %q: a Base64 place without parent or member; use * for any parent", r.Name)
		}
	}
	return r.validateHeaders()
}

func (r *Rules) validateRoute(rt *Route) error {
	switch {
	case rt.Suffix == "":
		return fmt.Errorf("identity: rules %q: the route %q has an empty Suffix", r.Name, rt.Operation)
	case rt.Operation == "":
		return fmt.Errorf("identity: rules %q: the route %q has no Operation", r.Name, rt.Suffix)
	case strings.HasPrefix(rt.Operation, "do:"):
		return fmt.Errorf("identity: rules %q: the operation %q begins like a function's", r.Name, rt.Operation)
	case strings.ContainsRune(rt.Suffix, '?'):
		return fmt.Errorf("identity: rules %q: the Suffix %q holds a query", r.Name, rt.Suffix)
	case slices.Contains(rt.Prompt, "") || !r.PathModel && slices.Contains(rt.Prompt, "model"):
		return fmt.Errorf("identity: rules %q: the route %q has a prompt field that cannot be one", r.Name, rt.Suffix)
	}
	for i, p := range rt.Prompt {
		if slices.Contains(rt.Prompt[:i], p) {
			return fmt.Errorf("identity: rules %q: the route %q names the prompt field %q twice", r.Name, rt.Suffix, p)
		}
	}
	for _, u := range r.UserFields {
		first, _, _ := strings.Cut(u, ".")
		if hasEmptyName(u) || first == "model" || slices.Contains(rt.Prompt, first) {
			return fmt.Errorf("identity: rules %q: the user field %q has an empty name or lies in model or prompt", r.Name, u)
		}
	}
	return nil
}

func (r *Rules) validateHeaders() error {
	for _, h := range append(slices.Clone(r.Headers), r.Delivery...) {
		name := strings.TrimSuffix(h, "*")
		if h == "" || name != strings.ToLower(name) || strings.ContainsAny(name, "* \t\r\n:,") {
			return fmt.Errorf("identity: rules %q: the header %q is not a lower-case name, or such with one * at its end", r.Name, h)
		}
	}
	for _, h := range r.Headers {
		if slices.Contains(neverCounted[:], h) {
			return fmt.Errorf("identity: rules %q: the header %q must not be in a document", r.Name, h)
		}
	}
	return nil
}

func hasEmptyName(path string) bool {
	return path == "" || path[0] == '.' || path[len(path)-1] == '.' || strings.Contains(path, "..")
}

// checkExclusions refuses what SPEC.md forbids.
func checkExclusions(exclude, prompt []string) *Refusal {
	for _, e := range exclude {
		if ref := checkExclusion(e, strings.IndexByte(e, '.'), prompt); ref != nil {
			return ref
		}
	}
	return nil
}

// checkExclusion is checkExclusions for one path whose first dot is known; -1 for none.
func checkExclusion(e string, dot int, prompt []string) *Refusal {
	first := e
	if dot >= 0 {
		first = e[:dot]
	}
	switch {
	case e == "" || dot >= 0 && hasEmptyName(e):
		return refuse(CodeBadExclusion, fmt.Sprintf("the exclusion %q has an empty name", e))
	case decides(first) || slices.Contains(prompt, first):
		return refuse(CodeBadExclusion, fmt.Sprintf("%q decides what is asked for and cannot be excluded", e))
	}
	return nil
}

// decides reports whether a member decides what is asked for, beside the prompt
// fields (SPEC.md, section 2).
func decides(name string) bool {
	switch name {
	case "model", "stream", "n", "tools", "response_format":
		return true
	}
	return false
}
