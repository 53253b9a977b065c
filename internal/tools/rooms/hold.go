package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Hold is the package that may look behind its interface, and the places where others do.
type Hold struct {
	room  string       // the directory whose own uses do not count; empty: every use counts
	iface *types.Named // nil: there is none
	level *types.Named // nil: there is none

	asserts  []string // type assertions and type switches on iface
	compares []string // comparisons of a level with a constant
}

// findHold returns the package that declares the interface and the levels. missing says which of
// them it did not find. Until holdDir exists, findHold takes them from holdBeforeDir, and every use
// counts.
func (m *Module) findHold() (hold *Hold, missing string) {
	p := m.packages[holdDir]
	if p == nil {
		hold = &Hold{}
		if before := m.packages[holdBeforeDir]; before != nil {
			hold.iface, hold.level = before.named(holdBeforeInterface), before.named(holdLevel)
		}
		return hold, "no package " + holdDir
	}
	hold = &Hold{room: holdDir, iface: p.named(holdInterface), level: p.named(holdLevel)}
	switch {
	case hold.iface == nil:
		missing = "no type " + p.types.Name() + "." + holdInterface
	case hold.level == nil:
		missing = "no type " + p.types.Name() + "." + holdLevel
	}
	return hold, missing
}

// look collects in hold the type assertions on the interface and the comparisons with constant
// levels in all packages but its own.
func (m *Module) look(hold *Hold) {
	for _, p := range m.sorted() {
		if p.dir == hold.room {
			continue
		}
		for _, file := range p.files {
			ast.Inspect(file, func(n ast.Node) bool {
				m.visit(hold, p, n)
				return true
			})
		}
	}
}

// visit adds the node to hold if it is a type assertion, a type switch or a comparison that counts.
func (m *Module) visit(hold *Hold, p *Package, n ast.Node) {
	switch n := n.(type) {
	case *ast.TypeAssertExpr: // also that of a type switch, which has no Type
		if is(p.source(n.X), hold.iface) {
			hold.asserts = append(hold.asserts, m.position(n.Pos()))
		}
	case *ast.BinaryExpr:
		if (n.Op == token.EQL || n.Op == token.NEQ) && hold.compared(p, n.X, n.Y) {
			hold.compares = append(hold.compares, m.position(n.Pos()))
		}
	case *ast.SwitchStmt:
		if n.Tag == nil {
			return // without a tag each case is an expression, which is visited by itself
		}
		for _, clause := range n.Body.List {
			for _, value := range clause.(*ast.CaseClause).List {
				if hold.compared(p, n.Tag, value) {
					hold.compares = append(hold.compares, m.position(value.Pos()))
				}
			}
		}
	}
}

// compared reports whether x == y compares a level with a constant.
func (h *Hold) compared(p *Package, x, y ast.Expr) bool {
	if p.info.Types[x].Value == nil && p.info.Types[y].Value == nil {
		return false
	}
	return is(p.source(x), h.level) || is(p.source(y), h.level)
}

// is reports whether t is the type want. The same type is two objects if it is once checked from
// source and once read from export data, so is compares their packages and names.
func is(t types.Type, want *types.Named) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || want == nil || named.Obj().Pkg() == nil {
		return false
	}
	object := want.Obj()
	return named.Obj().Name() == object.Name() && named.Obj().Pkg().Path() == object.Pkg().Path()
}

// source returns the type of x before the conversions in it: any(c).(T) is an assertion on c.
func (p *Package) source(x ast.Expr) types.Type {
	x = ast.Unparen(x)
	call, ok := x.(*ast.CallExpr)
	if ok && len(call.Args) == 1 && p.info.Types[call.Fun].IsType() {
		return p.source(call.Args[0])
	}
	return p.info.TypeOf(x)
}
