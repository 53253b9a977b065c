package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds what is said of files that are wrong through and through.
const maxProblems = 50

// source is one configuration file.
type source struct {
	name  string
	index int // its place among the files
}

// position is a place in a file. Lines and columns count from 1; 0 is for one that is not known.
type position struct {
	*source
	line, column int
}

func (p position) String() string {
	switch {
	case p.source == nil:
		return "?"
	case p.line == 0:
		return p.name
	case p.column == 0:
		return fmt.Sprintf("%s:%d", p.name, p.line)
	}
	return fmt.Sprintf("%s:%d:%d", p.name, p.line, p.column)
}

type problem struct {
	at         position
	path, text string
}

// problems collects what is wrong with the files, and what is only to be warned of.
type problems struct {
	list     []problem
	left     int // how many more there are than are listed
	warnings []string
}

// add notes a problem of the value at this path.
func (p *problems) add(at position, path, format string, args ...any) {
	found := problem{at, path, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")}
	switch {
	case slices.Contains(p.list, found): // of an anchor, once for all its aliases
	case len(p.list) < maxProblems:
		p.list = append(p.list, found)
	default:
		p.left++
	}
}

// wrong notes a problem of a value.
func (p *problems) wrong(n *node, format string, args ...any) {
	if !n.bad {
		p.add(n.at, n.path(), format, args...)
	}
}

// wrongAll notes a problem of a mapping as a whole, at its key.
func (p *problems) wrongAll(n *node, format string, args ...any) {
	p.add(n.keyAt, n.path(), format, args...)
}

// has tells whether there is a problem with the value, or one below it: then what it lacks is
// no surprise.
func (p *problems) has(n *node) bool {
	if n == nil {
		return false
	}
	path := n.path()
	return n.broken() || slices.ContainsFunc(p.list, func(found problem) bool {
		rest, below := strings.CutPrefix(found.path, path)
		return below && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// at tells whether there is a problem with the value itself.
func (p *problems) at(n *node) bool {
	path := n.path()
	return slices.ContainsFunc(p.list, func(found problem) bool { return found.path == path })
}

func (p *problems) warn(text string) {
	if len(p.warnings) < maxProblems && !slices.Contains(p.warnings, text) {
		p.warnings = append(p.warnings, text)
	}
}

// err returns all problems as one error, a line each, in the order of the files; nil if there
// are none.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.at.index, b.at.index), cmp.Compare(a.at.line, b.at.line),
			cmp.Compare(a.at.column, b.at.column))
	})
	lines := make([]string, len(p.list))
	for i, found := range p.list {
		lines[i] = found.at.String() + ": " + found.text
		if found.path != "" {
			lines[i] = found.at.String() + ": " + found.path + ": " + found.text
		}
	}
	if p.left > 0 {
		lines = append(lines, fmt.Sprintf("and %d more problems", p.left))
	}
	return Error(lines)
}

// Error is everything that is wrong with the files, a line for each.
type Error []string

func (e Error) Error() string { return strings.Join(e, "\n") }
