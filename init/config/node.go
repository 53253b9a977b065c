package config

import (
	"slices"
	"strings"
)

// kind says whether a node is a scalar, a list or a mapping.
type kind int

const (
	nullKind kind = iota
	scalarKind
	listKind
	mappingKind
)

// node is a value of a file, with its place in the file and the key that leads to it.
type node struct {
	kind  kind
	typ   string  // the type of a scalar: YAML's short tag, such as !!int
	text  string  // the text of a scalar, with its variables replaced
	items []*node // the items of a list
	pairs []pair  // the keys and values of a mapping, in the order of the file

	at, keyAt position // the places of the value and of its key
	parent    *node    // nil at the top
	key       string   // the key in parent, or the index such as [0]
	tag       string   // !reset or !override, which say how files are merged
	bad       bool     // a problem with the value itself has been reported
}

// pair is a key of a mapping and its value.
type pair struct {
	key   string
	value *node
}

// get returns the value of a key; nil if there is none.
func (n *node) get(key string) *node {
	if i := slices.IndexFunc(n.pairs, func(p pair) bool { return p.key == key }); i >= 0 {
		return n.pairs[i].value
	}
	return nil
}

// index returns the index of each key in pairs, for callers that look up many.
func (n *node) index() map[string]int {
	at := make(map[string]int, len(n.pairs))
	for i, p := range n.pairs {
		at[p.key] = i
	}
	return at
}

// broken reports whether a problem with the value, or with one below it, was found before the keys were
// read.
func (n *node) broken() bool {
	return n.bad || slices.ContainsFunc(n.items, (*node).broken) ||
		slices.ContainsFunc(n.pairs, func(p pair) bool { return p.value.broken() })
}

// path returns the keys that lead to a value, such as services.web.command[1].
func (n *node) path() string {
	var keys []string
	for ; n.parent != nil; n = n.parent {
		keys = append(keys, n.key)
	}
	slices.Reverse(keys)
	return strings.ReplaceAll(strings.Join(keys, "."), ".[", "[")
}

// is returns what the value is, for a message: "it must be a list, not " + is().
func (n *node) is() string {
	switch n.kind {
	case mappingKind:
		return "a mapping"
	case listKind:
		return "a list"
	case nullKind:
		return "nothing"
	case scalarKind:
	}
	switch n.typ {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	}
	return "a string"
}

// same reports whether two values are equal. Their places do not matter.
func (n *node) same(o *node) bool {
	return n.kind == o.kind && n.text == o.text && slices.EqualFunc(n.items, o.items, (*node).same) &&
		slices.EqualFunc(n.pairs, o.pairs, func(a, b pair) bool { return a.key == b.key && a.value.same(b.value) })
}
