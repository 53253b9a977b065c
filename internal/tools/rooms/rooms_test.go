package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// measured returns the rows for the module at root, by name.
func measured(t *testing.T, root string) map[string]Measured {
	t.Helper()
	report, err := Measure(root)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]Measured{}
	for _, row := range report.Measured {
		rows[row.Name] = row
	}
	return rows
}

// wantValues checks the values, and that a value above its limit is not OK.
func wantValues(t *testing.T, rows map[string]Measured, want map[string]int) {
	t.Helper()
	for name, value := range want {
		row, ok := rows[name]
		if !ok || row.Value != value {
			t.Errorf("%s: measured %d, want %d", name, row.Value, value)
		}
		if limit, ok := limits[name]; ok && row.Missing == "" && row.OK != (value <= limit) {
			t.Errorf("%s: %d with limit %d has OK = %v", name, value, limit, row.OK)
		}
	}
}

// wantNames checks the names of what a figure counts.
func wantNames(t *testing.T, row Measured, want ...string) {
	t.Helper()
	if !slices.Equal(row.Names, want) {
		t.Errorf("%s: names %q, want %q", row.Name, row.Names, want)
	}
}

func TestSupervisor(t *testing.T) {
	rows := measured(t, "testdata/after")
	wantValues(t, rows, map[string]int{
		methodsName: 4, fieldsName: 4, filesName: 6, edgesName: 7, mutualName: 1, cycleName: 3,
	})
	wantNames(t, rows[cycleName], "again.go", "stop.go", "supervisor.go")
}

func TestOutside(t *testing.T) {
	rows := measured(t, "testdata/after")
	wantValues(t, rows, map[string]int{lifeName: 2, assertsName: 4, comparesName: 4})
	wantNames(t, rows[lifeName], "life.Run.Phase", "life.Run.Pid")
	wantNames(t, rows[assertsName], "cmd/prog/main.go:7", "init/look.go:8", "init/look.go:11", "init/look.go:15")
	wantNames(t, rows[comparesName], "init/look.go:26", "init/look.go:26", "init/look.go:30", "init/look.go:34")
}

// long returns a Go function with that many lines.
func long(signature string, lines int) string {
	return "\nfunc " + signature + " {\n" + strings.Repeat("\tn++\n", lines-3) + "\treturn n\n}\n"
}

// lengthy returns the directory of a copy of the fake module with long functions and files.
func lengthy(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS("testdata/after")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"long.go": long("fits(n int) int", 60) + long("long(n int) int", 61) + long("step(n int) int", 62) +
			"\ntype machine struct{}\n" + long("(machine) step(n int) int", 73),
		"full.go": strings.Repeat("// Nothing.\n", 399),
		"over.go": strings.Repeat("// Nothing.\n", 400),
	} {
		path := filepath.Join(root, "cgroup", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("package cgroup\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLengths(t *testing.T) {
	rows := measured(t, lengthy(t))
	wantValues(t, rows, map[string]int{
		funcCountName: 15, funcMedianName: 4, funcP90Name: 62, funcMaxName: 73, funcLongName: 2,
		fileCountName: 12, fileMedianName: 16, fileP90Name: 400, fileMaxName: 401, fileLongName: 1,
		goLinesName: 1194, testLinesName: 14, testPercentName: 1,
	})
	wantNames(t, rows[funcLongName], "cgroup/long.go:64: long (61)", "cgroup/long.go:126: step (62)")
	wantNames(t, rows[fileLongName], "cgroup/over.go (401)")
}

// TestBefore checks that without package hold every use counts, and that a missing package is not
// OK even if nothing was counted.
func TestBefore(t *testing.T) {
	rows := measured(t, "testdata/before")
	wantValues(t, rows, map[string]int{lifeName: 0, assertsName: 1, comparesName: 1})
	for name, missing := range map[string]string{
		lifeName: "no package init/life", assertsName: "no package init/hold", comparesName: "no package init/hold",
	} {
		if row := rows[name]; row.OK || row.Missing != missing {
			t.Errorf("%s: OK = %v, missing %q, want %q", name, row.OK, row.Missing, missing)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		output string
	}{
		{[]string{"testdata/fine"}, 0, "ok"},
		{[]string{"testdata/after"}, 1, "TOO MUCH"},
		{[]string{"testdata/before"}, 1, "TOO MUCH: no package init/life"},
		{[]string{"-only-print", "testdata/after"}, 0, "TOO MUCH"},
		{[]string{"testdata"}, 2, ""},
		{[]string{"-unknown"}, 2, ""},
	} {
		var out strings.Builder
		if status := run(test.args, &out, io.Discard); status != test.status {
			t.Errorf("%q: status %d, want %d", test.args, status, test.status)
		}
		if !strings.Contains(out.String(), test.output) {
			t.Errorf("%q: no %q in:\n%s", test.args, test.output, out.String())
		}
	}
}

func TestJSON(t *testing.T) {
	var out strings.Builder
	if status := run([]string{"-json", "testdata/after"}, &out, io.Discard); status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	var report Report
	if err := json.Unmarshal([]byte(out.String()), &report); err != nil {
		t.Fatal(err)
	}
	if report.OK || len(report.Measured) != 22 {
		t.Errorf("OK = %v, %d values, want 22", report.OK, len(report.Measured))
	}
}

func TestLimits(t *testing.T) {
	rows := measured(t, "testdata/fine")
	for name := range limits {
		if row, ok := rows[name]; !ok || row.Limit == nil {
			t.Errorf("%s has a limit and is not measured", name)
		}
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("x", 60)
	if got, want := wrap([]string{"a", long, long, "b"}), "  a, "+long+",\n  "+long+", b\n"; got != want {
		t.Errorf("wrapped as %q, want %q", got, want)
	}
}
