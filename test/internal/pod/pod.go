// Package pod runs cginit in surroundings that are made for one run, as a container runtime does.
// Afterwards it looks for everything that cginit may have left behind.
package pod

import (
	"bufio"
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
	"golang.org/x/sys/unix"
)

// Mode says what cginit is in a pod, and what it can hold its job with.
type Mode string

const (
	// Process1 is process 1 of a container with a writable cgroup2.
	Process1 Mode = "process-1"
	// Subreaper is an ordinary process of the host in a cgroup of its own.
	Subreaper Mode = "subreaper"
	// NoCgroup is process 1 of a container like Docker's default: cgroup2 is read-only, and
	// CAP_SYS_ADMIN is missing. It needs no root: an ordinary user gets a user namespace.
	NoCgroup Mode = "no-cgroup"
)

// Modes are all modes, for tests that run in each of them.
var Modes = []Mode{Process1, Subreaper, NoCgroup}

// Containment returns the level that cginit must find in this mode.
func (m Mode) Containment() string {
	if m == NoCgroup {
		return "pidns"
	}
	return "cgroup"
}

// Patience bounds every wait for an event. No test measures time by it.
const Patience = 2 * time.Minute

// Cgroup stands for the directory of the run's cgroup on the host.
const Cgroup = "{cgroup}"

// Spec describes one run.
type Spec struct {
	Mode  Mode
	Args  []string // of cginit: its flags and the command
	Env   []string // in addition to the usual variables
	Dir   string   // empty: /
	Tmpfs []string // directories that are empty and private; containers only
	// Wrap is a command that executes the arguments that follow it, which are cginit and its own.
	// Cgroup in it is replaced.
	Wrap   []string
	Report string // empty: a file that Result reads
	UID    int    // the user of cginit; Subreaper only
	// UIDs is how many uids, root's included, the user namespace maps; 0 for no user namespace.
	// Containers only.
	UIDs int
	Bare bool // without any cgroup mount; NoCgroup only
	// Program is the cginit that runs; empty: that of this platform.
	Program string
	// NoSubreaper has a seccomp filter that lets nobody be a subreaper, as an emulator does.
	NoSubreaper bool
	Proc        string // mount options of /proc, or none to have no /proc; containers only

	// Untraced is for tests of single system calls and of limits, because a trace takes a descriptor
	// and writes.
	Untraced bool

	Stdout, Stderr *os.File // nil: read by Line and Result
}

// Pod is a run that is under way.
type Pod struct {
	Pid int // of cginit, on the host

	t       testing.TB
	mode    Mode
	cgroup  string // the cgroup of cginit and its descendants; empty for an ordinary user
	report  string
	input   *os.File
	lines   chan string
	stderr  string
	process *exec.Cmd
	done    chan outcome
	result  *Result
	once    sync.Once
}

// Start runs cginit as spec says. Processes that are left are killed when the test ends.
func Start(t testing.TB, spec Spec) *Pod {
	t.Helper()
	if spec.Mode != NoCgroup {
		harness.AsRoot(t)
	}
	dir := OpenDir(t)
	p := &Pod{
		t: t, mode: spec.Mode, cgroup: makeCgroup(t), lines: make(chan string, 1<<16), done: make(chan outcome, 1),
		report: filepath.Join(dir, "receipts"), stderr: filepath.Join(dir, "stderr"),
	}
	if !spec.Untraced {
		spec.Env = append(slices.Clone(spec.Env), harness.Trace(t, dir))
	}
	t.Cleanup(p.clear)
	input, held, err := os.Pipe()
	check(t, err)
	p.input = held
	t.Cleanup(func() { held.Close() })
	stdout, stderr := spec.Stdout, spec.Stderr
	if stdout == nil {
		var output *os.File
		output, stdout, err = os.Pipe()
		check(t, err)
		go p.scan(output)
		defer stdout.Close()
	}
	if stderr == nil {
		stderr, err = os.Create(p.stderr)
		check(t, err)
		defer stderr.Close()
	}
	defer input.Close()
	p.start(spec, p.command(spec), input, stdout, stderr)
	return p
}

// command returns the command line that is executed in the pod.
func (p *Pod) command(spec Spec) []string {
	args := []string{spec.Program}
	if spec.Program == "" {
		args[0] = harness.Bin(p.t, "cginit")
	}
	if spec.Wrap != nil {
		args = append(slices.Clone(spec.Wrap), args...)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], Cgroup, p.cgroup)
		}
		args[0] = harness.Command(p.t, args[0])
	}
	args = append(args, "--report", cmp.Or(spec.Report, p.report))
	return append(args, spec.Args...)
}

func (p *Pod) start(spec Spec, args []string, stdin, stdout, stderr *os.File) {
	self, err := os.Executable()
	check(p.t, err)
	s := stage{
		Args: args, Env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/root", "LANG=C.UTF-8"}, spec.Env...),
		CPU: cpu(), Dir: cmp.Or(spec.Dir, "/"), Tmpfs: spec.Tmpfs, UID: spec.UID, ReadOnly: spec.Mode == NoCgroup, Bare: spec.Bare, Proc: spec.Proc,
		NoSubreaper: spec.NoSubreaper,
	}
	text, err := json.Marshal(s)
	check(p.t, err)
	cmd := &exec.Cmd{Path: self, Stdin: stdin, Stdout: stdout, Stderr: stderr, Env: os.Environ()}
	p.process = cmd
	if spec.Mode == Subreaper {
		cmd.Args = []string{shimName, string(text)}
		p.startShim(cmd)
		return
	}
	cmd.Args = []string{stageName, string(text)}
	cmd.SysProcAttr = container(spec.UIDs)
	if p.cgroup != "" {
		dir := openDir(p.t, p.cgroup)
		defer dir.Close()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	}
	check(p.t, cmd.Start())
	p.Pid = cmd.Process.Pid
	go func() {
		_ = cmd.Wait() // the caller looks at the status
		p.done <- outcome{status: cmd.ProcessState.Sys().(syscall.WaitStatus)}
	}()
}

// startShim starts a cginit that is not process 1. The shim is its parent.
func (p *Pod) startShim(cmd *exec.Cmd) {
	read, write, err := os.Pipe()
	check(p.t, err)
	dir := openDir(p.t, p.cgroup)
	defer dir.Close()
	cmd.ExtraFiles = []*os.File{dir, write}
	err = cmd.Start()
	write.Close()
	check(p.t, err)
	words := json.NewDecoder(read)
	var first word
	check(p.t, words.Decode(&first))
	p.Pid = first.Pid
	go func() {
		defer read.Close()
		var o outcome
		for w := (word{}); words.Decode(&w) == nil; w = (word{}) {
			switch {
			case w.Exited:
				o.status = w.Status
			case w.Left != "":
				o.left = append(o.left, w.Left)
			}
		}
		_ = cmd.Wait()
		p.done <- o
	}()
}

func (p *Pod) scan(output *os.File) {
	defer output.Close()
	defer close(p.lines)
	for s := bufio.NewScanner(output); s.Scan(); {
		p.lines <- s.Text()
	}
}

// Line waits for a line on standard output that contains want, and returns it.
func (p *Pod) Line(want string) string {
	p.t.Helper()
	line, ok := p.Says(want)
	if !ok {
		p.t.Fatalf("%q is not on standard output; stderr: %s", want, p.Stderr())
	}
	return line
}

// Says is Line for a line that may not come. It returns false if the output has ended without it.
func (p *Pod) Says(want string) (string, bool) {
	p.t.Helper()
	for {
		patience := time.After(Patience) // starts anew with each line
		select {
		case line, ok := <-p.lines:
			if !ok || strings.Contains(line, want) {
				return line, ok
			}
		case <-patience:
			p.t.Fatalf("timed out waiting for %q on standard output; stderr: %s\n%s", want, p.Stderr(), p.describe())
		}
	}
}

// Grown waits until the program test/trees, which must be the job, says that its tree is complete. It
// returns false if the job has ended before. If the machine lacks what the kind of tree needs, the test
// ends as [harness.Missing] says.
func (p *Pod) Grown() bool {
	p.t.Helper()
	line, ok := p.Says("")
	if what, isMissing := strings.CutPrefix(line, "missing "); isMissing {
		harness.Missing(p.t, what)
	}
	return ok && line == "ready"
}

// Stderr returns what cginit and its job have written to standard error so far.
func (p *Pod) Stderr() string {
	text, _ := os.ReadFile(p.stderr)
	return string(text)
}

// EndInput closes the writing end of the standard input.
func (p *Pod) EndInput() { p.input.Close() }

// Signal sends a signal to cginit.
func (p *Pod) Signal(sig syscall.Signal) {
	p.t.Helper()
	check(p.t, unix.Kill(p.Pid, sig))
}

// OpenDir returns a new directory that every user may use, unlike that of t.TempDir.
func OpenDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cginit-pod-")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check(t, os.Chmod(dir, 0o777))
	return dir
}

func openDir(t testing.TB, path string) *os.File {
	t.Helper()
	dir, err := os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY, 0)
	check(t, err)
	return dir
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
