package config

import (
	"errors"
	"path/filepath"
	"slices"
)

// whole is what all files, merged, say.
type whole struct {
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
	merged := readAll(p, paths, env)
	if merged == nil || len(p.list) > 0 {
		return nil, p.err() // what follows would be guesses
	}
	w, _ := fileKeys().read(p, merged)
	if w.GracePeriod == 0 && merged.get("stop_grace_period") == nil {
		w.GracePeriod = DefaultGracePeriod
	}
	r := &resolver{problems: p, env: env, profiles: profiles, inherited: slices.DeleteFunc(slices.Clone(env), ours), dir: filepath.Dir(paths[0]), file: &w.File}
	r.resolve(merged, w.drafts)
	if err := p.err(); err != nil {
		return nil, err
	}
	w.Warnings = p.warnings
	return &w.File, nil
}

// readAll returns the files as one value, nil if there is none.
func readAll(p *problems, paths, env []string) *node {
	vars := newEnviron(env)
	keys := fileKeys().shape
	var merged *node
	for i, path := range paths {
		src := &source{name: path, index: i}
		n := readOne(p, src, vars.get)
		if n == nil {
			continue
		}
		if n = straighten(keys, n); merged == nil {
			merged = n
		} else {
			merged = merge(keys, merged, n)
		}
	}
	if merged != nil {
		merged.prune()
	}
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
	if n.kind != mapping && !t.full {
		p.add(n.at, "", "it must be a mapping with services or jobs, not %s", n.is())
		return nil
	}
	return n
}
