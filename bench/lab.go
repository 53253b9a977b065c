package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// Contestants that are named in several figures.
const (
	alone        = "the command alone"
	tini         = "tini"
	floor        = "the least in Go"
	floorCgroups = "the least in Go with cgroups"
	before       = "cginit before"
	cginit       = "cginit"
)

// lab is what every measurement finds: the programs to compare, and how long it may take.
type lab struct {
	programs string // the directory of the programs of this benchmark
	cginit   string
	before   string // another build of cginit; empty if there is none
	short    bool
	rounds   int        // the most rounds of anything, if not 0
	dir      string     // for files, removed at the end
	own      cgroup.Dir // a cgroup for all that is made here, removed at the end; empty where none can be made
	made     int        // how many cgroups were made in it
}

// program returns the path of a program of this benchmark.
func (l *lab) program(name string) string { return filepath.Join(l.programs, name) }

// cgroup makes a cgroup that none has used before.
func (l *lab) cgroup() (cgroup.Dir, error) {
	l.made++
	return l.own.Make(fmt.Sprintf("run.%d", l.made))
}

// pick returns one of two numbers of rounds, or of anything else.
func (l *lab) pick(long, short int) int {
	if l.short {
		return short
	}
	return long
}

// say shows progress.
func (l *lab) say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// inits returns the programs that run one command, and are installed.
func (l *lab) inits() []subject {
	all := []subject{
		{alone, nil},
		{tini, []string{"tini", "-s", "--"}},
		{"dumb-init", []string{"dumb-init", "--"}},
		{"catatonit", []string{"catatonit", "--"}},
		{floor, []string{l.program("floor")}},
		{floorCgroups, []string{l.program("cgroups"), string(l.own)}},
		{before, []string{l.before, "--"}},
		{cginit, []string{l.cginit, "--"}},
	}
	return slices.DeleteFunc(all, func(s subject) bool {
		if s.name == floorCgroups && l.own == "" {
			return true
		}
		return s.prefix != nil && missing(s.prefix[0])
	})
}

// subject is a program that runs one command.
type subject struct {
	name string
	// prefix stands before the command in the command line.
	prefix []string
}

func names(all []subject) []string {
	var text []string
	for _, s := range all {
		text = append(text, s.name)
	}
	return text
}

func missing(program string) bool {
	_, err := exec.LookPath(program)
	return err != nil
}

// survivors is the error of a contestant that has left processes alive.
type survivors int

func (n survivors) Error() string { return fmt.Sprintf("%d survive", int(n)) }

// errAbsent is the error of a contestant that does not take part. Its cells stay empty.
var errAbsent = errors.New("not measured")

// interleave runs every contestant once in each round, beginning with another one each time, and returns
// a row for each: the medians of what its runs returned. A contestant that fails is not run again. Its
// cells say so, or how many processes it has left alive.
func (l *lab) interleave(what string, rounds int, who []string, run func(i int) ([]float64, error)) []row {
	samples, failed, width := make([][][]float64, len(who)), make([]error, len(who)), 1
	if l.rounds > 0 {
		rounds = min(rounds, l.rounds)
	}
	begin, said := time.Now(), time.Now()
	for round := range rounds {
		for k := range who {
			i := (round + k) % len(who)
			if failed[i] != nil {
				continue
			}
			values, err := run(i)
			if err != nil {
				if failed[i] = err; !errors.Is(err, errAbsent) {
					l.say("%s: %s: %v", what, who[i], err)
				}
				continue
			}
			width = max(width, len(values))
			samples[i] = append(samples[i], values)
			if time.Since(said) > 3*time.Second {
				said = time.Now()
				l.say("%s: round %d of %d: %s", what, round+1, rounds, who[i])
			}
		}
	}
	l.say("%s: %d rounds in %.1f s", what, rounds, time.Since(begin).Seconds())
	rows := make([]row, len(who))
	for i := range who {
		rows[i] = row{who[i], cellsOf(samples[i], failed[i], width)}
	}
	return rows
}

// cellsOf returns the cells of one contestant. An error stands in all of them.
func cellsOf(samples [][]float64, failed error, width int) []cell {
	cells := make([]cell, width)
	for c := range cells {
		var left survivors
		switch {
		case errors.Is(failed, errAbsent):
		case errors.As(failed, &left):
			cells[c].Text = failed.Error()
		case failed != nil:
			cells[c].Text = "failed"
		default:
			values := make([]float64, len(samples))
			for s := range samples {
				values[s] = samples[s][c]
			}
			cells[c] = cellOf(values)
		}
	}
	return cells
}

// within calls f on a thread that enter has prepared and that ends with it. Processes that f starts have
// the namespaces of that thread. Enter may be nil.
func within(enter, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked, so that the thread and its namespaces end with the goroutine
		if enter != nil {
			if err := enter(); err != nil {
				done <- err
				return
			}
		}
		done <- f()
	}()
	return <-done
}

// hideCgroups gives this thread, and the processes that it starts, a mount namespace without cgroups.
func hideCgroups() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	return unmountCgroups()
}

// unmountCgroups takes the cgroups out of this mount namespace, if they are in it.
func unmountCgroups() error {
	err := unix.Unmount("/sys/fs/cgroup", unix.MNT_DETACH)
	if errors.Is(err, unix.EINVAL) { // nothing is mounted there
		return nil
	}
	return err
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// none is a value that a contestant does not have.
func none() float64 { return math.NaN() }

// machine describes where the benchmark runs: the kernel, the processors, the versions.
func machine() []string {
	var name unix.Utsname
	_ = unix.Uname(&name)
	lines := []string{
		fmt.Sprintf("Linux %s, %s, %d processors, %s", unix.ByteSliceToString(name.Release[:]), runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
	}
	var versions []string
	packages := []string{"tini", "dumb-init", "catatonit", "s6", "runit", "supervisor", "dinit", "docker.io"}
	out, _ := exec.Command("dpkg-query", append([]string{"-W", "-f", "${Package} ${Version}\n"}, packages...)...).Output()
	versions = append(versions, strings.Split(strings.TrimSpace(string(out)), "\n")...)
	for _, other := range []string{"dinit", "pebble"} {
		if !missing(other) && !strings.Contains(string(out), other+" ") {
			versions = append(versions, versionOf(other))
		}
	}
	return append(lines, strings.Join(slices.DeleteFunc(versions, func(s string) bool { return s == "" }), ", "))
}

// versionOf returns the first line in which a program tells its version.
func versionOf(program string) string {
	arg := "--version"
	if program == "pebble" {
		arg = "version"
	}
	out, _ := exec.Command(program, arg).Output()
	line, _, _ := strings.Cut(string(out), "\n")
	return program + " (" + strings.TrimSpace(line) + ")"
}
