package docker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/engine"
)

// TestSignalsReachTheCommand checks that signals that do not ask cginit to stop reach the command.
func TestSignalsReachTheCommand(t *testing.T) {
	t.Parallel()
	d := v2(t)
	b := d.Start(t, nil, "--", "sh", "-c", `
		for s in HUP USR1 USR2 QUIT WINCH; do trap "echo got-$s" $s; done
		echo up
		while :; do usleep 10000; done`)
	b.Says("up")
	for _, signal := range []string{"HUP", "USR1", "USR2", "QUIT", "WINCH"} {
		b.Output(t, "kill", "--signal", signal, b.Name)
		b.Says("got-" + signal)
	}
	b.Output(t, "stop", b.Name)
	b.Wait()
}

// TestPause checks that a pause freezes cginit and all of its jobs, however deep their cgroups are, and
// that everything works as usual after it.
func TestPause(t *testing.T) {
	d := v2(t)
	for level, opts := range map[string][]string{"pidns": nil, "cgroup": d.writable} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			b := d.Start(t, opts, "--", "sh", "-c", `
				trap "exit 5" TERM
				echo up
				while :; do usleep 10000; echo tick; done`)
			b.Says("tick")
			frozen := frozen(t, b)
			b.Output(t, "pause", b.Name)
			if !frozen() {
				t.Error("the container is paused, and its cgroup is not frozen")
			}
			b.Output(t, "unpause", b.Name)
			if frozen() {
				t.Error("the container is not paused any more, and its cgroup is frozen")
			}
			b.Says(strings.Repeat("tick\n", strings.Count(b.Logs(), "tick\n")+1))
			b.Output(t, "stop", b.Name)
			if status := b.Wait(); status != 5 {
				t.Errorf("the container ended with %d", status)
			}
			if r := b.Receipt(); r.Cause != "stopped" || r.Containment != level {
				t.Errorf("the receipt is wrong: %+v", r)
			}
		})
	}
}

// frozen returns a function that asks the kernel whether the container's cgroup and all below it are
// frozen.
func frozen(t *testing.T, b *engine.Box) func() bool {
	t.Helper()
	file := filepath.Join(b.Cgroup(), "cgroup.events")
	return func() bool {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "frozen 1")
	}
}

// TestExec checks that docker exec works beside the jobs. The processes that it starts end with the
// container, and their orphans are reaped.
func TestExec(t *testing.T) {
	d := v2(t)
	for level, opts := range map[string][]string{"pidns": nil, "cgroup": d.writable} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			execs(t, d.Start(t, opts, "--", "sh", "-c", `echo up; exec sleep 1001`))
		})
	}
}

// TestExecDoesNotHoldUpTheEnd checks that a process that docker exec has started does not delay the end
// of the command, and ends with it. It is no child of cginit, so the kernel does not report its end.
// The grace period is far longer than the test's patience.
func TestExecDoesNotHoldUpTheEnd(t *testing.T) {
	d := v2(t)
	for _, leftovers := range []string{"stop", "wait"} {
		t.Run(leftovers, func(t *testing.T) {
			t.Parallel()
			b := d.Start(t, nil, "--stop-grace-period", "1h", "--leftovers", leftovers, "--",
				"sh", "-c", "until [ -e /shared/go ]; do usleep 10000; done; exit 6")
			b.Output(t, "exec", "--detach", b.Name, "sh", "-c", `trap "" TERM; touch /shared/go; sleep 1001`)
			if status := b.Wait(); status != 6 {
				t.Errorf("the container ended with %d", status)
			}
			if r := b.Receipt(); r.Cause != "exited" || r.ExitStatus != 6 || r.Unkillable != 0 {
				t.Errorf("the receipt is wrong: %+v", r)
			}
		})
	}
}

// TestExecWithControllers checks docker exec where controllers are enabled. The container's own cgroup
// must not hold processes then, so the engine has to put the new one elsewhere.
func TestExecWithControllers(t *testing.T) {
	t.Parallel()
	d := v2(t)
	probe := d.Start(t, nil, "--", "cat", "/sys/fs/cgroup/cgroup.controllers")
	probe.Wait()
	if !slices.Contains(strings.Fields(probe.Logs()), "pids") {
		t.Skip("containers have no pids controller on this machine's cgroup v2")
	}
	execs(t, d.Start(t, d.writable, "--pids-limit", "50", "--", "sh", "-c", `echo up; exec sleep 1001`))
}

func execs(t *testing.T, b *engine.Box) {
	t.Helper()
	b.Says("up")
	if said := b.Exec("echo", "hello"); said != "hello" {
		t.Errorf("exec said %q", said)
	}
	b.Output(t, "exec", "--detach", b.Name, "sleep", "1002")
	b.Exec("sh", "-c", "(sleep 0.1 &)")
	b.Await("the orphan to be reaped", func() bool {
		return b.Exec("sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null | grep -c '(sleep)'; :") == "2"
	})
	b.Alive(3) // cginit and two sleeps
	b.Output(t, "stop", b.Name)
	b.Wait()
}
