package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// These bounds hold for the tree that is made of one file. An alias counts each time that it is used,
// so that a few lines cannot become a billion nodes.
const (
	maxNodes = 100_000
	maxBytes = 16 << 20 // the length of all texts together, with their variables
	maxDepth = 64
)

// tree turns the nodes of the YAML library into nodes of this package. It follows aliases and merge
// keys, and replaces variables.
type tree struct {
	*source
	*problems
	lookup func(string) (string, bool)
	inside []*yaml.Node // the anchors whose aliases are being followed
	nodes  int          // how many nodes there are so far
	bytes  int          // the length of their texts
	full   bool         // a bound is exceeded, which is reported once; nothing more is read
}

// place returns the place of a node in the file.
func (t *tree) place(y *yaml.Node) position { return position{t.source, y.Line, y.Column} }

// grow counts a node and its text. It returns false if a bound is exceeded.
func (t *tree) grow(y *yaml.Node, text string) bool {
	t.nodes++
	t.bytes += len(text)
	if !t.full && (t.nodes > maxNodes || t.bytes > maxBytes) {
		t.full = true
		t.add(t.place(y), "", "with its aliases and variables the file has more than %d values or %d bytes",
			maxNodes, maxBytes)
	}
	return !t.full
}

// convert returns the node that y and everything below it become.
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

// follow returns a copy of the node that an alias names.
func (t *tree) follow(y *yaml.Node, depth int) *node {
	if slices.Contains(t.inside, y.Alias) {
		t.add(t.place(y), "", "the anchor &%s contains itself", y.Value)
		return &node{at: t.place(y), keyAt: t.place(y), bad: true}
	}
	t.inside = append(t.inside, y.Alias)
	defer func() { t.inside = t.inside[:len(t.inside)-1] }()
	return t.convert(y.Alias, depth+1)
}

// knownTags are the tags that a file may have. The library sets those with two exclamation marks itself.
var knownTags = []string{
	"!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq", "!!merge",
	"!reset", "!override", "",
}

// readTag sets the tag that says how the node is merged, and reports an unknown one.
func (t *tree) readTag(y *yaml.Node, n *node) {
	switch {
	case y.Tag == "!reset" || y.Tag == "!override":
		n.tag = y.Tag
	case y.Kind != yaml.AliasNode && !slices.Contains(knownTags, y.Tag):
		n.bad = true
		t.add(n.at, "", "unknown tag %s; cginit knows !reset and !override", y.Tag)
	}
}

// readScalar sets the text of a scalar, with its variables replaced.
func (t *tree) readScalar(y *yaml.Node, n *node) {
	if n.typ = y.Tag; n.typ == "!!null" || n.tag == "!reset" {
		return
	}
	n.kind = scalarKind
	text, err := interpolate(y.Value, t.lookup, func(name string) {
		t.warn(fmt.Sprintf("%s: the variable %s is not set, so it is replaced by nothing", n.at, name))
	})
	switch {
	case err != nil:
		n.bad = true
		t.add(n.at, "", "%v", err)
	case strings.ContainsRune(text, 0):
		n.bad = true
		t.add(n.at, "", "the text has a zero byte in it, which no command or variable can hold")
	case text != y.Value:
		n.typ = "!!str" // a variable makes it a string, even if it looks like a number now
	}
	if t.grow(y, text) && !n.bad {
		n.text = text
	}
}

// readMapping sets the pairs of a mapping, with those that merge keys add.
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

// put adds a pair to a mapping.
func (t *tree) put(n *node, key string, at position, value *node) {
	value.keyAt = at
	n.pairs = append(n.pairs, pair{key, value})
}

// mergeKey adds the pairs of the mappings that a merge key (<<) names. Keys that n has already win.
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
