package hold

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/cginit/cginit/cgroup"
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
