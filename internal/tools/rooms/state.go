package main

import (
	"go/types"
	"slices"
)

// exportedFields returns the names of the exported fields of the named types of p, and a line for
// each type that is absent or no struct. It includes fields that embedded structs promote, since
// these can be written from outside as well.
func exportedFields(p *Package, names []string) []string {
	var found []string
	for _, name := range names {
		named := p.named(name)
		if named == nil {
			found = append(found, "no type "+p.types.Name()+"."+name)
			continue
		}
		if _, ok := named.Underlying().(*types.Struct); !ok {
			found = append(found, p.types.Name()+"."+name+" is no struct")
			continue
		}
		for _, field := range promoted(named, nil) {
			found = append(found, p.types.Name()+"."+name+"."+field)
		}
	}
	return found
}

// promoted returns the exported fields of the struct t and of the structs that it embeds. It skips
// the types in seen, which end a recursion.
func promoted(t types.Type, seen []types.Type) []string {
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	if slices.Contains(seen, t) {
		return nil
	}
	fields, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	var found []string
	for field := range fields.Fields() {
		if field.Exported() {
			found = append(found, field.Name())
		}
		if field.Embedded() {
			found = append(found, promoted(field.Type(), append(seen, t))...)
		}
	}
	return found
}
