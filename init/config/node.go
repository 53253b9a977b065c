package config

import (
	"slices"
	"strings"
)

// kind is what a value is made of.
type kind int

const (
	nullKind kind = iota
	scalarKind
	listKind
	mappingKind
)

// node is a value of the file, with where it stands and by which keys it is reached.
type node struct {
	kind  kind
	typ   string  // of a scalar: YAML's short tag, such as !!int
	text  string  // of a scalar, interpolated
	items []*node // of a list
	pairs []pair  // of a mapping

	at, keyAt position // of the value and of its key
	parent    *node
	key       string // in the parent: a key, or [0]
	tag       string // !reset or !override, which say how files are merged
	bad       bool   // something has been said of it already
}

type pair struct {
	key   string
	value *node
}

// get returns the value of a key, nil if there is none.
func (n *node) get(key string) *node {
	if i := slices.IndexFunc(n.pairs, func(p pair) bool { return p.key == key }); i >= 0 {
		return n.pairs[i].value
	}
	return nil
}

// index returns where each key is, for those who look up many.
func (n *node) index() map[string]int {
	at := make(map[string]int, len(n.pairs))
	for i, p := range n.pairs {
		at[p.key] = i
	}
	return at
}

// broken tells whether something was wrong with it, or below it, before its keys were read.
func (n *node) broken() bool {
	return n.bad || slices.ContainsFunc(n.items, (*node).broken) ||
		slices.ContainsFunc(n.pairs, func(p pair) bool { return p.value.broken() })
}

// path is how a value is reached, such as services.web.command[1].
func (n *node) path() string {
	var keys []string
	for ; n.parent != nil; n = n.parent {
		keys = append(keys, n.key)
	}
	slices.Reverse(keys)
	return strings.ReplaceAll(strings.Join(keys, "."), ".[", "[")
}

// is tells what the value is, for a message.
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

// same tells whether two values are equal, wherever they stand.
func (n *node) same(o *node) bool {
	return n.kind == o.kind && n.text == o.text && slices.EqualFunc(n.items, o.items, (*node).same) &&
		slices.EqualFunc(n.pairs, o.pairs, func(a, b pair) bool { return a.key == b.key && a.value.same(b.value) })
}
