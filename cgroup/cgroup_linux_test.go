package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// missing skips a test and names what the machine lacks. In CI the test fails instead, because
// nobody would notice the skip.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing, and CI must have it", what)
	}
	t.Skipf("SKIPPED for want of %s", what)
}

// newDir creates a cgroup for a test. After the test it kills what lives in the cgroup and removes it.
func newDir(t *testing.T) Dir {
	t.Helper()
	own, err := Find()
	if err != nil {
		missing(t, "a cgroup v2 of our own: "+err.Error())
	}
	dir, err := own.MakeUnique("cginit.test")
	if err != nil {
		missing(t, "a writable cgroup v2: "+err.Error())
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(10 * time.Second); dir.Remove() != nil && time.Now().Before(deadline); {
			_ = dir.Kill()
			_ = dir.Thaw()
		}
		if _, err := os.Stat(string(dir)); err == nil {
			t.Errorf("%s is still there", dir)
		}
	})
	return dir
}

// start starts a process in d, and kills it after the test.
func start(t *testing.T, d Dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	fd, err := unix.Open(string(d), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &unix.SysProcAttr{UseCgroupFD: true, CgroupFD: fd}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// await waits with a Watcher until is accepts the events of d. It panics after 20 seconds.
func await(t *testing.T, w *Watcher, d Dir, what string, is func(Events) bool) {
	t.Helper()
	hung := time.AfterFunc(20*time.Second, func() { panic(string(d) + " is never " + what) })
	defer hung.Stop()
	for {
		e, err := d.Events()
		if err != nil {
			t.Fatal(err)
		}
		if is(e) {
			return
		}
		if _, err := w.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

// watch returns a Watcher that watches d.
func watch(t *testing.T, d Dir, id int32) *Watcher {
	t.Helper()
	w, err := NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Add(d, id); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestMakeIsExclusive(t *testing.T) {
	d := newDir(t)
	if _, err := d.Make("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Make("a"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second Make of the same name: %v", err)
	}
	b, err := d.MakeUnique("a")
	if err != nil || b != d+"/a.2" {
		t.Errorf("the second a is %s, %v", b, err)
	}
}

func TestFreezeListKill(t *testing.T) {
	for name, kill := range map[string]func(Dir) error{"cgroup.kill": Dir.Kill, "by pid": func(d Dir) error { return d.KillEach(unix.Kill) }} {
		t.Run(name, func(t *testing.T) {
			d := newDir(t)
			nested, err := d.Make("nested")
			if err != nil {
				t.Fatal(err)
			}
			w := watch(t, d, 7)
			deaf := start(t, d, "sh", "-c", `trap "" TERM; while :; do sleep 1 & wait; done`)
			inner := start(t, nested, "sleep", "1000")
			fd, err := d.OpenFreeze()
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			if IsFreezing(fd) {
				t.Error("Freezing is true before Freeze was called")
			}
			if err := d.Freeze(); err != nil || !IsFreezing(fd) {
				t.Fatalf("Freeze: %v, and then Freezing is %v", err, IsFreezing(fd))
			}
			await(t, w, d, "frozen", func(e Events) bool { return e.Frozen })
			pids, err := d.Procs()
			if err != nil || len(pids) < 2 {
				t.Fatalf("Procs: %v, %v; want at least %d and %d", pids, err, deaf.Process.Pid, inner.Process.Pid)
			}
			if err := d.Remove(); !errors.Is(err, unix.EBUSY) {
				t.Errorf("Remove with live processes: %v, want EBUSY", err)
			}
			if err := kill(d); err != nil {
				t.Fatal(err)
			}
			again := time.NewTicker(100 * time.Millisecond) // a caller must repeat the kill until it is empty
			defer again.Stop()
			go func() {
				for range again.C {
					_ = kill(d)
				}
			}()
			await(t, w, d, "empty", func(e Events) bool { return !e.Populated })
			if pids, _ := d.Procs(); len(pids) != 0 {
				t.Errorf("%v are left", pids)
			}
			if err := d.Remove(); err != nil {
				t.Errorf("Remove with nothing but zombies: %v", err)
			}
			if err := d.Remove(); err != nil {
				t.Errorf("Remove of a cgroup that is gone: %v", err)
			}
		})
	}
}

func TestWatcherTellsWhich(t *testing.T) {
	a, b := newDir(t), newDir(t)
	w := watch(t, a, 1)
	if _, err := w.Add(b, 2); err != nil {
		t.Fatal(err)
	}
	cmd := start(t, b, "true")
	_ = cmd.Wait()
	ids, err := w.Wait()
	if err != nil || len(ids) != 1 || ids[0] != 2 {
		t.Errorf("Wait: %v, %v; want the second cgroup alone", ids, err)
	}
}

func TestAddMoves(t *testing.T) {
	a, b := newDir(t), newDir(t)
	cmd := start(t, a, "sleep", "1000")
	if err := a.MoveAll(b); err != nil {
		t.Fatal(err)
	}
	if pids, err := b.Procs(); err != nil || len(pids) != 1 || pids[0] != cmd.Process.Pid {
		t.Errorf("after MoveAll the second cgroup has %v, %v", pids, err)
	}
	if err := a.Add(1 << 22); !isGone(err) {
		t.Errorf("Add of a process that does not exist: %v", err)
	}
}

// TestMissingFile checks that a file which the kernel does not have gives ErrNotExist, and not EACCES.
func TestMissingFile(t *testing.T) {
	if err := newDir(t).write("cgroup.nothing", "1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("write to a missing file: %v", err)
	}
}

func TestControllers(t *testing.T) {
	n := int64(10)
	res := &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &n}, Memory: &specs.LinuxMemory{Limit: &n}}
	if got := Controllers(res); len(got) != 2 {
		t.Errorf("controllers %v", got)
	}
	if got := Controllers(nil); got != nil {
		t.Errorf("no limits need %v", got)
	}
	if err := newDir(t).Offers([]string{"nosuch"}); err == nil {
		t.Error("a controller that does not exist is offered")
	}
}

func TestStatsWithoutControllers(t *testing.T) {
	d := newDir(t)
	cmd := start(t, d, "sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
	_ = cmd.Wait()
	s := d.Stats([]string{"memory", "pids"})
	if s.CPU == nil || *s.CPU <= 0 {
		t.Errorf("CPU time %v", s.CPU)
	}
	if len(d.words("cgroup.controllers")) == 0 && (s.MemoryPeak != nil || s.OOMKills != nil || s.PidsPeak != nil) {
		t.Errorf("without controllers the statistics are %+v", s)
	}
}

// TestRefusals checks the errors for places where no cgroup can be created.
func TestRefusals(t *testing.T) {
	if os.Getuid() == 0 {
		dir := t.TempDir()
		if err := unix.Mount("cgroup2", dir, "cgroup2", unix.MS_RDONLY, ""); err != nil {
			missing(t, "CAP_SYS_ADMIN")
		}
		defer func() { _ = unix.Unmount(dir, 0) }()
		if _, err := Dir(dir).MakeUnique("x"); !errors.Is(err, ErrReadOnly) {
			t.Errorf("read-only: %v", err)
		}
	}
	if _, err := Dir("/proc/" + strconv.Itoa(os.Getpid())).MakeUnique("x"); err == nil {
		t.Error("MakeUnique created a cgroup in /proc")
	}
}
