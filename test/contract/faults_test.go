package contract

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

func TestRule8NeverFailsOnceItIsUp(t *testing.T) {
	t.Run("a service is restarted for ever", func(t *testing.T) {
		inLevels(t, func(t *testing.T, l level) {
			b, open := gated(t, l, `
services:
	web: {command: 'sh -c "echo run >> $LOG; [ -e $DIR/up ] && exit 1; read x < $DIR/gate; touch $DIR/up; exit 1"'}
	db: {command: $ACT serve db}
`)
			b.noted("db up", "run")
			open()
			b.notedTimes(5, "run")
			b.Signal(unix.SIGTERM)
			web := receipts(b.ends(0), "web")
			for i := 2; i < len(web); i++ {
				if pause := web[i].Started.Sub(web[i-1].Ended).Milliseconds(); pause < 100<<(i-1) {
					t.Errorf("run %d started %d ms after the end of the one before", i+1, pause)
				}
			}
		})
	})
	// Level tree is a container's here: a test that is not root may not change the limits of another
	// user's process.
	for _, l := range []level{cgroup, {"tree", pod.Spec{Mode: pod.NoCgroup}}} {
		t.Run("what cannot be started now is started later/"+l.name, func(t *testing.T) {
			t.Parallel()
			startsLater(t, l)
		})
	}
	t.Run("a holder is killed", func(t *testing.T) {
		t.Parallel()
		b := start(t, tree, "services: {web: {command: $ACT serve web}, db: {command: $ACT serve db}}")
		b.noted("web up", "db up")
		parent, _ := strconv.Atoi(pod.Status(b.pids("web")[0], "PPid"))
		if err := unix.Kill(parent, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		b.notedTimes(2, "web up")
		b.Signal(unix.SIGTERM)
		if r := b.ends(0); len(receipts(r, "web")) != 2 || len(receipts(r, "db")) != 1 {
			t.Errorf("receipts %+v", r.Receipts)
		}
	})
}

// startsLater takes away the descriptors that the next run of a service needs, until cginit has failed
// to start it.
func startsLater(t *testing.T, l level) {
	b := start(t, l, `
services:
	web: {command: $ACT serve web, restart: "no"}
	db: {command: $ACT serve db}
`, "-v")
	b.noted("web up", "db up")
	b.said("cginit: up\n")
	var before unix.Rlimit
	check(t, unix.Prlimit(b.Pid, unix.RLIMIT_NOFILE, nil, &before))
	few := unix.Rlimit{Cur: 3, Max: before.Max}
	check(t, unix.Prlimit(b.Pid, unix.RLIMIT_NOFILE, &few, nil))
	b.crash("db")
	b.said("too many open files")
	check(t, unix.Prlimit(b.Pid, unix.RLIMIT_NOFILE, &before, nil))
	b.notedTimes(2, "db up")
	b.Signal(unix.SIGTERM)
	r := b.ends(0)
	if n := len(receipts(r, "db")); n != 2 {
		t.Errorf("db has %d receipts, not 2; stderr: %s", n, r.Stderr)
	}
	if n := strings.Count(r.Stderr, "too many open files"); n > 2 {
		t.Errorf("the failure was reported %d times; stderr: %s", n, r.Stderr)
	}
}

func TestRule9KilledItLeavesNothing(t *testing.T) {
	for _, l := range []level{cgroup, {"subreaper", pod.Spec{Mode: pod.Subreaper}}, tree} {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, l, `
services:
	web: {command: 'sh -c "$ACT daemon child; exec $ACT serve web deaf"'}
	db: {command: $ACT serve db deaf}
`)
			b.noted("web up", "child up", "db up")
			b.Signal(unix.SIGKILL)
			r := b.Wait() // returns when nothing is left on the shim
			if r.Signal != unix.SIGKILL {
				t.Errorf("cginit ended with %d (signal %d), not by SIGKILL", r.Code, r.Signal)
			}
			if err := r.Clean(); err != nil {
				t.Error(err)
			}
		})
	}
}

// detached runs cginit --detach as a user does in a shell, and returns its exit status and its output.
func detached(t *testing.T, file string) (b *box, status int, stdout, stderr string) {
	t.Helper()
	spec := pod.Spec{}
	b = prepare(t, &spec, file)
	cmd := exec.Command(harness.Bin(t, "cginit"), "--detach", "--socket", "none", "--report", filepath.Join(b.dir, "receipts"), "--config", b.file)
	cmd.Env = append(append(os.Environ(), spec.Env...), harness.Trace(t, b.dir))
	pod.Enclose(t, cmd)
	out, err := os.Create(filepath.Join(b.dir, "out"))
	check(t, err)
	errs, err := os.Create(filepath.Join(b.dir, "err"))
	check(t, err)
	cmd.Stdout, cmd.Stderr = out, errs
	_ = cmd.Run() // the caller checks the status
	said, _ := os.ReadFile(out.Name())
	complained, _ := os.ReadFile(errs.Name())
	return b, cmd.ProcessState.ExitCode(), string(said), string(complained)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRule7DetachReturnsWhenItIsUp(t *testing.T) {
	t.Run("up", func(t *testing.T) {
		t.Parallel()
		b, status, out, errs := detached(t, `
services:
	db: {command: 'sh -c "echo tells >> $LOG; $ACT tell READY=1; exec $ACT serve db"', ready: notify}
	web: {command: $ACT serve web, depends_on: [db], healthcheck: {test: "echo checked >> $LOG", interval: 10ms}}
`)
		pid, err := strconv.Atoi(strings.TrimSpace(out))
		if status != 0 || err != nil {
			t.Fatalf("status %d, stdout %q, stderr %q", status, out, errs)
		}
		if b.count("tells") != 1 || b.count("checked") == 0 {
			t.Errorf("cginit --detach returned too early, after %q", b.notes())
		}
		fd, err := unix.PidfdOpen(pid, 0)
		check(t, err)
		defer unix.Close(fd)
		check(t, unix.Kill(pid, syscall.SIGTERM))
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for n := 0; n == 0; {
			if n, err = unix.Poll(poll, int(pod.Patience.Milliseconds())); err != unix.EINTR && n != 1 {
				t.Fatalf("cginit does not end: %v", err)
			}
		}
		b.order("tells", "db SIGTERM")
	})
	t.Run("in vain", func(t *testing.T) {
		t.Parallel()
		_, status, out, errs := detached(t, "services: {web: {command: 'sh -c \"exit 3\"', ready: notify}}")
		if status != 3 || out != "" || !strings.Contains(errs, "cannot start web: ") {
			t.Errorf("status %d, stdout %q, stderr %q", status, out, errs)
		}
	})
	t.Run("a wrong file", func(t *testing.T) {
		t.Parallel()
		_, status, out, errs := detached(t, "services: {web: {comand: x}}")
		if status != 125 || out != "" || !strings.Contains(errs, "comand") {
			t.Errorf("status %d, stdout %q, stderr %q", status, out, errs)
		}
	})
	t.Run("the work is done", func(t *testing.T) {
		t.Parallel()
		if b, status, _, errs := detached(t, "jobs: {a: {command: 'sh -c \"echo a >> $LOG\"'}}"); status != 0 {
			t.Errorf("status %d, notes %q, stderr %q", status, b.notes(), errs)
		}
	})
}
