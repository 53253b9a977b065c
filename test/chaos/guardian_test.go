package chaos

import (
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// TestGuardian kills the guardian. cginit must replace it, and the new guardian must do its work.
func TestGuardian(t *testing.T) {
	p := pod.Start(t, pod.Spec{Mode: pod.Subreaper, Args: trees(t, "daemon", "10")})
	p.Line("ready")
	for range 3 {
		first := guardian(t, p)
		if err := unix.Kill(first, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		pod.Until(t, "it is replaced", func() bool { return guardian(t, p) != first })
	}
	if n := len(p.Tree("trees")); n != 11 {
		t.Errorf("%d of 11 processes run", n)
	}
	p.Signal(syscall.SIGKILL)
	r := p.Wait()
	if err := r.Clean(); err != nil || r.Signal != syscall.SIGKILL {
		t.Error(r.Signal, err)
	}
}

// TestGuardianIsDeaf sends the guardian every signal that a job may send to all processes that it sees.
func TestGuardianIsDeaf(t *testing.T) {
	p := pod.Start(t, pod.Spec{Mode: pod.Subreaper, Args: trees(t, "daemon", "10")})
	p.Line("ready")
	first := guardian(t, p)
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if sig != unix.SIGKILL && sig != unix.SIGSTOP {
			_ = unix.Kill(first, sig)
		}
	}
	p.Signal(syscall.SIGTERM)
	ends(t, p, 128+15)
}

// guardian returns the pid of the guardian, once it exists.
func guardian(t *testing.T, p *pod.Pod) (pid int) {
	t.Helper()
	pod.Until(t, "there is a guardian", func() bool {
		all := p.Guardians()
		if len(all) == 1 {
			pid = all[0].Pid
		}
		return len(all) == 1
	})
	return pid
}
