// Command bench compares cginit with other inits, with its own build of before and with the bare kernel
// operations. It measures them in turn within one run, and prints tables of medians in Markdown, which
// README.md holds. results.json, startup.svg and teardown.svg are written beside. Run it with "make
// bench" or "make bench-short".
//
// Each figure is a file of its own with a function that [parts] names.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// part is one part of the benchmark: its name for -only, and the function that measures its figures.
type part struct {
	name    string
	measure func(*lab) ([]*figure, error)
}

var parts = []part{
	{"startup", startUp},
	{"beforemain", beforeMain},
	{"memory", memory},
	{"services", services},
	{"bomb", bomb},
	{"kill", kill},
	{"orphans", orphans},
	{"signal", signals},
	{"runs", runs},
	{"size", size},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == wardName {
		beWard(os.Args[2:])
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	programs := filepath.Dir(program)
	l := &lab{programs: programs}
	flag.StringVar(&l.cginit, "cginit", filepath.Join(programs, "../cginit"), "the `program` to measure")
	flag.StringVar(&l.before, "before", "", "another build of it to compare with")
	flag.BoolVar(&l.short, "short", false, "measure less, in about a minute")
	flag.IntVar(&l.rounds, "rounds", 0, "the most `rounds` of each figure; 0: as many as are good for it")
	out := flag.String("o", programs, "the `directory` for results.json, startup.svg and teardown.svg")
	only := flag.String("only", "", "measure only these `parts`, separated by commas, and keep the others of results.json")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can make the PID namespaces that everything is measured in")
	}
	if l.before != "" && missing(l.before) {
		return fmt.Errorf("there is no program %s", l.before)
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if l.dir, err = os.MkdirTemp("", "cginit-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(l.dir)
	if l.own, err = playground(); err != nil {
		l.say("no cgroup can be made here, so that less is measured: %v", err)
	} else {
		defer func() { _ = l.own.Remove() }()
	}
	go l.cleanUpOn(unix.SIGINT, unix.SIGTERM)
	file := filepath.Join(*out, "results.json")
	r := &report{}
	if *only != "" {
		if r, err = load(file); err != nil {
			return err
		}
	}
	r.Machine = machine()
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	for _, p := range chosen {
		figures, err := p.measure(l)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		r.put(p.name, figures)
		if err := save(*out, r); err != nil {
			return err
		}
	}
	fmt.Print(r.markdown())
	return nil
}

// playground makes a cgroup below this process's own.
func playground() (cgroup.Dir, error) {
	own, err := cgroup.Find()
	if err != nil {
		return "", err
	}
	return own.Make(fmt.Sprintf("bench.%d", os.Getpid()))
}

// cleanUpOn ends the benchmark when one of these signals comes, and leaves nothing behind.
func (l *lab) cleanUpOn(signals ...os.Signal) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, signals...)
	<-caught
	if l.own != "" {
		for range 1000 { // until all that lives there is dead
			_ = l.own.Kill()
			if l.own.Remove() == nil {
				break
			}
			<-time.After(10 * time.Millisecond)
		}
	}
	_ = os.RemoveAll(l.dir)
	os.Exit(1)
}

// choose returns the parts of these names, or all.
func choose(only string) ([]part, error) {
	if only == "" {
		return parts, nil
	}
	var chosen []part
	for name := range strings.SplitSeq(only, ",") {
		at := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if at < 0 {
			return nil, fmt.Errorf("there is no part %q", name)
		}
		chosen = append(chosen, parts[at])
	}
	return chosen, nil
}

// save writes what was measured so far to a directory: the figures and two charts.
func save(dir string, r *report) error {
	slices.SortStableFunc(r.Figures, func(a, b *figure) int { return order(a) - order(b) })
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), append(data, '\n'), 0o644); err != nil {
		return err
	}
	for _, c := range []struct{ name, title string }{
		{"startup", "Start: the shorter the better"}, {"teardown", "Teardown: the shorter the better"},
	} {
		if err := os.WriteFile(filepath.Join(dir, c.name+".svg"), r.chart(c.name, c.title), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// order returns the place of a figure's part.
func order(f *figure) int {
	return slices.IndexFunc(parts, func(p part) bool { return p.name == f.Part })
}
