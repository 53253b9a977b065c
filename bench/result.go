package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"
)

// figure is what one measurement found: a table with a row for each contestant.
type figure struct {
	Part    string    `json:"part"` // as -only names it
	Title   string    `json:"title"`
	Note    string    `json:"note"` // what was measured and how, and what is counted
	When    time.Time `json:"when"`
	Columns []column  `json:"columns"`
	Rows    []row     `json:"rows"`
}

// column is one quantity of a figure.
type column struct {
	Name   string `json:"name"`
	Unit   string `json:"unit"`
	Digits int    `json:"digits"`
	// Reference is the contestant that the others are divided by, if there is one.
	Reference string `json:"reference,omitempty"`
	// Worst shows the worst run beside the median.
	Worst bool `json:"worst,omitempty"`
	// Line names the quantity in the summary; without one it is not there.
	Line  string `json:"line,omitempty"`
	Goals []goal `json:"goals,omitempty"`
	// Chart is the chart that has the quantity: startup, teardown or none.
	Chart string `json:"chart,omitempty"`
}

// goal is what cginit's value should be at most, or with Least at least: Plus + Times * the value of Than.
type goal struct {
	Than  string  `json:"than,omitempty"`
	Times float64 `json:"times,omitempty"`
	Plus  float64 `json:"plus,omitempty"`
	// Worst says that the goal is for the worst run of cginit.
	Worst bool `json:"worst,omitempty"`
	Least bool `json:"least,omitempty"`
}

// row has what was measured of one contestant, one cell for each column.
type row struct {
	Who   string `json:"who"`
	Cells []cell `json:"cells"`
}

// cell is one value: the median of some runs, the least and the most of them. Text stands in place of a
// value that there is none of, or behind it.
type cell struct {
	Value float64 `json:"value"`
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
	Runs  int     `json:"runs"`
	Text  string  `json:"text,omitempty"`
}

// add appends columns to f. Rows are joined by name, and cells that are missing then are empty.
func (f *figure) add(columns []column, rows []row) {
	before := len(f.Columns)
	f.Columns = append(f.Columns, columns...)
	for _, r := range rows {
		mine := f.row(r.Who)
		if mine == nil {
			f.Rows = append(f.Rows, row{Who: r.Who, Cells: make([]cell, before)})
			mine = &f.Rows[len(f.Rows)-1]
		}
		mine.Cells = append(mine.Cells, r.Cells...)
	}
	for i := range f.Rows {
		lack := len(f.Columns) - len(f.Rows[i].Cells)
		f.Rows[i].Cells = append(f.Rows[i].Cells, make([]cell, max(0, lack))...)
	}
}

// row returns the row of a contestant, or nil.
func (f *figure) row(who string) *row {
	for i := range f.Rows {
		if f.Rows[i].Who == who {
			return &f.Rows[i]
		}
	}
	return nil
}

// value returns the cell of a contestant in a column, if it has a value.
func (f *figure) value(who string, column int) (cell, bool) {
	r := f.row(who)
	if r == nil || r.Cells[column].Runs == 0 {
		return cell{}, false
	}
	return r.Cells[column], true
}

// cellOf returns the median, the least and the most of some values. NaN stands for a value that a run
// does not have.
func cellOf(values []float64) cell {
	values = slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(values) == 0 {
		return cell{}
	}
	slices.Sort(values)
	return cell{Value: quantile(values, 0.5), Least: values[0], Most: values[len(values)-1], Runs: len(values)}
}

// quantile returns the value that a share q of the sorted values does not exceed. The median of an even
// number of values is the mean of the two in the middle.
func quantile(sorted []float64, q float64) float64 {
	n := len(sorted)
	if q == 0.5 && n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[min(n-1, int(q*float64(n)))]
}

// report is all figures of one or several runs of the benchmark.
type report struct {
	Machine []string  `json:"machine"` // kernel, processors and versions, a line each
	Figures []*figure `json:"figures"`
}

// load reads a report that an earlier run has written. It is empty if there is none.
func load(file string) (*report, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &report{}, nil
	}
	if err != nil {
		return nil, err
	}
	r := &report{}
	return r, json.Unmarshal(data, r)
}

// put replaces the figures of a part.
func (r *report) put(part string, all []*figure) {
	at := slices.IndexFunc(r.Figures, func(f *figure) bool { return f.Part == part })
	r.Figures = slices.DeleteFunc(r.Figures, func(f *figure) bool { return f.Part == part })
	if at < 0 {
		at = len(r.Figures)
	}
	for _, f := range all {
		f.Part, f.When = part, time.Now().UTC().Truncate(time.Second)
	}
	r.Figures = slices.Insert(r.Figures, at, all...)
}
