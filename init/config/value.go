package config

import (
	"slices"
	"strings"
)

// value is a kind of value: the function that reads it, and its shape. read returns false if it has
// reported a problem.
type value[V any] struct {
	*shape
	read func(p *problems, n *node) (V, bool)
}

// shape describes a kind of value for the merging of files and for the JSON schema. Together with the
// function that reads it, it is the one place for what is known about a key.
type shape struct {
	// schema is the JSON schema of a scalar.
	schema string
	// keys are the keys of a mapping that has known ones.
	keys []*known
	// each is the shape of all values of a mapping that has arbitrary keys.
	each *shape
	// item is the shape of the items of a list.
	item *shape
	// also has the other forms that the value may have.
	also []*shape
	// nullable values may be left empty.
	nullable bool
	// whole values are replaced by those of a later file, and not merged with them.
	whole bool
	// tidy returns the long form of a short one; nil: there is no short form.
	tidy func(*node) *node
	// apart is the key that keeps two mappings from being merged if its values differ.
	apart string
}

// known is a known key of a mapping.
type known struct {
	name, doc string
	required  bool
	*shape
}

// field is a known key and the function that stores its value in the struct to which to points. The
// function has no type parameter, and the constructors of fields are not inlined: a hundred of them,
// each for types of its own, would add a third of a megabyte to the binary.
type field struct {
	known
	set func(p *problems, n *node, to any)
}

// key returns a field whose value is stored as it is read.
//
//go:noinline
func key[T, V any](name, doc string, v value[V], to func(*T) *V) *field {
	return &field{known{name: name, doc: doc, shape: v.shape}, func(p *problems, n *node, t any) {
		if read, ok := v.read(p, n); ok {
			*to(t.(*T)) = read
		}
	}}
}

// keyTo returns a field whose value is passed to a function.
//
//go:noinline
func keyTo[T, V any](name, doc string, v value[V], to func(p *problems, n *node, t *T, v V)) *field {
	return &field{known{name: name, doc: doc, shape: v.shape}, func(p *problems, n *node, t any) {
		if read, ok := v.read(p, n); ok {
			to(p, n, t.(*T), read)
		}
	}}
}

// inside returns a field that is a mapping. The fields in it are stored in the same struct as the field
// itself.
func inside(name, doc string, refused refusals, fields ...*field) *field {
	return &field{
		known{name: name, doc: doc, shape: &shape{keys: names(fields)}},
		func(p *problems, n *node, to any) { readFields(p, n, to, refused, fields) },
	}
}

// must makes a field required.
func must(f *field) *field {
	f.required = true
	return f
}

// names returns the keys of fields.
func names(fields []*field) []*known {
	keys := make([]*known, len(fields))
	for i, f := range fields {
		keys[i] = &f.known
	}
	return keys
}

// object reads a mapping with known keys into a T. start is the T without any. A problem with one value
// does not keep the others from being read.
//
//go:noinline
func object[T any](start T, refused refusals, fields ...*field) value[T] {
	return value[T]{&shape{keys: names(fields)}, func(p *problems, n *node) (T, bool) {
		t := start
		ok := readFields(p, n, &t, refused, fields)
		return t, ok
	}}
}

// readFields stores the values of a mapping in the struct to which to points. It reports unknown and
// missing keys, and returns false if n is not a mapping.
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
			p.wrongAll(pair.value, "this key has no value; give it one, or leave the key out")
		}
	}
	for _, f := range fields {
		if f.required && n.get(f.name) == nil {
			p.wrongAll(n, "the key %q is missing", f.name)
		}
	}
	return true
}

// must reports a value that is not of kind k, and returns whether it is. what names the kind.
func (p *problems) must(n *node, k kind, what string) bool {
	if n.kind != k {
		p.wrong(n, "it must be %s, not %s", what, n.is())
	}
	return n.kind == k
}

// listOf reads a list of values of one kind.
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

// entry is the value of an arbitrary key.
type entry[V any] struct {
	key   string
	node  *node
	value V
}

// mapOf reads a mapping with arbitrary keys, in the order of the file. Entries with problems are
// included as far as they could be read.
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
				p.wrongAll(pair.value, "this key has no value; give it one, or leave the key out")
				continue
			}
			v, _ := each.read(p, pair.value)
			entries = append(entries, entry[V]{pair.key, pair.value, v})
		}
		return entries, true
	}}
}
