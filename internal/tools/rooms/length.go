package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Length is the number of lines of a function or file.
type Length struct {
	name  string
	lines int
	step  bool // a method that is one switch over every pair of state and event, and may be long
}

// functions returns the lengths of the declared functions, from "func" to the closing brace.
func (m *Module) functions(packages []*Package) []Length {
	var all []Length
	for _, p := range packages {
		for _, file := range p.files {
			for _, decl := range file.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok {
					all = append(all, m.function(f))
				}
			}
		}
	}
	return all
}

// function returns the length of f. Its name says where it is.
func (m *Module) function(f *ast.FuncDecl) Length {
	first, last := m.fset.Position(f.Type.Func).Line, m.fset.Position(f.End()).Line
	return Length{
		name:  fmt.Sprintf("%s: %s", m.position(f.Type.Func), f.Name.Name),
		lines: last - first + 1,
		step:  f.Recv != nil && (f.Name.Name == "step" || f.Name.Name == "Step"),
	}
}

// fileLengths returns the lengths of the packages' files.
func (m *Module) fileLengths(packages []*Package) []Length {
	var all []Length
	for _, p := range packages {
		for _, file := range p.files {
			tokens := m.fset.File(file.Pos())
			name, _ := strings.CutSuffix(m.position(file.FileStart), ":1")
			lines := tokens.LineCount()
			// A newline at the end of the file begins an empty line, which does not count.
			if tokens.LineStart(lines) == file.FileEnd {
				lines--
			}
			all = append(all, Length{name: name, lines: lines})
		}
	}
	return all
}

// percentile returns the smallest length that at least p percent of all lengths do not exceed, and
// 0 if there are none.
func percentile(all []Length, p int) int {
	if len(all) == 0 {
		return 0
	}
	lines := make([]int, 0, len(all))
	for _, l := range all {
		lines = append(lines, l.lines)
	}
	slices.Sort(lines)
	return lines[max(0, (len(lines)*p+99)/100-1)]
}

// above returns the names of those with more than limit lines, with their lengths, but not those of
// methods called step or Step.
func above(all []Length, limit int) []string {
	var names []string
	for _, l := range all {
		if l.lines > limit && !l.step {
			names = append(names, fmt.Sprintf("%s (%d)", l.name, l.lines))
		}
	}
	return names
}

// testLines returns the lines of all Go files below root, and how many of them are in tests: in
// files called *_test.go or below the directory test at the root. Like the go command, it skips
// hidden directories and those called testdata.
func testLines(root string) (all, tests int, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"
		if entry.IsDir() && path != root && hidden {
			return filepath.SkipDir
		}
		if !entry.Type().IsRegular() || filepath.Ext(path) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := bytes.Count(text, []byte("\n"))
		all += lines
		if isTest(root, path) {
			tests += lines
		}
		return nil
	})
	return all, tests, err
}

// isTest reports whether the Go file at path is part of the tests of the module at root.
func isTest(root, path string) bool {
	path = filepath.ToSlash(strings.TrimPrefix(path, root))
	path = strings.TrimPrefix(path, "/")
	return strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "test/")
}
