package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
)

// Graph holds, for each file of a package, the other files that it uses. Uses of struct fields do
// not count. Most of them are of the one struct that all methods share, and a file that calls no
// function of another file can be read without it.
type Graph map[string]map[string]bool

// fileGraph returns the graph of the package's files. A file uses another if it names a
// package-level object or a method that the other declares.
func (m *Module) fileGraph(p *Package) Graph {
	graph := Graph{}
	for _, file := range p.files {
		from := m.base(file.Pos())
		graph[from] = map[string]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			object := p.info.Uses[id]
			if object == nil || !shared(p.types, object) {
				return true
			}
			if to := m.base(object.Pos()); to != from {
				graph[from][to] = true
			}
			return true
		})
	}
	return graph
}

// base returns the name of the file that pos is in, without its directory.
func (m *Module) base(pos token.Pos) string {
	return filepath.Base(m.fset.Position(pos).Filename)
}

// shared reports whether the object is declared at pkg's package level or is a method of pkg's,
// also one of an interface.
func shared(pkg *types.Package, object types.Object) bool {
	if object.Pkg() != pkg {
		return false
	}
	if object.Parent() == pkg.Scope() {
		return true
	}
	method, ok := object.(*types.Func)
	return ok && method.Signature().Recv() != nil
}

// edges returns the number of edges.
func (g Graph) edges() int {
	n := 0
	for _, to := range g {
		n += len(to)
	}
	return n
}

// mutual returns the pairs of files that use each other.
func (g Graph) mutual() []string {
	var pairs []string
	for a, to := range g {
		for b := range to {
			if a < b && g[b][a] {
				pairs = append(pairs, a+"-"+b)
			}
		}
	}
	slices.Sort(pairs)
	return pairs
}

// largestCycle returns the files of the largest strongly connected component, sorted. It is a
// single file if no files use each other, directly or through others.
func (g Graph) largestCycle() []string {
	reach := map[string]map[string]bool{}
	for a := range g {
		reach[a] = map[string]bool{a: true}
		g.walk(a, reach[a])
	}
	var largest []string
	for a := range g {
		var cycle []string
		for b := range reach[a] {
			if reach[b][a] {
				cycle = append(cycle, b)
			}
		}
		slices.Sort(cycle)
		// Of several equally large ones the first by name is taken, so that the result is always the same.
		if len(cycle) > len(largest) || len(cycle) == len(largest) && slices.Compare(cycle, largest) < 0 {
			largest = cycle
		}
	}
	return largest
}

// walk adds to seen all files that can be reached from file.
func (g Graph) walk(file string, seen map[string]bool) {
	for next := range g[file] {
		if !seen[next] {
			seen[next] = true
			g.walk(next, seen)
		}
	}
}
