package chaos

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// TestWithoutCapKill takes CAP_KILL away from a cginit that is root. Its command is another user's, from the
// start or because it changes to one itself as gosu does. It gets its signals all the same, and what ignores
// them is killed.
func TestWithoutCapKill(t *testing.T) {
	harness.AsRoot(t)
	without := []string{harness.Command(t, "setpriv"), "--bounding-set", "-kill", "--inh-caps", "-kill", "--"}
	const change = "exec setpriv --reuid 54323 --regid 54323 --clear-groups "
	polite := `trap "exit 7" TERM; echo ready; while :; do sleep 0.02; done`
	deaf := `trap "" TERM; (setsid sleep 1001 &); echo ready; sleep 1000; sleep 1000`
	inModes(t, func(t *testing.T, mode pod.Mode) {
		for name, c := range map[string]struct {
			args   []string
			status int
			killed int
		}{
			"asked":           {[]string{"--stop-grace-period", "1h", "--user", "54323", "--", "sh", "-c", polite}, 7, 0},
			"asked, changed":  {[]string{"--stop-grace-period", "1h", "--", "sh", "-c", change + "sh -c '" + polite + "'"}, 7, 0},
			"killed":          {[]string{"--stop-grace-period", "100ms", "--user", "54323", "--", "sh", "-c", deaf}, 128 + 9, 3},
			"killed, changed": {[]string{"--stop-grace-period", "100ms", "--", "sh", "-c", change + "sh -c '" + deaf + "'"}, 128 + 9, 3},
		} {
			for _, level := range []string{mode.Containment(), "tree"} {
				if level == "tree" && mode != pod.NoCgroup {
					continue // the others have a cgroup
				}
				t.Run(name+", "+level, func(t *testing.T) {
					args := c.args
					if level == "tree" {
						args = append([]string{"--socket", filepath.Join(pod.OpenDir(t), "socket")}, args...)
					}
					p := pod.Start(t, pod.Spec{Mode: mode, Wrap: without, Args: args})
					p.Line("ready")
					p.Signal(unix.SIGTERM)
					r := ends(t, p, c.status)
					receipt, err := r.Receipt()
					if err != nil || receipt.Killed != c.killed || receipt.Containment != level && (level != "tree" || receipt.Containment != "uid") {
						t.Errorf("receipt %+v, %v; stderr: %s", receipt, err, r.Stderr)
					}
				})
			}
		}
	})
}

// TestOutOfReach runs cginit as an ordinary user. A descendant has become root by a set-user-ID program, and
// may not be signalled. The receipt does not count it as asked, and cginit does not wait for it.
func TestOutOfReach(t *testing.T) {
	harness.AsRoot(t)
	const uid = 54324
	dir := pod.OpenDir(t)
	become := filepath.Join(dir, "become")
	if out, err := exec.Command("cp", harness.Command(t, "setpriv"), become).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := unix.Chmod(become, 0o4755); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--stop-grace-period", "100ms", "--", "sh", "-c",
		become + " --reuid 0 --clear-groups sh -c 'echo ready; exec sleep 1009' & exec sleep 1010",
	}
	p := pod.Start(t, pod.Spec{Mode: pod.Subreaper, UID: uid, Args: args})
	p.Line("ready")
	var sleep []pod.Member
	pod.Until(t, "both sleep", func() bool { sleep = p.Tree("sleep"); return len(sleep) == 2 })
	p.Signal(unix.SIGTERM)
	pod.Until(t, "the receipt", func() bool { return len(p.Receipts()) == 1 })
	for _, m := range sleep {
		_ = unix.Kill(m.Pid, unix.SIGKILL) // as root, so that the pod can go
	}
	r := p.Wait()
	if got, err := r.Receipt(); err != nil || r.Code != 125 || got.Asked != 1 || got.Left != 1 || got.Killed != 0 || got.Unkillable != 1 {
		t.Errorf("status %d, receipt %+v, %v; stderr: %s", r.Code, got, err, r.Stderr)
	}
}

// TestAskedOnce checks that a process of cginit's own user, beside some of other users, is asked once to leave.
func TestAskedOnce(t *testing.T) {
	harness.AsRoot(t)
	wrap := []string{harness.Command(t, "setpriv"), "--bounding-set", "-kill", "--inh-caps", "-kill", "--"}
	script := `for uid in 54331 54332 54333; do setpriv --reuid $uid --clear-groups sleep 1000 & done
(trap "echo asked" TERM; echo ready; for i in $(seq 50); do sleep 0.02; done; echo "that was all") & wait $!; read x`
	p := pod.Start(t, pod.Spec{Mode: pod.NoCgroup, Wrap: wrap, Args: []string{"--", "sh", "-c", "(" + script + ") & exec sleep 1000"}})
	p.Line("ready")
	pod.Until(t, "all sleep", func() bool { return len(p.Tree("sleep")) >= 4 })
	for _, m := range p.Tree("sleep") {
		if m.Parent == p.Pid || m.Inner == 2 {
			_ = unix.Kill(m.Pid, unix.SIGKILL) // the main process, so that the others are asked to leave
		}
	}
	p.Line("asked")
	if line := p.Line("a"); line != "that was all" { // or asked again
		t.Errorf("it says %q", line)
	}
	ends(t, p, 128+9)
}
