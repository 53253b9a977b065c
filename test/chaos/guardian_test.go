package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
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

// TestGuardianWithoutEntry kills a cginit that was built without the entry in which a guardian waits, as a plain
// go install does.
func TestGuardianWithoutEntry(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "cginit")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", plain, "./cmd/cginit")
	build.Dir, build.Env = harness.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := pod.Start(t, pod.Spec{
		Mode: pod.Subreaper, Wrap: []string{"sh", "-c", `shift; exec "$0" "$@"`, plain}, Args: trees(t, "daemon", "10"),
	})
	p.Line("ready")
	guardian(t, p)
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

// TestGuardianBesideAFrozenProbe kills cginit while a process that it has just forked stands still, because the
// cgroup of its job is frozen. It must hold nothing open by which the guardian knows that cginit lives.
func TestGuardianBesideAFrozenProbe(t *testing.T) {
	dir := pod.OpenDir(t)
	file := filepath.Join(dir, "cginit.yaml")
	text := "services:\n  a: {command: sleep 1000, healthcheck: {test: [CMD, 'true'], interval: 20ms}}\n  b: {command: sleep 1001}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p := pod.Start(t, pod.Spec{Mode: pod.Subreaper, Args: []string{"--socket", "none", "--config", file}})
	inside := func(name string) (found string) {
		for _, cgroup := range p.Cgroups() {
			if strings.Contains(cgroup, name) {
				found = cgroup
			}
		}
		return found
	}
	pod.Until(t, "the jobs run", func() bool { return len(p.Tree("sleep")) == 2 })
	job := inside("/a.1")
	if err := os.WriteFile(filepath.Join(job, "cgroup.freeze"), []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	pod.Until(t, "a probe stands still", func() bool {
		procs, _ := os.ReadFile(filepath.Join(inside("/a.1/health"), "cgroup.procs"))
		return len(procs) > 0
	})
	p.Signal(unix.SIGKILL)
	if err := p.Wait().Clean(); err != nil {
		t.Error(err)
	}
}
