package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == wardName {
		beWard(os.Args[2:])
	}
	os.Exit(m.Run())
}

// TestSurvivors stops a contestant that leaves nothing, and one that leaves a process in a session of its
// own.
func TestSurvivors(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a PID namespace without a user namespace")
	}
	l := &lab{}
	w, err := l.enter([]string{"sleep", "1000"}, inside{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if took, err := w.stop(syscall.SIGTERM, time.Minute); err != nil || took <= 0 {
		t.Errorf("it took %v, %v", took, err)
	}
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err = l.enter([]string{"sh", "-c", "setsid sleep 1000 & echo; exec sleep 1000"}, inside{}, out)
	out.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	before := linger
	linger = 100 * time.Millisecond
	defer func() { linger = before }()
	var left survivors
	if _, err := w.stop(syscall.SIGTERM, time.Minute); !errors.As(err, &left) || left != 1 {
		t.Errorf("the error is %v", err)
	}
	if _, err := l.enter([]string{"/no/such/program"}, inside{}, nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a program that there is not: %v", err)
	}
}

func TestCellOf(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   cell
	}{
		{nil, cell{}},
		{[]float64{math.NaN()}, cell{}},
		{[]float64{3}, cell{Value: 3, Least: 3, Most: 3, Runs: 1}},
		{[]float64{9, 1, 5}, cell{Value: 5, Least: 1, Most: 9, Runs: 3}},
		{[]float64{4, 1, 2, 9}, cell{Value: 3, Least: 1, Most: 9, Runs: 4}},
	} {
		if got := cellOf(c.values); got != c.want {
			t.Errorf("cellOf(%v) = %v, want %v", c.values, got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	var hundred []float64
	for i := range 100 {
		hundred = append(hundred, float64(i+1))
	}
	for q, want := range map[float64]float64{0.5: 50.5, 0.99: 100, 0: 1} {
		if got := quantile(hundred, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

// TestInterleave checks that each round runs every contestant once, that a contestant that fails is not run
// again, and that its cells say why.
func TestInterleave(t *testing.T) {
	var ran []int
	rows := (&lab{}).interleave("test", 3, []string{"a", "b", "c", "d"}, func(i int) ([]float64, error) {
		ran = append(ran, i)
		switch i {
		case 1:
			return nil, survivors(7)
		case 2:
			return nil, errors.New("a reason")
		case 3:
			return nil, errAbsent
		}
		return []float64{float64(len(ran)), 1}, nil
	})
	if want := []int{0, 1, 2, 3, 0, 0}; !slices.Equal(ran, want) {
		t.Errorf("ran %v, want %v", ran, want)
	}
	if c := rows[0].Cells[0]; c.Value != 5 || c.Runs != 3 {
		t.Errorf("a has %v", c)
	}
	if c := rows[1].Cells[1]; c.Text != "7 survive" || c.Runs != 0 {
		t.Errorf("b has %v", c)
	}
	if c := rows[2].Cells[0]; c.Text != "failed" {
		t.Errorf("c has %v", c)
	}
	if c := rows[3].Cells[0]; c != (cell{}) {
		t.Errorf("d has %v", c)
	}
}

// example is a figure with a goal that is reached, one that is not, and contestants without a value.
func example() *figure {
	f := &figure{Part: "kill", Title: "A <figure> & more", Note: "A note."}
	one := func(v float64) cell { return cell{Value: v, Least: v, Most: 2 * v, Runs: 1} }
	f.add([]column{{
		Name: "100", Unit: "s", Digits: 2, Reference: bareStop, Line: "stop of 100", Chart: "teardown", Worst: true,
		Goals: []goal{{Than: bareStop, Times: 1.25, Plus: 0.2}, {Than: before, Times: 0.1}, {Plus: 3, Worst: true}},
	}}, []row{
		{bareStop, []cell{one(1)}}, {before, []cell{one(4)}}, {cginit, []cell{one(1.4)}}, {"runit", []cell{{Text: "3 survive"}}},
	})
	f.add([]column{{Name: "4,000", Unit: "s"}}, []row{{cginit, []cell{one(9)}}, {"s6", []cell{one(2)}}})
	return f
}

func TestAddJoinsByName(t *testing.T) {
	f := example()
	for _, r := range f.Rows {
		if len(r.Cells) != 2 {
			t.Errorf("%s has %d cells", r.Who, len(r.Cells))
		}
	}
	if _, ok := f.value("s6", 0); ok {
		t.Error("s6 has a value that was not measured")
	}
	if c, _ := f.value("s6", 1); c.Value != 2 {
		t.Errorf("s6 has %v", c)
	}
}

func TestMarkdown(t *testing.T) {
	r := &report{Machine: []string{"Linux"}}
	r.put("kill", []*figure{example()})
	text := r.markdown()
	for _, want := range []string{
		"| stop of 100, s |  |  | 4.00, worst 8.00 | 1.40, worst 2.80 | a bare loop of kill, wait, rmdir 1.00, worst 2.00; runit 3 survive " +
			"| <= 0.2 + 1.25 x a bare loop of kill, wait, rmdir, <= 0.1 x cginit before, worst <= 3 | yes (1.20), **no** (0.35), yes |\n",
		"A note. Runs of each: 1.\n",
		"| cginit | 1.40, worst 2.80 (1.40x) | 9 |\n",
		"| runit | 3 survive | - |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %s\n%s", want, text)
		}
	}
}

// TestChart checks that both charts are well-formed and have a bar for each value.
func TestChart(t *testing.T) {
	r := &report{Figures: []*figure{example()}}
	for name, bars := range map[string]int{"teardown": 4, "startup": 0} {
		svg := string(r.chart(name, "A title"))
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, svg)
			}
		}
		if n := strings.Count(svg, `class="bar`); n != bars {
			t.Errorf("%s has %d bars, want %d", name, n, bars)
		}
	}
}

// TestSaveAndLoad checks that a part that is measured again replaces its figures and no others.
func TestSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	r := &report{}
	r.put("kill", []*figure{example()})
	r.put("startup", []*figure{{Title: "first"}, {Title: "second"}})
	if err := save(dir, r); err != nil {
		t.Fatal(err)
	}
	r, err := load(filepath.Join(dir, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	r.put("startup", []*figure{{Title: "third"}})
	var titles []string
	for _, f := range r.Figures {
		titles = append(titles, f.Title)
	}
	if want := []string{"third", "A <figure> & more"}; !slices.Equal(titles, want) {
		t.Errorf("the figures are %q, want %q", titles, want)
	}
	if r, err = load(filepath.Join(dir, "none")); err != nil || len(r.Figures) > 0 {
		t.Errorf("without a file: %v, %v", r, err)
	}
}

func TestChoose(t *testing.T) {
	if _, err := choose("kill,nothing"); err == nil {
		t.Error("a part that there is not was chosen")
	}
	if chosen, err := choose("size,kill"); err != nil || len(chosen) != 2 || chosen[0].name != "size" {
		t.Errorf("chose %v, %v", chosen, err)
	}
}

func TestFieldOf(t *testing.T) {
	const text = "aaaa-bbbb ---p\nRss:    2048 kB\nPrivate_Dirty:     512 kB\n"
	if mb, err := fieldOf(text, "Private_Dirty"); err != nil || mb != 0.5 {
		t.Errorf("%v, %v", mb, err)
	}
	if _, err := fieldOf(text, "Private"); err == nil {
		t.Error("a field that there is not was found")
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{1: "1", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}

// TestMainOf finds main.main in a stripped program: this test binary has one too.
func TestMainOf(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if at, err := mainOf(self); err != nil || at == 0 {
		t.Errorf("%#x, %v", at, err)
	}
	if _, err := mainOf("/bin/true"); err == nil {
		t.Error("/bin/true is a Go program")
	}
}

// TestConfigurations checks that every supervisor is told of all services.
func TestConfigurations(t *testing.T) {
	for name, prepare := range map[string]func(string, int, []string) ([]string, error){
		"cginit": ours("cginit"), "dinit": dinit, "s6": s6, "runit": runit, "supervisord": supervisord, "pebble": pebble,
	} {
		dir := t.TempDir()
		if _, err := prepare(dir, 3, []string{"/x/sleeper", "/x/fifo"}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		commands, fifo := 0, fmt.Sprintf("/x/sleeper%s/x/fifo", map[bool]string{true: ", ", false: " "}[name == "cginit"])
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				data, _ := os.ReadFile(path)
				commands += strings.Count(string(data), fifo)
			}
			return err
		})
		want := 3
		if name == "supervisord" {
			want = 1 // with numprocs
		}
		if err != nil || commands != want {
			t.Errorf("%s: %d commands, %v", name, commands, err)
		}
	}
}
