package proc

import (
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// child starts a program that nobody waits for until the test ends.
func child(t *testing.T, args ...string) (pid int) {
	t.Helper()
	pid, err := syscall.ForkExec("/bin/sh", append([]string{"sh", "-c"}, args...), &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Setpgid: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(-pid, unix.SIGKILL)
		_, _ = unix.Wait4(pid, nil, 0, nil)
	})
	return pid
}

// dead waits until a child is dead, and leaves it for wait4.
func dead(t *testing.T, pid int) {
	t.Helper()
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			return
		}
		if err != unix.EINTR {
			t.Fatal(err)
		}
	}
}

func TestExitStatus(t *testing.T) {
	for script, want := range map[string]syscall.WaitStatus{"exit 3": 3 << 8, "kill -9 $$": 9} {
		pid := child(t, script)
		dead(t, pid)
		if ws, ok := ExitStatus(pid); !ok || ws != want {
			t.Errorf("%s: %#x, %v", script, ws, ok)
		}
	}
	if ws, ok := ExitStatus(os.Getpid()); ok {
		t.Errorf("a living process has ended with %#x", ws)
	}
	if ws, ok := ExitStatus(1 << 23); ok {
		t.Errorf("no process has ended with %#x", ws)
	}
}

func TestChildrenAreDead(t *testing.T) {
	// A process of its own, so that the test's other children do not count.
	parent := child(t, "true & exec sleep 1000")
	for late := time.After(time.Minute); !ChildrenAreDead(parent); {
		select {
		case <-late:
			t.Fatal("its only child has ended, and it says no")
		default:
		}
	}
	living := child(t, "true & sleep 1000 & exec sleep 1000")
	for late := time.After(time.Minute); len((&Reader{}).children(living)) < 2; {
		select {
		case <-late:
			t.Fatal("it has no two children")
		default:
		}
	}
	if ChildrenAreDead(living) {
		t.Error("one of its children lives")
	}
	if ChildrenAreDead(1 << 23) {
		t.Error("a process without children has dead ones")
	}
}

// children returns the children of a process.
func (r *Reader) children(pid int) []Child {
	r.Open()
	defer r.Close()
	r.Scan()
	return r.Children(nil, pid, 0)
}
