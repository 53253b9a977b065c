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
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what must happen, on a machine that is busy.
const patience = 30 * time.Second

var treesBinary string

// selfBinary is this test's program, where other users can execute it too.
var selfBinary string

// TestMain needs no dispatch for holders: the package's init has done that. For some jobs this
// binary is the program.
func TestMain(m *testing.M) {
	if program, is := programs[os.Args[0]]; is {
		os.Exit(program())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
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
	if err := os.Chmod(dir, 0o755); err != nil { // other uids execute it
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// programsVariable tells a test that runs once more, as another user, where the programs are.
const programsVariable = "PROCTREE_TEST_PROGRAMS"

func copySelf(to string) error {
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// missing ends a test for want of something: a skip with a name, but a failure in CI, where a
// skip would hide it.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and CI must have it", what)
	}
	t.Skipf("SKIPPED for want of %s", what)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "root, to run jobs as other users")
	}
}

// held is a tree with what its job has printed and what its holder has said.
type held struct {
	*Tree
	t      *testing.T
	events chan Event // closed when the holder's end of the socket is
	seen   []Event
	out    *lines
	marker string
	ended  bool // the holder has been waited for
}

// lines is the end of a pipe that is read line by line.
type lines struct{ ch chan string }

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

// start starts a job that prints to a pipe. Its stdin and stderr are the test's own null.
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

// cleanup sees to it that a test that has failed leaves nothing either.
func (h *held) cleanup() {
	h.Close()
	if !h.ended {
		h.waitHolder()
	}
}

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

// await returns the next event of a kind, and keeps what comes before it.
func (h *held) await(kind Kind) Event {
	h.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e, ok := <-h.events:
			if !ok {
				h.t.Fatalf("the holder has gone without event %d, after %+v", kind, h.seen)
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

// awaitEOF returns when the holder's end is closed.
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
			h.t.Fatalf("the holder does not go; below it are %v", describe(Below(h.Pid)))
		}
	}
}

// line waits for the job to print a line that begins so, and returns the rest of it.
func (h *held) line(prefix string) string {
	h.t.Helper()
	late := time.After(patience)
	for {
		select {
		case text, ok := <-h.out.ch:
			if !ok {
				h.t.Fatalf("the job's stdout has ended without %q, and it with %#x", prefix, h.await(MainExited).Status)
			}
			if rest, found := strings.CutPrefix(text, prefix); found {
				return strings.TrimSpace(rest)
			}
		case <-late:
			h.t.Fatalf("the job does not print %q", prefix)
		}
	}
}

// gone waits for the job to be empty and the holder to end well.
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

// until looks until something is so. What is looked for has no event that a test could await.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !so(); <-time.After(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// alive tells whether a process is there and not a zombie.
func alive(pid int) bool {
	_, ok := proc.ReadLiving(pid)
	return ok
}

func state(pid int) byte {
	p, _ := proc.Read(pid)
	return p.State
}

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

// marked lists the living processes whose command line has a text in it.
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

func sh(script string) Order { return Order{Args: []string{"/bin/sh", "-c", script}} }
