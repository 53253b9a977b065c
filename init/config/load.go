package config

import (
	"errors"
	"path/filepath"
	"slices"
)

// document is what all files, merged, say.
type document struct {
	File
	drafts []draft
}

// Load reads configuration files, the later merged over the earlier as Compose merges them,
// puts the variables of env (NAME=VALUE) into them, and makes of them what is to be done.
// Services and jobs that have profiles are in it if one of theirs is among profiles, or if *
// is. Everything that is wrong is in the error, a line each: see [Error].
func Load(paths, env, profiles []string) (*File, error) {
	if len(paths) == 0 {
		return nil, errors.New("no configuration file is named")
	}
	p := &problems{}
	keys := fileKeys()
	merged := readAll(p, keys.shape, paths, env)
	if merged == nil {
		return nil, p.err()
	}
	doc, _ := keys.read(p, merged)
	if doc.GracePeriod == 0 && merged.get("stop_grace_period") == nil {
		doc.GracePeriod = DefaultGracePeriod
	}
	r := &resolver{
		problems: p, env: env, inherited: slices.DeleteFunc(slices.Clone(env), ours), profiles: profiles,
		dir: filepath.Dir(paths[0]), file: &doc.File,
	}
	r.resolve(merged, doc.drafts)
	if err := p.err(); err != nil {
		return nil, err
	}
	doc.Warnings = p.warnings
	return &doc.File, nil
}

// readAll returns the files as one value; nil if one of them cannot be read, for without it
// the rest would be guesses.
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
		p.add(n.at, "", "it must be a mapping with services or jobs, not %s", n.is())
		return nil
	}
	return n
}
