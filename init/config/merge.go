package config

import (
	"slices"
	"strconv"
)

// merge makes one value of those of two files, as Compose does: mappings key by key, lists one
// after the other without what is there twice, and of anything else the later one.
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

func differ(a, b *node) bool { return a != nil && b != nil && !a.same(b) }

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

// maxCompared bounds a search among values that no person has written by hand.
const maxCompared = 1000

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

// under is the shape of what a mapping has at a key; nil: nothing is known of it.
func (s *shape) under(key string) *shape {
	if s == nil {
		return nil
	}
	if i := slices.IndexFunc(s.keys, func(k *known) bool { return k.name == key }); i >= 0 {
		return s.keys[i].shape
	}
	return s.each
}

// straighten makes the long forms of the short ones below n.
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

// prune takes away what is reset, and tells the values that are left how they are reached.
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
