package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The bounds of what is made of a file. Aliases are counted as often as they are used, so that
// a few lines cannot become a billion values.
const (
	maxNodes = 100_000
	maxBytes = 16 << 20 // of all texts, variables put in
	maxDepth = 64
)

// tree turns the library's nodes into ours: aliases and merge keys followed, variables put in.
type tree struct {
	*source
	*problems
	lookup func(string) (string, bool)
	inside []*yaml.Node // the anchors whose aliases are being followed
	nodes  int
	bytes  int
	full   bool // a bound was passed: that is said once, and nothing more is read
}

func (t *tree) place(y *yaml.Node) position { return position{t.source, y.Line, y.Column} }

func (t *tree) grow(y *yaml.Node, text string) bool {
	t.nodes++
	t.bytes += len(text)
	if !t.full && (t.nodes > maxNodes || t.bytes > maxBytes) {
		t.full = true
		t.add(t.place(y), "", "with its aliases and variables the file has more than %d values or %d bytes", maxNodes, maxBytes)
	}
	return !t.full
}

func (t *tree) convert(y *yaml.Node, depth int) *node {
	n := &node{at: t.place(y), keyAt: t.place(y)}
	switch {
	case !t.grow(y, ""):
		return n
	case depth > maxDepth:
		t.add(n.at, "", "values are nested deeper than %d", maxDepth)
		return n
	}
	t.readTag(y, n)
	switch y.Kind {
	case yaml.AliasNode:
		return t.follow(y, depth)
	case yaml.ScalarNode:
		t.readScalar(y, n)
	case yaml.SequenceNode:
		n.kind = listKind
		for _, item := range y.Content {
			n.items = append(n.items, t.convert(item, depth+1))
		}
	case yaml.MappingNode:
		n.kind = mappingKind
		t.readMapping(y, n, depth)
	}
	return n
}

func (t *tree) follow(y *yaml.Node, depth int) *node {
	if slices.Contains(t.inside, y.Alias) {
		t.add(t.place(y), "", "the anchor &%s contains itself", y.Value)
		return &node{at: t.place(y), keyAt: t.place(y), bad: true}
	}
	t.inside = append(t.inside, y.Alias)
	defer func() { t.inside = t.inside[:len(t.inside)-1] }()
	return t.convert(y.Alias, depth+1)
}

var knownTags = []string{
	"!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq", "!!merge", "!reset", "!override", "",
}

func (t *tree) readTag(y *yaml.Node, n *node) {
	switch {
	case y.Tag == "!reset" || y.Tag == "!override":
		n.tag = y.Tag
	case y.Kind != yaml.AliasNode && !slices.Contains(knownTags, y.Tag):
		n.bad = true
		t.add(n.at, "", "unknown tag %s", y.Tag)
	}
}

func (t *tree) readScalar(y *yaml.Node, n *node) {
	if n.typ = y.Tag; n.typ == "!!null" || n.tag == "!reset" {
		return
	}
	n.kind = scalarKind
	text, err := interpolate(y.Value, t.lookup, func(name string) {
		t.warn(fmt.Sprintf("%s: the variable %s is not set, so it is empty here", n.at, name))
	})
	switch {
	case err != nil:
		n.bad = true
		t.add(n.at, "", "%v", err)
	case strings.ContainsRune(text, 0):
		n.bad = true
		t.add(n.at, "", "a text cannot have a zero byte in it")
	case text != y.Value:
		n.typ = "!!str" // whatever it looks like now
	}
	if t.grow(y, text) && !n.bad {
		n.text = text
	}
}

func (t *tree) readMapping(y *yaml.Node, n *node, depth int) {
	var merged []*yaml.Node
	seen := map[string]position{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		before, twice := seen[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			t.add(t.place(key), "", "a key must be a word, not a list or a mapping")
		case key.Tag == "!!merge":
			merged = append(merged, value)
		case twice:
			t.add(t.place(key), "", "the key %q is already in line %d", key.Value, before.line)
		default:
			seen[key.Value] = t.place(key)
			t.put(n, key.Value, t.place(key), t.convert(value, depth+1))
		}
	}
	for _, from := range merged {
		t.mergeKey(n, from, depth)
	}
}

func (t *tree) put(n *node, key string, at position, value *node) {
	value.keyAt = at
	n.pairs = append(n.pairs, pair{key, value})
}

// mergeKey adds what a merge key (<<) names, where n has not the key itself.
func (t *tree) mergeKey(n *node, from *yaml.Node, depth int) {
	values := []*node{t.convert(from, depth+1)}
	if values[0].kind == listKind {
		values = values[0].items
	}
	has := n.index()
	for _, value := range values {
		if value.kind != mappingKind && !t.full {
			t.add(t.place(from), "", "<< must name a mapping, or a list of mappings")
		}
		for _, p := range value.pairs {
			if _, ok := has[p.key]; !ok {
				has[p.key] = len(n.pairs)
				n.pairs = append(n.pairs, p)
			}
		}
	}
}
