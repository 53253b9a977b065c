package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// envFile is a file of variables, as env_file names it.
type envFile struct {
	path     string
	required bool
	raw      bool  // values are taken literally
	node     *node // where the path is written; nil: the path is missing
}

// envFiles reads one path, or a list of paths and mappings.
func envFiles() value[[]envFile] {
	long := object(envFile{required: true}, nil,
		must(keyTo("path", "the path of the file; relative to the folder of the first configuration file", text(),
			func(_ *problems, n *node, f *envFile, path string) { f.path, f.node = path, n })),
		key("required", "false: the file may be missing", boolean(), func(f *envFile) *bool { return &f.required }),
		keyTo("format", "raw: values are taken literally; quotes and variables mean nothing", word("raw"),
			func(_ *problems, _ *node, f *envFile, _ string) { f.raw = true }))
	long.also = []*shape{{schema: schemaText}}
	one := value[envFile]{long.shape, func(p *problems, n *node) (envFile, bool) {
		if n.kind == mappingKind {
			return long.read(p, n)
		}
		path, ok := text().read(p, n)
		return envFile{path: path, required: true, node: n}, ok
	}}
	all := listOf(one)
	all.also = []*shape{{schema: schemaText}}
	all.tidy = func(n *node) *node {
		if n.kind != scalarKind {
			return n
		}
		return &node{kind: listKind, items: []*node{n}, at: n.at, keyAt: n.keyAt, tag: n.tag}
	}
	return all
}

// load puts the variables of the file into e. A variable that a value refers to is looked up in the
// lines of the file above it, then in from.
func (f envFile) load(p *problems, e *environ, dir string, from []string) {
	if f.node == nil { // the missing path has been reported
		return
	}
	name := f.path
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	data, err := readFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !f.required:
		return
	case err != nil:
		p.wrong(f.node, "%s: %v", name, err)
		return
	}
	in := envReader{
		vars: e, own: newEnviron(nil), from: from, raw: f.raw,
		rest: strings.TrimPrefix(string(data), "\ufeff"), line: 1,
	}
	for in.rest != "" {
		if err := in.next(); err != nil {
			p.wrong(f.node, "%s:%d: %v", name, in.line, err)
			return
		}
	}
}

// envReader reads lines of NAME=VALUE, with the comments, quotes and variables that Compose allows.
type envReader struct {
	vars *environ // the result
	from []string // the environment that variables come from
	raw  bool     // values are taken literally
	rest string   // the text that is not read yet
	line int      // the number of its first line, from 1
	own  *environ // the variables of this file so far
}

// take moves on behind a text of one or more lines, with which rest begins.
func (r *envReader) take(line string) {
	r.rest = strings.TrimPrefix(r.rest[len(line):], "\n")
	r.line += strings.Count(line, "\n") + 1
}

// next reads one variable, or one line without any.
func (r *envReader) next() error {
	line, _, _ := strings.Cut(r.rest, "\n")
	bare := strings.TrimSpace(line)
	if bare == "" || bare[0] == '#' {
		r.take(line)
		return nil
	}
	name, value, has := strings.Cut(strings.TrimRight(line, "\r"), "=")
	name = strings.TrimSpace(name)
	if exported, ok := strings.CutPrefix(name, "export "); ok {
		name = strings.TrimSpace(exported)
	}
	switch {
	case name == "" || strings.ContainsAny(name, " \t:'\"$\x00"):
		return fmt.Errorf("%q is not of the form NAME=VALUE", bare)
	case !has:
		r.take(line)
		r.vars.apply([]variable{{name: name}}, r.from)
		return nil
	}
	value, err := r.value(line, value)
	if err != nil {
		return err
	}
	if strings.ContainsRune(value, 0) {
		return errors.New("the value has a zero byte in it, which no environment can hold")
	}
	r.vars.set(name, value)
	r.own.set(name, value)
	return nil
}

// value returns the value of a variable, and moves on behind it. line is the first line of rest, text
// the part after the equals sign. A quoted value may span several lines.
func (r *envReader) value(line, value string) (string, error) {
	if r.raw {
		r.take(line)
		return value, nil
	}
	value = strings.TrimSpace(value)
	if value == "" || value[0] != '\'' && value[0] != '"' {
		r.take(line)
		if i := strings.Index(" "+value, " #"); i >= 0 {
			value = strings.TrimSpace(value[:max(i-1, 0)])
		}
		return interpolate(value, r.lookup, func(string) {})
	}
	quote := value[0]
	start := strings.IndexByte(line, '=') + 1
	start += strings.IndexByte(r.rest[start:], quote) + 1
	end := closingQuote(r.rest[start:], quote)
	if end < 0 {
		return "", fmt.Errorf("the quote %c is not closed", quote)
	}
	value = r.rest[start : start+end]
	after, _, _ := strings.Cut(r.rest[start+end+1:], "\n")
	if left := strings.TrimSpace(after); left != "" && left[0] != '#' {
		return "", fmt.Errorf("there is %q after the closing quote; remove it, or begin a comment with #", left)
	}
	r.take(r.rest[:start+end+1+len(after)])
	if quote == '\'' {
		return value, nil
	}
	return interpolate(unescapeQuoted(value), r.lookup, func(string) {})
}

// lookup returns the value of a variable that a value refers to.
func (r *envReader) lookup(name string) (string, bool) {
	if value, ok := r.own.get(name); ok {
		return value, true
	}
	return lookup(r.from, name)
}

// closingQuote returns the index of the quote that ends s; -1 if there is none.
func closingQuote(s string, quote byte) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i
		case s[i] == '\\' && quote == '"':
			i++
		}
	}
	return -1
}

// unescapeQuoted replaces the escapes of a double-quoted value. It leaves \$ as $$, which the
// interpolation turns into a dollar.
var unescapeQuoted = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\$`, "$$").Replace
