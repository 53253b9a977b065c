package config

import (
	"slices"
	"strings"
)

// variable is one of an environment; without a value it is inherited.
type variable struct {
	name  string
	value *string
}

// variables is a mapping, or a list of NAME=VALUE. Values are taken as they are written,
// numbers too.
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
		if n.kind == listKind { // one with other things than texts in it
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

// listToMapping makes the mapping of a list of NAME=VALUE. A later one of the same name
// replaces an earlier, as in Compose.
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

// ours are the variables that are between us and whoever started us.
func ours(kv string) bool {
	name, _, _ := strings.Cut(kv, "=")
	return strings.HasPrefix(name, envPrefix) || strings.HasPrefix(name, "LISTEN_") ||
		name == "NOTIFY_SOCKET" || strings.HasPrefix(name, "WATCHDOG_")
}

// environ is an environment in the making. The last value of a name is the one that counts.
type environ struct {
	list []string // NAME=VALUE; empty: taken away
	at   map[string]int
}

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

// strings returns it as processes get it.
func (e *environ) strings() []string {
	return slices.DeleteFunc(slices.Clone(e.list), func(kv string) bool { return kv == "" })
}

// apply puts vars into it; those without a value come from the supervisor's environment, and
// are not there if they are not in that.
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
