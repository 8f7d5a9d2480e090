package conffile

import (
	"errors"

	"go.yaml.in/yaml/v4"
)

// yaml parses YAML. A file without any document has no settings.
func (r *reader) yaml() *node {
	var docs []yaml.Node
	err := yaml.Load(r.data, &docs, yaml.WithAllDocuments())
	var syntax *yaml.LoadError
	switch {
	case errors.As(err, &syntax):
		r.problem(Place{syntax.Mark.Line, syntax.Mark.Column}, "this is no YAML: %s", message(syntax))
		return nil
	case err != nil:
		r.problem(Place{}, "this is no YAML")
		return nil
	case len(docs) == 0 || len(docs[0].Content) == 0:
		return &node{group: true}
	case len(docs) > 1:
		r.problem(Place{max(docs[1].Line, 1), max(docs[1].Column, 1)}, "a second document begins; settings are one")
	}
	top := docs[0].Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" && top.Value == "" {
		return &node{group: true} // "---" and nothing
	}
	return r.fromYAML(top, 0)
}

// message is what the parser says, without text of the file.
func message(e *yaml.LoadError) string {
	if e.Stage == yaml.ComposerStage {
		return "an alias without an anchor" // the only thing that stage finds; its words hold the name
	}
	if e.ContextMsg != "" {
		return e.ContextMsg + " " + e.Message
	}
	return e.Message
}

// fromYAML turns a node of the parser into ours. Aliases are refused, not followed:
// settings have no need of them, and a few lines of them stand for gigabytes.
func (r *reader) fromYAML(n *yaml.Node, depth int) *node {
	at := Place{n.Line, n.Column}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.problem(at, "anchors and aliases are not taken; write the value itself")
		return nil
	case n.Style&yaml.TaggedStyle != 0:
		r.problem(at, "tags are not taken; write the value alone")
		return nil
	case depth > maxDepth:
		r.problem(at, "this is nested too deeply")
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := &node{group: true, value: Value{At: at}}
		for i := 0; i+1 < len(n.Content); i += 2 {
			r.memberOfYAML(out, n.Content[i], n.Content[i+1], depth)
		}
		return out
	case yaml.SequenceNode:
		out := &node{value: Value{Kind: List, At: at, Items: []Value{}}}
		for _, e := range n.Content {
			if item := r.fromYAML(e, depth+1); item != nil {
				r.addItem(out, item)
			}
		}
		return out
	}
	return &node{value: Value{Kind: scalarKind(n), Text: n.Value, At: at}}
}

// memberOfYAML adds a member to a group.
func (r *reader) memberOfYAML(group *node, name, value *yaml.Node, depth int) {
	at := Place{name.Line, name.Column}
	switch {
	case name.Kind != yaml.ScalarNode || name.Anchor != "" || name.Style&yaml.TaggedStyle != 0:
		r.problem(at, "a name is plain text")
		return
	case name.Tag == "!!merge":
		r.problem(at, "merge keys (<<) are not taken; write the settings themselves")
		return
	}
	if v := r.fromYAML(value, depth+1); v != nil {
		group.keys = append(group.keys, key{name.Value, at, v})
	}
}

// addItem adds an element to a list.
func (r *reader) addItem(list, item *node) {
	if item.group || item.value.Kind == List {
		r.problem(item.value.At, "an element of a list is plain text")
		return
	}
	list.value.Items = append(list.value.Items, item.value)
}

func scalarKind(n *yaml.Node) Kind {
	switch n.Tag {
	case "!!null":
		return Null
	case "!!bool":
		return Bool
	case "!!int", "!!float":
		return Number
	}
	return Text
}
