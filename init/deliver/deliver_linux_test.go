package deliver

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// state is what another effective uid changes of a thread or a process.
type state struct{ uid, dumpable, parentDies int }

func now(t *testing.T) state {
	t.Helper()
	_, uid, _ := unix.Getresuid()
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var sig int32
	if err := unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&sig)), 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	return state{uid, dumpable, int(sig)}
}

// TestDisguised checks that a thread has another effective uid, and afterwards is as it was.
func TestDisguised(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("this needs root")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	before := now(t)
	var during state
	err, restored := disguised(54321, func() error { during = now(t); return unix.EINVAL })
	if err != unix.EINVAL || !restored || during.uid != 54321 {
		t.Errorf("%v, restored %v, meanwhile %+v", err, restored, during)
	}
	if after := now(t); after != before {
		t.Errorf("it was %+v and is %+v", before, after)
	}
}

// TestSignal checks the results of kill(2) that are passed on.
func TestSignal(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := Signal(cmd.Process.Pid, unix.SIGKILL); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	if err := Signal(cmd.Process.Pid, unix.SIGKILL); err != unix.ESRCH {
		t.Errorf("a process that is gone: %v", err)
	}
	if err := Signal(os.Getpid(), 999); err != unix.EINVAL {
		t.Errorf("no signal: %v", err)
	}
}
