package identity

import (
	"strings"
	"unicode/utf8"
)

// pathModel returns the model that Gemini's paths name: the last element before
// the verb, with its collection unless that is models.
func pathModel(path string) (collection, name string, ok bool) {
	rest, verb, ok := cutLast(path, ':')
	if !ok || verb == "" || strings.ContainsFunc(verb, func(c rune) bool { return (c|0x20) < 'a' || (c|0x20) > 'z' }) {
		return "", "", false
	}
	parent, name, ok := cutLast(rest, '/')
	if !ok || name == "" || strings.IndexByte(name, ':') >= 0 {
		return "", "", false
	}
	for _, c := range [...]string{"models", "tunedModels", "endpoints"} {
		if before, ok := strings.CutSuffix(parent, c); ok && strings.HasSuffix(before, "/") {
			if c == "models" {
				return "", name, true
			}
			return c, name, true
		}
	}
	return "", "", false
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return "", "", false
}

// deployment returns the name in /deployments/NAME/, as Azure's paths have it.
func deployment(path string) string {
	const mark = "/deployments/"
	for {
		i := strings.Index(path, mark)
		if i < 0 {
			return ""
		}
		path = path[i+len(mark)-1:] // the slash may begin the next mark
		if name, _, ok := strings.Cut(path[1:], "/"); ok && name != "" {
			return name
		}
	}
}

// setModel finds the model: in the path alone, or in the body, else in the path.
func (s *scratch) setModel(r *Rules, rt *Route, path string, body int) *Refusal {
	s.model = s.model[:0]
	if r.PathModel {
		collection, name, ok := pathModel(path)
		if !ok {
			return refuse(CodeNoModel, "the path names no model")
		}
		if collection != "" {
			s.model = append(append(s.model, collection...), '/')
		}
		return s.escapedModel(name)
	}
	if m := s.find(body, "model"); m != nil {
		m.gone = true
		var ok bool
		if s.model, ok = s.stringAt(s.model, m.val); !ok || len(s.model) == 0 {
			return &Refusal{Code: CodeNoModel, Offset: s.place(m.val), Pointer: "/model", Reason: "the model is not a non-empty string"}
		}
		return nil
	}
	if name := deployment(path); name != "" {
		return s.escapedModel(name)
	}
	if !rt.Modelless {
		return refuse(CodeNoModel, "neither body nor path names a model")
	}
	return nil
}

// escapedModel takes a name from the path as it stands there, escapes included.
func (s *scratch) escapedModel(name string) *Refusal {
	if !utf8.ValidString(name) {
		return refuse(CodeInvalidUTF8, "the model in the path is not UTF-8")
	}
	s.model = append(s.model, name...)
	return nil
}
