package hold

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// TestStartInKilledCgroup checks that a command starts where our own cgroup was killed before we came:
// some kernels kill what is born in a cgroup below it. It runs again in such a cgroup.
func TestStartInKilledCgroup(t *testing.T) {
	if os.Getenv("KILLED_CGROUP") != "" {
		startTrue(t)
		return
	}
	own, err := cgroup.Find()
	var dir cgroup.Dir
	if err == nil {
		dir, err = own.MakeUnique("cginit.test")
	}
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal(err)
	case err != nil:
		t.Skipf("SKIPPED for want of a writable cgroup v2: %v", err)
	}
	defer func() {
		if err := dir.Remove(); err != nil {
			t.Error(err)
		}
	}()
	if err := dir.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `echo 0 >"$1/cgroup.procs" && KILLED_CGROUP=1 exec "$0" -test.run "^TestStartInKilledCgroup$"`, os.Args[0], string(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// startTrue starts a command in a cgroup.
func startTrue(t *testing.T) {
	h, err := Open(Options{Post: func(func()) {}}) // an exec that takes long is reported there
	if err != nil || h.Level() != Cgroup {
		t.Fatal(err, h.Why())
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	held, err := h.Contain(Place{Name: "true", Dir: "true.1"})
	if err != nil {
		t.Fatal(err)
	}
	progress, err := held.Start(&Order{Path: "/bin/sh", Args: []string{"sh", "-c", "exit 3"}, Files: [3]int{0, 1, 2}, Terminal: -1})
	if err != nil || progress == Pending {
		t.Fatalf("progress %d, %v", progress, err)
	}
	var ws syscall.WaitStatus
	if pid, err := syscall.Wait4(-1, &ws, 0, nil); err != nil || pid != held.Main().Pid || ws.ExitStatus() != 3 {
		t.Errorf("pid %d ended with %#x, %v", pid, ws, err)
	}
	if pid, err := syscall.Wait4(-1, &ws, 0, nil); err != syscall.ECHILD {
		t.Errorf("there is another child, %d, %v", pid, err)
	}
	if err := held.Remove(); err != nil {
		t.Error(err)
	}
}

// TestMemoryOfItsOwn checks that a command does not share our memory until its exec where runs have a limit of
// memory: the kernel, which kills the whole cgroup, would kill us with it.
func TestMemoryOfItsOwn(t *testing.T) {
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
	for _, granted := range [][]string{nil, {"memory"}} {
		lease := func(kind int) { // while we have one, an exec of the file waits
			if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, kind); err != nil {
				t.Fatal(err)
			}
		}
		lease(unix.F_WRLCK)
		h := &Home{level: PIDNamespace, granted: granted, mains: map[int]*base{}, post: func(func()) {}}
		held, err := h.Contain(Place{})
		if err != nil {
			t.Fatal(err)
		}
		progress, err := held.Start(&Order{Path: path, Args: []string{"true"}, Files: [3]int{0, 1, 2}, Terminal: -1})
		if err != nil || progress != Forked {
			t.Fatalf("progress %d, %v", progress, err)
		}
		pid := held.Main().Pid
		const sameMemory = 1 // KCMP_VM
		differs, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(os.Getpid()), uintptr(pid), sameMemory, 0, 0, 0)
		lease(unix.F_UNLCK)
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
			t.Fatal(err)
		}
		switch {
		case errno != 0 && os.Getenv("CI") == "true":
			t.Fatalf("kcmp(2): %v", errno)
		case errno != 0:
			t.Skipf("SKIPPED for want of kcmp(2): %v", errno)
		}
		if granted != nil && differs == 0 {
			t.Errorf("with %v the command has our memory", granted)
		}
	}
}
