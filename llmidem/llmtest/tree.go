package llmtest

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// A TreeOption changes what [SpanRecorder.Tree] prints.
type TreeOption interface{ applyTree(*treeConfig) }

type treeOptionFunc func(*treeConfig)

func (f treeOptionFunc) applyTree(c *treeConfig) { f(c) }

type treeConfig struct {
	attributes []string
	durations  bool
}

// TreeAttributes prints these attributes and no others, in this order; a name that
// ends in * stands for all that begin so, in the order of the alphabet. Default:
// llmidem.*, http.response.status_code, error.type, gen_ai.usage.*.
func TreeAttributes(names ...string) TreeOption {
	return treeOptionFunc(func(c *treeConfig) { c.attributes = names })
}

// TreeDurations prints what differs from run to run unless time is fake: how long
// each span took, and the attributes llmidem.retry.delay and llmidem.cache.age.
// Default: left out, so that the output of an example can be checked.
func TreeDurations() TreeOption {
	return treeOptionFunc(func(c *treeConfig) { c.durations = true })
}

// Tree prints the ended spans of a trace as a tree: children below their parent in
// the order in which they started, under each span an error status, its attributes,
// events and links.
//
//	chat gpt-4o-mini
//	│   llmidem.attempt.count = 2
//	│   llmidem.response.source = provider
//	│   link origin → chat gpt-4o-mini
//	├── POST (Error)
//	│       http.response.status_code = 503
//	└── POST
//	        http.response.status_code = 200
//
// A link shows its llmidem.link.type and the name of the span it points to, or that
// span's id if it was not recorded. A span whose parent was not recorded stands at
// the top. The error returned is the writer's.
func (r *SpanRecorder) Tree(w io.Writer, id trace.TraceID, opts ...TreeOption) error {
	cfg := treeConfig{attributes: []string{"llmidem.*", "http.response.status_code", "error.type", "gen_ai.usage.*"}}
	for _, o := range opts {
		o.applyTree(&cfg)
	}
	t := tree{cfg: cfg, names: make(map[trace.SpanID]string), children: make(map[trace.SpanID][]Span)}
	for _, s := range r.Spans() {
		t.names[s.Context.SpanID()] = s.Name
	}
	spans := r.Trace(id)
	known := make(map[trace.SpanID]bool)
	for _, s := range spans {
		known[s.Context.SpanID()] = true
	}
	var roots []Span
	for _, s := range spans {
		if p := s.Parent.SpanID(); known[p] {
			t.children[p] = append(t.children[p], s)
		} else {
			roots = append(roots, s)
		}
	}
	for _, s := range roots {
		t.node(s, "", "")
	}
	_, err := io.WriteString(w, t.out.String())
	return err
}

type tree struct {
	cfg      treeConfig
	names    map[trace.SpanID]string
	children map[trace.SpanID][]Span
	out      strings.Builder
}

// node prints a span behind branch and all that is below it behind indent.
func (t *tree) node(s Span, branch, indent string) {
	t.out.WriteString(branch + oneLine(s.Name))
	if t.cfg.durations {
		fmt.Fprintf(&t.out, " %s", s.End.Sub(s.Start).Round(time.Microsecond))
	}
	if s.Status == codes.Error {
		t.out.WriteString(" (Error")
		if s.Description != "" {
			t.out.WriteString(": " + oneLine(s.Description))
		}
		t.out.WriteString(")")
	}
	t.out.WriteString("\n")
	children := t.children[s.Context.SpanID()]
	margin := indent + "    "
	if len(children) > 0 {
		margin = indent + "│   "
	}
	for _, line := range t.details(s) {
		t.out.WriteString(margin + line + "\n")
	}
	for i, c := range children {
		if i < len(children)-1 {
			t.node(c, indent+"├── ", indent+"│   ")
		} else {
			t.node(c, indent+"└── ", indent+"    ")
		}
	}
}

// details are the lines under a span's name.
func (t *tree) details(s Span) []string {
	var out []string
	for _, a := range t.pick(s.Attributes) {
		out = append(out, string(a.Key)+" = "+oneLine(a.Value.String()))
	}
	for _, e := range s.Events {
		out = append(out, "event "+oneLine(e.Name))
	}
	for _, l := range s.Links {
		kind := ""
		for _, a := range l.Attributes {
			if a.Key == "llmidem.link.type" {
				kind = a.Value.String() + " "
			}
		}
		name, ok := t.names[l.SpanContext.SpanID()]
		if !ok {
			name = l.SpanContext.SpanID().String()
		}
		out = append(out, "link "+kind+"→ "+oneLine(name))
	}
	return out
}

// pick returns the attributes to be shown, in their order.
func (t *tree) pick(all []attribute.KeyValue) []attribute.KeyValue {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b attribute.KeyValue) int { return strings.Compare(string(a.Key), string(b.Key)) })
	var out []attribute.KeyValue
	for _, name := range t.cfg.attributes {
		prefix, wild := strings.CutSuffix(name, "*")
		for _, a := range sorted {
			key := string(a.Key)
			if key != name && !(wild && strings.HasPrefix(key, prefix)) {
				continue
			}
			volatile := wild && (key == "llmidem.retry.delay" || key == "llmidem.cache.age")
			if volatile && !t.cfg.durations || slices.ContainsFunc(out, func(b attribute.KeyValue) bool { return b.Key == a.Key }) {
				continue
			}
			out = append(out, a)
		}
	}
	return out
}

// oneLine quotes what would break the tree apart.
func oneLine(s string) string {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return strconv.Quote(s)
	}
	return s
}
