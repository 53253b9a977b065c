package engine

import (
	"slices"
	"strings"
	"testing"
)

// leftovers exits with status 3 and leaves two processes behind: one that SIGTERM ends, and a daemon in
// a session of its own that ignores SIGTERM. It exits only when both have executed sleep.
const leftovers = `
	sleep 1001 &
	(trap "" TERM HUP; setsid sleep 1002 &)
	until [ "$(pidof sleep | wc -w)" = 2 ]; do usleep 10000; done
	exit 3`

// Leftovers runs a command that leaves processes behind, in a container that is made with opts. It
// checks the whole teardown: the level, the status, the receipt, and that nothing is left. First is put
// before the command's script.
func (e *Engine) Leftovers(t testing.TB, level string, opts []string, first string) *Box {
	t.Helper()
	b := e.Start(t, opts, "--stop-grace-period", "3s", "--", "sh", "-c", first+leftovers)
	if status := b.Wait(); status != 3 {
		t.Errorf("the container ended with %d, not with the command's 3", status)
	}
	r := b.Receipt()
	if r.Containment != level || r.Guarantee == "" {
		t.Errorf("the receipt says level %q with the guarantee %q, not level %q", r.Containment, r.Guarantee, level)
	}
	if r.Cause != "exited" || r.Code == nil || *r.Code != 3 || r.ExitStatus != 3 {
		t.Errorf("the receipt does not say that the command exited with 3: %+v", r)
	}
	if r.Asked != 2 || r.Left != 1 || r.Killed != 1 || r.Unkillable != 0 {
		t.Errorf("the receipt must say 2 asked, 1 left, 1 killed: %+v", r)
	}
	if len(r.Processes) != 1 || r.Processes[0].Command != "sleep 1002" || r.Processes[0].Outcome != "killed" ||
		!slices.Contains(r.Processes[0].Reasons, "ignored SIGTERM") || !slices.Contains(r.Processes[0].Reasons, "daemonised") {
		t.Errorf("the receipt does not describe the daemon: %+v", r.Processes)
	}
	// The log must name the containment if it is less than a cgroup, and say where to find what to add.
	said := strings.Contains(b.Logs(), "(containment "+level+")") && strings.Contains(b.Logs(), "cginit --check")
	if said != (level != "cgroup") {
		t.Errorf("at level %s the log names the containment: %v", level, said)
	}
	return b
}
