package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds the number of problems, and of warnings, that are listed.
const maxProblems = 50

// source is one configuration file.
type source struct {
	name  string
	index int // its index among the files
}

// position is a place in a file. Lines and columns count from 1; 0 means that it is not known.
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

// problem is one thing that is wrong with the files.
type problem struct {
	at         position
	path, text string
}

// problems collects the problems with the files, and the warnings.
type problems struct {
	list     []problem
	left     int // how many problems were not added to the full list
	warnings []string
}

// add adds a problem with the value at a path.
func (p *problems) add(at position, path, format string, args ...any) {
	found := problem{at, path, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")}
	switch {
	case slices.Contains(p.list, found): // all aliases of an anchor have the same problem
	case len(p.list) < maxProblems:
		p.list = append(p.list, found)
	default:
		p.left++
	}
}

// wrong adds a problem with a value, unless a problem with it was added before its keys were read.
func (p *problems) wrong(n *node, format string, args ...any) {
	if !n.bad {
		p.add(n.at, n.path(), format, args...)
	}
}

// wrongAll adds a problem with a value as a whole, at the place of its key.
func (p *problems) wrongAll(n *node, format string, args ...any) {
	p.add(n.keyAt, n.path(), format, args...)
}

// has reports whether there is a problem with the value or with one below it. Then the lack of
// something in it is no problem of its own.
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

// at reports whether there is a problem with the value itself.
func (p *problems) at(n *node) bool {
	path := n.path()
	return slices.ContainsFunc(p.list, func(found problem) bool { return found.path == path })
}

// warn adds a warning.
func (p *problems) warn(text string) {
	if len(p.warnings) < maxProblems && !slices.Contains(p.warnings, text) {
		p.warnings = append(p.warnings, text)
	}
}

// err returns all problems as an [Error], in the order of the files; nil if there are none.
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
		lines = append(lines, fmt.Sprintf("and %d more problems, which are not listed", p.left))
	}
	return Error(lines)
}

// Error lists the problems with the files, a line for each: FILE:LINE:COLUMN: KEY: what is wrong.
type Error []string

func (e Error) Error() string { return strings.Join(e, "\n") }
