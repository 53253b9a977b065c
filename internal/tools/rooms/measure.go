package main

import (
	"fmt"
	"go/types"
)

// Measured is one figure: its value, its limit if it has one, and the names of what it counts.
type Measured struct {
	Name    string   `json:"name"`
	Value   int      `json:"value"`
	Limit   *int     `json:"limit,omitempty"`
	Missing string   `json:"missing,omitempty"` // the package or type that was not found
	OK      bool     `json:"ok"`
	Names   []string `json:"names,omitempty"`
}

// Report holds all figures. It is OK if each of them is.
type Report struct {
	OK       bool       `json:"ok"`
	Measured []Measured `json:"measured"`
}

// Measure loads the module at root and measures it. It returns an error if the code does not
// compile or has no supervisor.
func Measure(root string) (*Report, error) {
	m, err := Load(root)
	if err != nil {
		return nil, err
	}
	r := &Report{OK: true}
	if err := r.supervisor(m); err != nil {
		return nil, err
	}
	r.life(m)
	r.hold(m)
	r.lengths(m)
	return r, r.share(m)
}

// add appends a figure. The figure is OK if nothing is missing and its value does not exceed the
// limit.
func (r *Report) add(name string, value int, missing string, names ...string) {
	row := Measured{Name: name, Value: value, Missing: missing, OK: missing == "", Names: names}
	if limit, ok := limits[name]; ok {
		row.Limit = &limit
		row.OK = row.OK && value <= limit
	}
	r.OK = r.OK && row.OK
	r.Measured = append(r.Measured, row)
}

// supervisor measures the type and the files of the supervisor's package.
func (r *Report) supervisor(m *Module) error {
	p := m.packages[supervisorDir]
	if p == nil {
		return fmt.Errorf("no package %s in %s", supervisorDir, m.root)
	}
	named := p.named(supervisorType)
	if named == nil {
		return fmt.Errorf("no type %s in package %s", supervisorType, supervisorDir)
	}
	fields, ok := named.Underlying().(*types.Struct)
	if !ok {
		return fmt.Errorf("type %s of package %s is no struct", supervisorType, supervisorDir)
	}
	r.add(methodsName, named.NumMethods(), "")
	r.add(fieldsName, fields.NumFields(), "")
	graph := m.fileGraph(p)
	r.add(filesName, len(graph), "")
	r.add(edgesName, graph.edges(), "")
	r.add(mutualName, len(graph.mutual()), "")
	cycle := graph.largestCycle()
	r.add(cycleName, len(cycle), "", cycle...)
	return nil
}

// life measures how many fields of runs and jobs other packages can write.
func (r *Report) life(m *Module) {
	p := m.packages[lifeDir]
	if p == nil {
		r.add(lifeName, 0, "no package "+lifeDir)
		return
	}
	found := exportedFields(p, lifeTypes)
	r.add(lifeName, len(found), "", found...)
}

// hold measures how often other packages look behind the containment.
func (r *Report) hold(m *Module) {
	hold, missing := m.findHold()
	m.look(hold)
	r.add(assertsName, len(hold.asserts), missing, hold.asserts...)
	r.add(comparesName, len(hold.compares), missing, hold.compares...)
}

// lengths measures functions and files.
func (r *Report) lengths(m *Module) {
	packages := m.sorted(lengthDirs...)
	functions := m.functions(packages)
	r.add(funcCountName, len(functions), "")
	r.add(funcMedianName, percentile(functions, 50), "")
	r.add(funcP90Name, percentile(functions, 90), "")
	r.add(funcMaxName, percentile(functions, 100), "")
	long := above(functions, maxFunction)
	r.add(funcLongName, len(long), "", long...)
	files := m.fileLengths(packages)
	r.add(fileCountName, len(files), "")
	r.add(fileMedianName, percentile(files, 50), "")
	r.add(fileP90Name, percentile(files, 90), "")
	r.add(fileMaxName, percentile(files, 100), "")
	long = above(files, maxFile)
	r.add(fileLongName, len(long), "", long...)
}

// share measures how much of the code is tests.
func (r *Report) share(m *Module) error {
	all, tests, err := testLines(m.root)
	if err != nil {
		return err
	}
	r.add(goLinesName, all, "")
	r.add(testLinesName, tests, "")
	r.add(testPercentName, 100*tests/max(1, all), "")
	return nil
}
