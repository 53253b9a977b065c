package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
)

// Module is the type-checked source of one module.
type Module struct {
	root     string
	fset     *token.FileSet
	packages map[string]*Package // by directory, relative to the root
}

// Package is one package of a module, without its tests.
type Package struct {
	dir   string // relative to the root
	files []*ast.File
	types *types.Package
	info  *types.Info
}

// listed is what "go list" says about a package.
type listed struct {
	ImportPath string
	Dir        string
	Export     string
	GoFiles    []string
	DepOnly    bool
}

// Load parses and type-checks the packages of the module at root. Their imports come from compiled
// export data, which "go list" builds or finds in the cache. The error is the first that "go list",
// the parser or the type checker returned.
func Load(root string) (*Module, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, err
	}
	all, err := list(root)
	if err != nil {
		return nil, err
	}
	m := &Module{root: root, fset: token.NewFileSet(), packages: map[string]*Package{}}
	imports := importer.ForCompiler(m.fset, "gc", exports(all))
	for _, p := range all {
		if p.DepOnly {
			continue
		}
		if err := m.check(p, imports); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// list returns what "go list" says about the packages of the module at root and about all that they
// import.
func list(root string) ([]listed, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,DepOnly", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "PWD="+root)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w: %s", root, err, bytes.TrimSpace(stderr.Bytes()))
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the output of go list: %w", err)
		}
		all = append(all, p)
	}
}

// exports returns a function that opens the export data of a package by its import path.
func exports(all []listed) importer.Lookup {
	files := map[string]string{}
	for _, p := range all {
		files[p.ImportPath] = p.Export
	}
	return func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no export data for %s", path)
		}
		return os.Open(files[path])
	}
}

// check parses and type-checks the package p and adds it to the module.
func (m *Module) check(p listed, imports types.Importer) error {
	dir, err := filepath.Rel(m.root, p.Dir)
	if err != nil {
		return err
	}
	pkg := &Package{dir: filepath.ToSlash(dir), info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Uses:  map[*ast.Ident]types.Object{},
	}}
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(m.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg.files = append(pkg.files, file)
	}
	config := types.Config{Importer: imports, Sizes: types.SizesFor("gc", runtime.GOARCH)}
	if pkg.types, err = config.Check(p.ImportPath, m.fset, pkg.files, pkg.info); err != nil {
		return err
	}
	m.packages[pkg.dir] = pkg
	return nil
}

// sorted returns the packages in the order of their directories. With dirs it returns only those
// in or below one of dirs.
func (m *Module) sorted(dirs ...string) []*Package {
	var found []*Package
	for _, p := range m.packages {
		in := len(dirs) == 0
		for _, dir := range dirs {
			in = in || p.dir == dir || strings.HasPrefix(p.dir, dir+"/")
		}
		if in {
			found = append(found, p)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].dir < found[j].dir })
	return found
}

// position returns where pos is, as a path relative to the root and a line.
func (m *Module) position(pos token.Pos) string {
	at := m.fset.Position(pos)
	name, err := filepath.Rel(m.root, at.Filename)
	if err != nil {
		name = at.Filename
	}
	return fmt.Sprintf("%s:%d", filepath.ToSlash(name), at.Line)
}

// named returns the declared type of that name, or nil if the package has none.
func (p *Package) named(name string) *types.Named {
	object, ok := p.types.Scope().Lookup(name).(*types.TypeName)
	if !ok {
		return nil
	}
	named, _ := types.Unalias(object.Type()).(*types.Named)
	return named
}
