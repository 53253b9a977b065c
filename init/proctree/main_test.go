package proctree

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/internal/afresh"
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what must happen, on a machine that is busy.
const patience = 30 * time.Second

// treesBinary is the program test/trees.
var treesBinary string

// selfBinary is a copy of this test's program that other users can execute too.
var selfBinary string

// TestMain runs the tests, or the program of a job. The init function of the package has run
// already if this process is a holder.
func TestMain(m *testing.M) {
	if program, is := programs[os.Args[0]]; is {
		os.Exit(program())
	}
	os.Exit(run(m))
}

// run builds the programs that the tests need and runs the tests.
func run(m *testing.M) int {
	if err := afresh.Reset(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot reset what the tests inherit:", err)
		return 1
	}
	// Under the race detector a holder would wait for a second before it exits.
	holderEnv = append(holderEnv, "GORACE="+os.Getenv("GORACE"))
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "cannot be a subreaper:", err)
		return 1
	}
	if dir := os.Getenv(programsVariable); dir != "" {
		treesBinary, selfBinary = filepath.Join(dir, "trees"), filepath.Join(dir, "self")
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "proctree-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	selfBinary = filepath.Join(dir, "self")
	if err := copySelf(selfBinary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	treesBinary = filepath.Join(dir, "trees")
	build := exec.Command("go", "build", "-o", treesBinary, "../../test/trees")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build test/trees: %v\n%s", err, out)
		return 1
	}
	if err := os.Chmod(dir, 0o755); err != nil { // so that other uids can execute what is in it
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// programsVariable names the directory of the programs to a test that TestAsUser runs as another user.
const programsVariable = "PROCTREE_TEST_PROGRAMS"

func copySelf(to string) error {
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// missing skips a test because the machine lacks something. In CI it fails the test instead, because
// nobody looks at what CI skips.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and CI must have it", what)
	}
	t.Skipf("SKIPPED for want of %s", what)
}

// needRoot skips a test unless root runs it.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "root, to run jobs as other users")
	}
}

// held is a tree with the lines that its job prints and the events of its holder.
type held struct {
	*Tree
	t      *testing.T
	events chan Event // closed when the holder has closed the socket
	seen   []Event    // all events so far
	out    *lines
	marker string // what the command line of each process of the job contains
	ended  bool   // the holder has been waited for
}

// lines are the lines that come out of a pipe. ch is closed at its end.
type lines struct{ ch chan string }

// readLines reads a pipe line by line and closes it at its end.
func readLines(r io.ReadCloser) *lines {
	l := &lines{ch: make(chan string, 1024)}
	go func() {
		defer close(l.ch)
		defer r.Close()
		data, buf := []byte(nil), make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			data = append(data, buf[:n]...)
			for {
				before, after, found := strings.Cut(string(data), "\n")
				if !found {
					break
				}
				l.ch <- before
				data = []byte(after)
			}
			if err != nil {
				return
			}
		}
	}()
	return l
}

// start starts a job that prints to a pipe. Its stdin is /dev/null and its stderr is the test's.
func start(t *testing.T, o Order) *held {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if o.Path == "" {
		o.Path = o.Args[0]
	}
	if o.Env == nil {
		o.Env = []string{"PATH=/usr/bin:/bin"}
	}
	o.Files = []int{int(null.Fd()), int(w.Fd()), int(os.Stderr.Fd())}
	o.Setsid = !o.Setpgid
	tree, err := Start(o, Place{})
	if err != nil {
		t.Fatal(err)
	}
	h := &held{Tree: tree, t: t, events: make(chan Event, 1024), out: readLines(r)}
	go func() {
		defer close(h.events)
		for {
			e, err := tree.Read()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
				return
			}
			h.events <- e
		}
	}()
	t.Cleanup(h.cleanup)
	return h
}

// cleanup ends the job of a test that has failed.
func (h *held) cleanup() {
	h.Close()
	if !h.ended {
		h.waitHolder()
	}
}

// waitHolder waits for the holder to end and returns its wait status.
func (h *held) waitHolder() syscall.WaitStatus {
	h.t.Helper()
	var ws syscall.WaitStatus
	done := make(chan error, 1)
	go func() {
		for {
			_, err := syscall.Wait4(h.Pid, &ws, 0, nil)
			if err != unix.EINTR {
				done <- err
				return
			}
		}
	}()
	select {
	case err := <-done:
		if err != nil {
			h.t.Errorf("cannot wait for the holder: %v", err)
		}
	case <-time.After(patience):
		h.t.Errorf("the holder %d does not end; below it are %v", h.Pid, describe(Below(h.Pid)))
		_ = unix.Kill(h.Pid, unix.SIGKILL)
		<-done
	}
	h.ended = true
	return ws
}

// await returns the next event of a kind, and adds those before it to seen.
func (h *held) await(kind Kind) Event {
	h.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e, ok := <-h.events:
			if !ok {
				h.t.Fatalf("the holder has ended without event %d, after %+v", kind, h.seen)
			}
			h.Note(e)
			h.seen = append(h.seen, e)
			if e.Kind == kind {
				return e
			}
		case <-late:
			h.t.Fatalf("no event %d, but %+v; below the holder are %v", kind, h.seen, describe(Below(h.Pid)))
		}
	}
}

// awaitEOF returns when the holder has closed the socket.
func (h *held) awaitEOF() {
	h.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e, ok := <-h.events:
			if !ok {
				return
			}
			h.Note(e)
			h.seen = append(h.seen, e)
		case <-late:
			h.t.Fatalf("the holder does not end; below it are %v", describe(Below(h.Pid)))
		}
	}
}

// line waits for the job to print a line with a prefix, and returns the rest of the line.
func (h *held) line(prefix string) string {
	h.t.Helper()
	late := time.After(patience)
	for {
		select {
		case text, ok := <-h.out.ch:
			if !ok {
				h.t.Fatalf("the job ended without printing %q, with status %#x", prefix, h.await(MainExited).Status)
			}
			if rest, found := strings.CutPrefix(text, prefix); found {
				return strings.TrimSpace(rest)
			}
		case <-late:
			h.t.Fatalf("the job does not print %q", prefix)
		}
	}
}

// gone waits for Empty and for the holder to exit with 0, and returns the event.
func (h *held) gone() Event {
	h.t.Helper()
	e := h.await(Empty)
	h.awaitEOF()
	if ws := h.waitHolder(); !ws.Exited() || ws.ExitStatus() != 0 {
		h.t.Errorf("the holder ended with %#x", ws)
	}
	if h.Lost() {
		h.t.Error("a holder that said Empty counts as lost")
	}
	return e
}

// until waits until so returns true. It polls, because what it waits for has no event.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !so(); <-time.After(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// alive reports whether a process exists and is not dead.
func alive(pid int) bool {
	_, ok := proc.ReadLiving(pid)
	return ok
}

// state returns the letter of a process's state, 0 if it does not exist.
func state(pid int) byte {
	p, _ := proc.Read(pid)
	return p.State
}

// describe returns the beginning of /proc/PID/stat of up to ten processes.
func describe(pids []int) (list []string) {
	for i, pid := range pids {
		if i == 10 {
			return append(list, fmt.Sprintf("and %d more", len(pids)-i))
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		list = append(list, string(line[:min(len(line), 40)]))
	}
	return list
}

// marked returns the pids of the living processes whose command line contains a text.
func marked(text string) (pids []int) {
	all, _ := All()
	for _, pid := range all {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.Contains(string(line), text) && alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// sh is the order to run a shell script.
func sh(script string) Order { return Order{Args: []string{"/bin/sh", "-c", script}} }
