package config

import (
	"errors"
	"path/filepath"
	"slices"
)

// document is the content of all files, merged, before its drafts are resolved.
type document struct {
	File
	drafts []draft
}

// Load reads configuration files and merges the later ones over the earlier ones, as Compose does. It
// replaces variables by those of env (NAME=VALUE). A service or job that has profiles is included if
// one of them is in profiles, or if "*" is. If anything is wrong the error is an [Error] with a line
// for each problem.
func Load(paths, env, profiles []string) (*File, error) {
	if len(paths) == 0 {
		return nil, errors.New("there is no configuration file to read")
	}
	p := &problems{}
	keys := fileKeys()
	merged := readAll(p, keys.shape, paths, env)
	if merged == nil {
		return nil, p.err()
	}
	doc, _ := keys.read(p, merged)
	r := &resolver{
		problems: p, env: env, inherited: slices.DeleteFunc(slices.Clone(env), forCginit), profiles: profiles,
		dir: filepath.Dir(paths[0]), file: &doc.File,
	}
	r.resolve(merged, doc.drafts)
	if err := p.err(); err != nil {
		return nil, err
	}
	if merged.get("stop_grace_period") == nil {
		doc.setBudget()
	}
	f := doc.File // a pointer into doc would keep the drafts alive
	f.Warnings = p.warnings
	return &f, nil
}

// readAll returns the files merged into one node. It returns nil if one of them cannot be read, because
// problems with the others could then be due to the missing one.
func readAll(p *problems, keys *shape, paths, env []string) *node {
	vars := newEnviron(env)
	var merged *node
	whole := true
	for i, path := range paths {
		n := readOne(p, &source{name: path, index: i}, vars.get)
		switch {
		case n == nil:
			whole = false
		case merged == nil:
			merged = straighten(keys, n)
		default:
			merged = merge(keys, merged, straighten(keys, n))
		}
	}
	if !whole {
		return nil
	}
	merged.prune()
	return merged
}

// readOne returns the content of one file; nil if it is not a mapping or cannot be read.
func readOne(p *problems, src *source, lookup func(string) (string, bool)) *node {
	data, err := readFile(src.name)
	if err != nil {
		p.add(position{src, 0, 0}, "", "%v", err)
		return nil
	}
	doc, line, err := parseYAML(data)
	if err != nil {
		p.add(position{src, line, 0}, "", "%v", err)
		return nil
	}
	t := &tree{source: src, problems: p, lookup: lookup}
	n := t.convert(doc, 0)
	switch {
	case t.full:
		return nil
	case n.kind != mappingKind:
		p.add(n.at, "", "the file must be a mapping with services or jobs, not %s", n.is())
		return nil
	}
	return n
}
