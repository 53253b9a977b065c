package chaos

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// seize makes this test the tracer of a process. It does not wait for it until release is called, after the
// end of the process.
func seize(t *testing.T, pid int) (release func()) {
	t.Helper()
	begun, end, ended := make(chan error), make(chan bool), make(chan bool)
	go func() {
		runtime.LockOSThread() // a tracer is a thread
		defer runtime.UnlockOSThread()
		_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, 0, 0, 0)
		if errno != 0 {
			begun <- errno
			return
		}
		begun <- nil
		<-end
		_, _ = unix.Wait4(pid, nil, unix.WALL, nil)
		close(ended)
	}()
	if err := <-begun; err != nil {
		t.Fatalf("cannot trace %d: %v", pid, err)
	}
	released := false
	release = func() {
		if !released {
			released = true
			close(end)
			<-ended
		}
	}
	t.Cleanup(release)
	return release
}

// TestTracerDoesNotWait kills a main process whose tracer, outside of the job, never waits for it. Then
// wait4 never returns it. Nothing of the job lives, so its end must not wait for the tracer either.
func TestTracerDoesNotWait(t *testing.T) {
	inModes(t, func(t *testing.T, mode pod.Mode) {
		for _, holds := range []string{"", "holder"} {
			if holds == "holder" && mode != pod.NoCgroup {
				continue // the others have a cgroup
			}
			for name, end := range map[string]func(p *pod.Pod, main int){
				"TERM": func(p *pod.Pod, main int) { p.Signal(unix.SIGTERM) },
				"main killed": func(p *pod.Pod, main int) {
					if err := unix.Kill(main, unix.SIGKILL); err != nil {
						t.Fatal(err)
					}
					if mode == pod.NoCgroup { // only a stop looks: no kernel tells of a death that a tracer hides
						p.Signal(unix.SIGTERM)
					}
				},
			} {
				t.Run(holds+name, func(t *testing.T) {
					args := append([]string{"--stop-grace-period", "100ms"}, trees(t, "deaf", "1")...)
					if name == "main killed" {
						args = []string{"--stop-grace-period", "100ms", "--", "sleep", "1000"}
					}
					if holds == "holder" {
						args = append([]string{"--socket", filepath.Join(pod.OpenDir(t), "socket")}, args...)
					}
					p := pod.Start(t, pod.Spec{Mode: mode, Args: args})
					program := "sleep"
					if name == "TERM" {
						p.Line("ready")
						program = "trees"
					}
					pod.Until(t, "the command runs", func() bool { return len(p.Tree(program)) > 0 })
					main := p.Tree(program)[0].Pid
					release := seize(t, main)
					end(p, main)
					pod.Until(t, "the receipt", func() bool { return len(p.Receipts()) > 0 })
					if mode == pod.Subreaper { // the kernel lets a process 1 go only after the tracer
						pod.Until(t, "the end", func() bool { return !strings.ContainsAny(pod.Status(p.Pid, "State"), "RSD") })
					}
					release()
					r := p.Wait()
					receipt, err := r.Receipt()
					if err != nil || receipt.Signal != "SIGKILL" || receipt.Unkillable != 0 || r.Code != 128+9 {
						t.Errorf("status %d, receipt %+v, %v; stderr: %s", r.Code, receipt, err, r.Stderr)
					}
					if len(r.Alive)+len(r.Cgroups) > 0 {
						t.Error(r.Clean())
					}
				})
			}
		}
	})
}

// TestTracerHidesTheEnd is the same where cginit may not trace its command, so that the kernel does not show
// how it has ended. That is not taken for success.
func TestTracerHidesTheEnd(t *testing.T) {
	harness.AsRoot(t)
	wrap := []string{harness.Command(t, "setpriv"), "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace", "--"}
	p := pod.Start(t, pod.Spec{Mode: pod.Subreaper, Wrap: wrap, Args: []string{"--user", "54326", "--", "sleep", "1000"}})
	pod.Until(t, "the command runs", func() bool { return len(p.Tree("sleep")) == 1 })
	main := p.Tree("sleep")[0].Pid
	release := seize(t, main)
	if err := unix.Kill(main, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	pod.Until(t, "the receipt", func() bool { return len(p.Receipts()) > 0 })
	pod.Until(t, "the end", func() bool { return !strings.ContainsAny(pod.Status(p.Pid, "State"), "RSD") })
	release()
	r := p.Wait()
	if receipt, err := r.Receipt(); err != nil || r.Code != 125 || receipt.Error == "" || receipt.Code != nil || receipt.Signal != "" {
		t.Errorf("status %d, receipt %+v, %v; stderr: %s", r.Code, receipt, err, r.Stderr)
	}
}
