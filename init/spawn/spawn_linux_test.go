package spawn

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/internal/afresh"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { os.Exit(afresh.Main(m)) }

// patience bounds the wait for an event. No test measures time by it.
const patience = time.Minute

// shell returns a program that runs a script, with our descriptors.
func shell(script string) *Program {
	return &Program{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Files: [3]int{0, 1, 2}, Cgroup: -1, Join: -1}
}

// start is Begin and Executed.
func start(t *testing.T, p *Program, patience time.Duration) (child *Process, known bool, err error) {
	t.Helper()
	child, err = Begin(p)
	if err != nil {
		t.Fatal(err)
	}
	known, err = child.Executed(patience)
	return child, known, err
}

// run starts a program and returns how it ended.
func run(t *testing.T, p *Program) syscall.WaitStatus {
	t.Helper()
	child, known, err := start(t, p, patience)
	if !known || err != nil {
		t.Fatalf("known %v, %v", known, err)
	}
	return wait(t, child.Pid)
}

func wait(t *testing.T, pid int) (ws syscall.WaitStatus) {
	t.Helper()
	for {
		if _, err := syscall.Wait4(pid, &ws, 0, nil); err != syscall.EINTR {
			if err != nil {
				t.Fatal(err)
			}
			return ws
		}
	}
}

// output runs a script with a pipe as descriptor fd (1, or a number that nothing else here has), and returns
// what the script writes to it.
func output(t *testing.T, p *Program, fd int) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	if fd < 3 {
		p.Files[fd] = int(write.Fd())
	} else {
		if err := unix.Dup3(int(write.Fd()), fd, unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		p.Keep = append(p.Keep, fd)
	}
	if ws := run(t, p); ws != 0 {
		t.Fatalf("it ended with %#x", ws)
	}
	write.Close()
	if fd >= 3 {
		unix.Close(fd)
	}
	text, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// TestDescriptors checks every way in which three descriptors can come from numbers below and above 3,
// and that the program gets no other.
func TestDescriptors(t *testing.T) {
	dir := t.TempDir()
	name := func(fd int) string { return filepath.Join(dir, fmt.Sprint("file", fd)) }
	numbers := []int{0, 1, 2, 100, 101}
	for _, fd := range numbers {
		f, err := os.Create(name(fd))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if fd > 2 {
			if err := unix.Dup3(int(f.Fd()), fd, unix.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			continue
		}
		before, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 200)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = unix.Dup3(before, fd, 0)
			unix.Close(before)
		}()
		if err := unix.Dup3(int(f.Fd()), fd, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range len(numbers) * len(numbers) * len(numbers) {
		files := [3]int{numbers[i%5], numbers[i/5%5], numbers[i/25]}
		p := shell(`for fd in /proc/$$/fd/*; do readlink $fd; done | grep /file >/proc/$$/fd/60; exit 0`)
		p.Files = files
		got := output(t, p, 60)
		want := fmt.Sprintf("%s\n%s\n%s", name(files[0]), name(files[1]), name(files[2]))
		if strings.ReplaceAll(got, "/dev/null\n", "") != want {
			t.Errorf("files %v: got\n%s\nwant\n%s", files, got, want)
		}
	}
}

// TestLimitAndSignals checks that the program has the limit of open files that we were started with, no
// signal blocked, and none of ours ignored.
func TestLimitAndSignals(t *testing.T) {
	var ours unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &ours); err != nil {
		t.Fatal(err)
	}
	soft := ours.Cur
	if l := noFile(); l != nil {
		soft = l.Soft
	}
	p := shell(`ulimit -n; grep -E "^Sig(Blk|Ign)" /proc/self/status; exit 0`) // the shell may ignore some, not grep
	want := fmt.Sprintf("%d\nSigBlk:\t%016x\nSigIgn:\t%016x", soft, 0, 0)
	if got := output(t, p, 1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPlace checks the session, the process group, the directory, the environment and oom_score_adj.
func TestPlace(t *testing.T) {
	for want, prepare := range map[string]func(p *Program){
		"session": func(p *Program) { p.NewSession = true },
		"group":   func(p *Program) { p.NewGroup, p.Copies = true, true },
		"":        func(*Program) {},
	} {
		p := shell(`set -- $(cat /proc/$$/stat); [ $5 = $$ ] && [ $6 = $$ ] && echo session; [ $5 = $$ ] && [ $6 != $$ ] && echo group; pwd; echo $X; cat /proc/self/oom_score_adj`)
		p.Dir, p.Env, p.OOMScoreAdj = "/proc", []string{"X=y"}, "777"
		prepare(p)
		if got := output(t, p, 1); got != strings.TrimSpace(want+"\n/proc\ny\n777") {
			t.Errorf("%q: got %q", want, got)
		}
	}
}

// TestFailure checks what is reported for each step that can fail.
func TestFailure(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Program)
		step   string
		errno  syscall.Errno
	}{
		"no program":    {func(p *Program) { p.Path = "/nothing" }, "", unix.ENOENT},
		"with a copy":   {func(p *Program) { p.Path, p.Copies = "/nothing", true }, "", unix.ENOENT},
		"a directory":   {func(p *Program) { p.Path = "/proc" }, "", unix.EACCES},
		"no directory":  {func(p *Program) { p.Dir = "/nothing" }, "change to the working directory", unix.ENOENT},
		"no descriptor": {func(p *Program) { p.Files[0] = 900 }, "arrange the descriptors", unix.EBADF},
		"no cgroup":     {func(p *Program) { p.Join = 900 }, "join the cgroup", unix.EBADF},
	} {
		p := shell("exit 0")
		c.change(p)
		child, known, err := start(t, p, patience)
		var e *Error
		if !known || !errors.As(err, &e) || e.Step != c.step || e.Err != c.errno {
			t.Errorf("%s: known %v, %v", name, known, err)
		}
		if ws := wait(t, child.Pid); ws.ExitStatus() != 125 {
			t.Errorf("%s: it ended with %#x", name, ws)
		}
	}
	p := shell("exit 0")
	p.Cgroup = 900
	if child, known, err := start(t, p, patience); !known || err == nil || child.Pid != 0 {
		t.Errorf("no fork: known %v, %v, pid %d", known, err, child.Pid)
	}
	for name, change := range map[string]func(p *Program){
		"path":        func(p *Program) { p.Path = "a\x00b" },
		"argument":    func(p *Program) { p.Args = append(p.Args, "a\x00b") },
		"environment": func(p *Program) { p.Env = append(p.Env, "a\x00b") },
		"directory":   func(p *Program) { p.Dir = "a\x00b" },
	} {
		p := shell("exit 0")
		change(p)
		if _, err := Begin(p); err != unix.EINVAL {
			t.Errorf("NUL in the %s: %v", name, err)
		}
	}
}

// TestScript checks that the shell gets a script without a first line, with its arguments.
func TestScript(t *testing.T) {
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("echo $0 $*\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := shell("")
	p.Path, p.Args = path, []string{"name", "a", "b"}
	if got, want := output(t, p, 1), path+" a b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestExecWaits checks that Executed does not wait for an exec that waits for a lease, and that a signal
// ends the process meanwhile.
func TestExecWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "true")
	data, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, end := range []syscall.Signal{0, unix.SIGTERM} {
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
			t.Fatal(err)
		}
		p := shell("")
		p.Path = path
		child, known, err := start(t, p, 10*time.Millisecond)
		if known {
			t.Fatalf("known, %v", err)
		}
		if end != 0 {
			if err := unix.Kill(child.Pid, end); err != nil {
				t.Fatal(err)
			}
		} else if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK); err != nil {
			t.Fatal(err)
		}
		if err := child.Await(); err != nil {
			t.Error(err)
		}
		if ws := wait(t, child.Pid); ws.Signaled() != (end != 0) || ws.Signaled() && ws.Signal() != end {
			t.Errorf("after signal %d it ended with %#x", end, ws)
		}
	}
}
