package config

import (
	"slices"
	"strconv"
)

// merge returns the value that two files give to one key, by the rules of Compose. Mappings are merged
// key by key, lists are joined without duplicates, and of anything else the later value wins.
func merge(s *shape, base, over *node) *node {
	switch {
	case over.tag != "" || s != nil && s.whole: // !override, !reset
		return over
	case over.kind == nullKind:
		return base
	case base.kind == mappingKind && over.kind == mappingKind:
		if s != nil && s.apart != "" && differ(base.get(s.apart), over.get(s.apart)) {
			return over
		}
		return mergeMappings(s, base, over)
	case base.kind == listKind && over.kind == listKind:
		return mergeLists(base, over)
	}
	return over
}

// differ reports whether both nodes exist and are not equal.
func differ(a, b *node) bool { return a != nil && b != nil && !a.same(b) }

// mergeMappings merges two mappings key by key.
func mergeMappings(s *shape, base, over *node) *node {
	made := *base
	made.pairs = slices.Clone(base.pairs)
	has := base.index()
	for _, p := range over.pairs {
		if i, ok := has[p.key]; ok {
			made.pairs[i].value = merge(s.under(p.key), made.pairs[i].value, p.value)
			continue
		}
		has[p.key] = len(made.pairs)
		made.pairs = append(made.pairs, p)
	}
	return &made
}

// maxCompared bounds searches that compare each value with all others. Nobody writes so many by hand.
const maxCompared = 1000

// mergeLists appends the items of over that base does not have.
func mergeLists(base, over *node) *node {
	made := *base
	made.items = slices.Clone(base.items)
	texts := map[string]bool{}
	for _, item := range base.items {
		texts[item.text] = texts[item.text] || item.kind == scalarKind
	}
	for _, item := range over.items {
		switch {
		case item.kind == scalarKind && texts[item.text]:
		case item.kind != scalarKind && slices.ContainsFunc(base.items[:min(len(base.items), maxCompared)], item.same):
		default:
			made.items = append(made.items, item)
		}
	}
	return &made
}

// under returns the shape of the value that a mapping has at a key; nil if the key is unknown.
func (s *shape) under(key string) *shape {
	if s == nil {
		return nil
	}
	if i := slices.IndexFunc(s.keys, func(k *known) bool { return k.name == key }); i >= 0 {
		return s.keys[i].shape
	}
	return s.each
}

// straighten returns n with all short forms in it replaced by their long forms.
func straighten(s *shape, n *node) *node {
	if s == nil {
		return n
	}
	if s.tidy != nil {
		n = s.tidy(n)
	}
	for i, item := range n.items {
		n.items[i] = straighten(s.item, item)
	}
	for i, p := range n.pairs {
		n.pairs[i].value = straighten(s.under(p.key), p.value)
	}
	return n
}

// prune removes the values that are tagged !reset, and sets parent and key of all others.
func (n *node) prune() {
	n.pairs = slices.DeleteFunc(n.pairs, func(p pair) bool { return p.value.tag == "!reset" })
	n.items = slices.DeleteFunc(n.items, func(i *node) bool { return i.tag == "!reset" })
	for i, item := range n.items {
		item.parent, item.key = n, "["+strconv.Itoa(i)+"]"
		item.prune()
	}
	for _, p := range n.pairs {
		p.value.parent, p.value.key = n, p.key
		p.value.prune()
	}
}
