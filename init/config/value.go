package config

import (
	"slices"
	"strings"
)

// value is a kind of value: how it is read, and its shape. read answers false for what it has
// called wrong.
type value[V any] struct {
	*shape
	read func(p *problems, n *node) (V, bool)
}

// shape is what is known of a kind of value besides how it is read: how the values of two
// files become one, and what the JSON schema says of it. What the decoder, the merging of
// files and the schema know of a key stands in one place, the tables of keys.
type shape struct {
	schema   string            // of a value without others in it, in JSON
	keys     []*known          // of a mapping with known keys
	each     *shape            // of a mapping with keys of the writer's
	item     *shape            // of a list
	also     []*shape          // the other forms that it may have
	nullable bool              // nothing may be given
	whole    bool              // the value of a later file replaces it, and is not added to it
	tidy     func(*node) *node // makes the long form of a short one
	apart    string            // the key that, where it differs, keeps two mappings from being merged
}

// known is a key that is known in a mapping.
type known struct {
	name, doc string
	required  bool
	*shape
}

// field is a known key, and what becomes of its value: it is stored in what to points at.
// That has no type here, and no constructor is inlined, because some hundred of them, each for
// its own types, would make a third of a megabyte.
type field struct {
	known
	set func(p *problems, n *node, to any)
}

// key is a field that is stored as it is read.
//
//go:noinline
func key[T, V any](name, doc string, v value[V], to func(*T) *V) *field {
	return &field{known{name: name, doc: doc, shape: v.shape}, func(p *problems, n *node, t any) {
		if read, ok := v.read(p, n); ok {
			*to(t.(*T)) = read
		}
	}}
}

// keyTo is a field of which something is made.
//
//go:noinline
func keyTo[T, V any](name, doc string, v value[V], to func(p *problems, n *node, t *T, v V)) *field {
	return &field{known{name: name, doc: doc, shape: v.shape}, func(p *problems, n *node, t any) {
		if read, ok := v.read(p, n); ok {
			to(p, n, t.(*T), read)
		}
	}}
}

// inside is a field that is a mapping whose fields are stored beside it.
func inside(name, doc string, refused refusals, fields ...*field) *field {
	return &field{
		known{name: name, doc: doc, shape: &shape{keys: names(fields)}},
		func(p *problems, n *node, to any) { readFields(p, n, to, refused, fields) },
	}
}

func must(f *field) *field {
	f.required = true
	return f
}

func names(fields []*field) []*known {
	keys := make([]*known, len(fields))
	for i, f := range fields {
		keys[i] = &f.known
	}
	return keys
}

// object is a mapping with known keys; start is what it is without any. What is wrong with one
// of its values makes the others no less right.
//
//go:noinline
func object[T any](start T, refused refusals, fields ...*field) value[T] {
	return value[T]{&shape{keys: names(fields)}, func(p *problems, n *node) (T, bool) {
		t := start
		ok := readFields(p, n, &t, refused, fields)
		return t, ok
	}}
}

func readFields(p *problems, n *node, to any, refused refusals, fields []*field) bool {
	if !p.must(n, mappingKind, "a mapping") {
		return false
	}
	for _, pair := range n.pairs {
		if strings.HasPrefix(pair.key, "x-") {
			continue
		}
		i := slices.IndexFunc(fields, func(f *field) bool { return f.name == pair.key })
		switch {
		case i < 0:
			p.unknownKey(n, pair, refused, names(fields))
		case pair.value.kind != nullKind:
			fields[i].set(p, pair.value, to)
		case !fields[i].nullable:
			p.wrongAll(pair.value, "it has no value; give it one, or leave the key out")
		}
	}
	for _, f := range fields {
		if f.required && n.get(f.name) == nil {
			p.wrongAll(n, "the key %q is missing", f.name)
		}
	}
	return true
}

// must checks what a value is made of.
func (p *problems) must(n *node, k kind, what string) bool {
	if n.kind != k {
		p.wrong(n, "it must be %s, not %s", what, n.is())
	}
	return n.kind == k
}

// listOf is a list of values of one kind.
//
//go:noinline
func listOf[V any](item value[V]) value[[]V] {
	return value[[]V]{&shape{item: item.shape}, func(p *problems, n *node) ([]V, bool) {
		if !p.must(n, listKind, "a list") {
			return nil, false
		}
		values, all := make([]V, 0, len(n.items)), true
		for _, i := range n.items {
			v, ok := item.read(p, i)
			values, all = append(values, v), all && ok
		}
		return values, all
	}}
}

// entry is a value under a key of the writer's.
type entry[V any] struct {
	key   string
	node  *node
	value V
}

// mapOf is a mapping with keys of the writer's, in the order of the file. Entries that are
// wrong are in it as far as they could be read.
//
//go:noinline
func mapOf[V any](each value[V]) value[[]entry[V]] {
	form := &shape{each: each.shape}
	return value[[]entry[V]]{form, func(p *problems, n *node) ([]entry[V], bool) {
		what := "a mapping"
		if len(form.also) > 0 {
			what = "a mapping or a list"
		}
		if !p.must(n, mappingKind, what) {
			return nil, false
		}
		entries := make([]entry[V], 0, len(n.pairs))
		for _, pair := range n.pairs {
			if pair.value.kind == nullKind && !each.nullable {
				p.wrongAll(pair.value, "it has no value")
				continue
			}
			v, _ := each.read(p, pair.value)
			entries = append(entries, entry[V]{pair.key, pair.value, v})
		}
		return entries, true
	}}
}
