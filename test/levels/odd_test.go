package levels

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// daemons is a script that leaves five daemons and stays.
const daemons = `for i in 1 2 3 4 5; do (setsid busybox sh -c "trap : TERM; while :; do sleep 1000; done; : MARKER" &); done; sleep 1000; : MARKER`

// TestProc checks that a job that daemonises is completely torn down, whatever /proc shows, and that
// its neighbour goes on.
func TestProc(t *testing.T) {
	for name, proc := range map[string]string{"hidepid": "hidepid=2", "none": "none"} {
		for own, keys := range map[string]string{"": "", ", own uid": "    user: auto\n"} {
			t.Run(name+own, func(t *testing.T) {
				a := startIn(t, pod.Spec{Mode: pod.NoCgroup, Proc: proc}, []string{"busybox", "sh", "-c", daemons}, keys)
				a.grown(t, 6)
				a.kill(t)
			})
		}
	}
}

// TestNested runs a cginit below another one. The outer one must end everything, even if the inner one
// is killed.
func TestNested(t *testing.T) {
	marker := "nested-" + filepath.Base(pod.OpenDir(t))
	inner := []string{harness.Bin(t, "cginit"), "--socket", "none", "--config", write(t, "inner.yaml", fmt.Sprintf(
		"services: {a: {command: [%s, daemon, '10', --marker, %s]}, b: {command: [%s, deaf, '10', --marker, %s]}}",
		harness.Bin(t, "trees"), marker, harness.Bin(t, "trees"), marker))}
	for name, end := range map[string]func(p *pod.Pod, inner int){
		"the outer is asked":  func(p *pod.Pod, _ int) { p.Signal(syscall.SIGTERM) },
		"the inner is killed": func(_ *pod.Pod, inner int) { _ = syscall.Kill(inner, syscall.SIGKILL) },
	} {
		for _, mode := range pod.Modes {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				p := pod.Start(t, pod.Spec{Mode: mode, Args: append([]string{"--stop-grace-period", "1s", "--"}, inner...)})
				pod.Until(t, "all have grown", func() bool { return len(pod.Pids(marker)) == 22 })
				end(p, innerOf(t, p))
				if err := p.Wait().Clean(); err != nil {
					t.Error(err)
				}
				if left := pod.Pids(marker); len(left) > 0 {
					t.Errorf("these processes live: %v", left)
				}
			})
		}
	}
}

// innerOf returns the pid of the cginit that is the command of the pod's cginit.
func innerOf(t *testing.T, p *pod.Pod) int {
	t.Helper()
	for _, m := range p.Tree("cginit") {
		if m.Pid != p.Pid && m.Parent == p.Pid {
			return m.Pid
		}
	}
	t.Fatal("there is no inner cginit")
	return 0
}

// TestTurnsReadOnly tries to make the cgroup read-only while jobs run. The kernel refuses it, because cginit
// has what it needs for a kill open, and the jobs are completely killed.
func TestTurnsReadOnly(t *testing.T) {
	nsenter := harness.Command(t, "nsenter")
	a := startIn(t, pod.Spec{Mode: pod.Process1}, []string{harness.Bin(t, "trees"), "deaf", "10", "--marker", "MARKER"}, "")
	a.grown(t, 11)
	out, err := exec.Command(nsenter, "--target", strconv.Itoa(a.Pid), "--mount", "mount", "-o", "remount,bind,ro", "/sys/fs/cgroup").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "busy") {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := a.Kill(t.Context(), control.KillParams{Jobs: []string{"bad"}}); err != nil {
		t.Fatal(err)
	}
	if left := pod.Pids(a.marker + ".bad"); len(left) > 0 {
		t.Errorf("these processes of the job live: %v; %s", left, a.Stderr())
	}
	status, err := a.Status(t.Context(), control.StatusParams{Job: "bad"})
	if err != nil {
		t.Fatal(err)
	}
	if r := status.Receipt; r == nil || r.Cause != "killed" || r.Containment != "cgroup" || r.Killed != 11 || r.Unkillable > 0 {
		t.Errorf("the receipt says %+v", r)
	}
	a.Pod.Signal(syscall.SIGTERM)
	r := a.Pod.Wait()
	if err := r.Clean(); err != nil || r.Code != 0 {
		t.Errorf("cginit ended with %d, %v; stderr: %s", r.Code, err, r.Stderr)
	}
}

// TestNoDev runs cginit in a container with an empty /dev.
func TestNoDev(t *testing.T) {
	for _, mode := range []pod.Mode{pod.Process1, pod.NoCgroup} {
		t.Run(string(mode), func(t *testing.T) {
			marker := "no-dev-" + filepath.Base(pod.OpenDir(t))
			text := "stop_grace_period: 2s\nservices:\n"
			for _, kind := range []string{"daemon", "deaf"} {
				text += fmt.Sprintf("  %s: {command: [%s, %s, '10', --marker, %s]}\n", kind, harness.Bin(t, "trees"), kind, marker)
			}
			p := pod.Start(t, pod.Spec{Mode: mode, Tmpfs: []string{"/dev"}, Args: []string{"--socket", "none", "--config", write(t, "cginit.yaml", text)}})
			pod.Until(t, "all have grown", func() bool { return len(pod.Pids(marker)) == 22 })
			p.Signal(syscall.SIGTERM)
			r := p.Wait()
			if err := r.Clean(); err != nil || r.Code != 0 || strings.Contains(r.Stderr, "/dev/null") {
				t.Errorf("cginit ended with %d, %v; stderr: %s", r.Code, err, r.Stderr)
			}
		})
	}
}

// TestNothingHolds checks that a file is refused where nobody can be a subreaper and there is no /proc to find the
// processes in.
func TestNothingHolds(t *testing.T) {
	file := write(t, "cginit.yaml", "socket: none\nservices:\n  a: {command: [sleep, '1000']}\n")
	p := pod.Start(t, pod.Spec{Mode: pod.NoCgroup, NoSubreaper: true, Proc: "none", Args: []string{"--config", file}})
	if r := p.Wait(); r.Code != 125 || !strings.Contains(p.Stderr(), "nothing here can hold a job") || !strings.Contains(p.Stderr(), "no /proc") {
		t.Errorf("status %d; stderr: %s", r.Code, p.Stderr())
	}
}
