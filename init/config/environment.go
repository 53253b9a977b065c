package config

import (
	"slices"
	"strings"
)

// variable is a variable as it is written. Without a value it is inherited.
type variable struct {
	name  string
	value *string
}

// variables reads a mapping, or a list of NAME=VALUE. Values are taken as they are written, numbers
// too.
func variables() value[[]variable] {
	each := value[*string]{
		&shape{schema: `{"type":["string","number","boolean","null"]}`, nullable: true},
		func(p *problems, n *node) (*string, bool) {
			if n.kind == nullKind {
				return nil, true
			}
			return &n.text, p.must(n, scalarKind, "a single value")
		},
	}
	all := mapOf(each)
	all.also = []*shape{{item: &shape{schema: schemaText}}}
	all.tidy = listToMapping
	return value[[]variable]{all.shape, func(p *problems, n *node) ([]variable, bool) {
		if n.kind == listKind { // a list of texts has become a mapping, so this list has other items
			p.wrong(n, "it must be a mapping, or a list of NAME=VALUE")
			return nil, false
		}
		entries, ok := all.read(p, n)
		vars := make([]variable, 0, len(entries))
		for _, e := range entries {
			if e.key == "" || strings.ContainsAny(e.key, "=\x00") {
				p.wrongAll(e.node, "%q cannot be the name of a variable", e.key)
			}
			vars = append(vars, variable{e.key, e.value})
		}
		return vars, ok
	}}
}

// listToMapping returns the mapping that a list of NAME=VALUE stands for. A later item replaces an
// earlier one of the same name, as in Compose. Any other node is returned as it is.
func listToMapping(n *node) *node {
	if n.kind != listKind || slices.ContainsFunc(n.items, func(i *node) bool { return i.kind != scalarKind }) {
		return n
	}
	made := &node{kind: mappingKind, at: n.at, keyAt: n.keyAt, tag: n.tag}
	at := map[string]int{}
	for _, item := range n.items {
		name, value, has := strings.Cut(item.text, "=")
		v := &node{at: item.at, keyAt: item.at}
		if has {
			v.kind, v.typ, v.text = scalarKind, "!!str", value
		}
		if i, twice := at[name]; twice {
			made.pairs[i].value = v
			continue
		}
		at[name] = len(made.pairs)
		made.pairs = append(made.pairs, pair{name, v})
	}
	return made
}

// forCginit reports whether a variable is addressed to cginit itself, by its starter. Jobs do not get it.
func forCginit(kv string) bool {
	name, _, _ := strings.Cut(kv, "=")
	return strings.HasPrefix(name, envPrefix) || strings.HasPrefix(name, "LISTEN_") ||
		name == "NOTIFY_SOCKET" || strings.HasPrefix(name, "WATCHDOG_")
}

// environ is an environment that is being built. The last value of a name wins.
type environ struct {
	list []string       // NAME=VALUE; an empty one was removed
	at   map[string]int // the index of each name in list
}

// newEnviron returns an environ with the variables of env.
func newEnviron(env []string) *environ {
	e := &environ{at: map[string]int{}}
	for _, kv := range env {
		if name, _, ok := strings.Cut(kv, "="); ok {
			e.put(name, kv)
		}
	}
	return e
}

func (e *environ) set(name, value string) { e.put(name, name+"="+value) }

// put sets the variable name to the value in kv, which is NAME=VALUE and is kept as it is: the
// environments of many jobs share its bytes.
func (e *environ) put(name, kv string) {
	i, ok := e.at[name]
	if !ok {
		i = len(e.list)
		e.at[name], e.list = i, append(e.list, "")
	}
	e.list[i] = kv
}

func (e *environ) unset(name string) {
	if i, ok := e.at[name]; ok {
		e.list[i] = ""
		delete(e.at, name)
	}
}

func (e *environ) get(name string) (string, bool) {
	i, ok := e.at[name]
	if !ok {
		return "", false
	}
	return e.list[i][len(name)+1:], true
}

// strings returns the environment in the form that processes get.
func (e *environ) strings() []string {
	n := 0
	for _, kv := range e.list {
		if kv != "" {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	env := make([]string, 0, n) // no longer than needed: jobs keep it as long as they live
	for _, kv := range e.list {
		if kv != "" {
			env = append(env, kv)
		}
	}
	return env
}

// apply puts vars into the environment. A variable without a value gets that of from, and is removed
// if from does not have it.
func (e *environ) apply(vars []variable, from []string) {
	for _, v := range vars {
		value, ok := "", true
		if v.value != nil {
			value = *v.value
		} else {
			value, ok = lookup(from, v.name)
		}
		if ok {
			e.set(v.name, value)
		} else {
			e.unset(v.name)
		}
	}
}
