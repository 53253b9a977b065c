package levels

import (
	"syscall"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// odd are kinds of trees that are hard to see or to end, and how many of eleven processes survive a stop,
// because they ignore its signal. test/trees describes the kinds.
var odd = map[string]int{
	"headless": 10, "headless-main": 11, "traced": 10, "no-exit-signal": 10, "clone-parent": 10, "vfork": 10,
	"inner-pidns": 10, "inner-userns": 10, "inner-cgroupns": 10, "memfd": 10, "no-argv": 10, "page-fault": 10,
	"sqpoll": 10, "fuse": 10, "core-dump": 10,
}

// TestOddKinds ends jobs of each kind beside a neighbour, which must not notice.
func TestOddKinds(t *testing.T) {
	for name, c := range map[string]struct {
		spec   pod.Spec
		keys   string
		level  string
		isRoot bool
	}{
		"container":                          {pod.Spec{Mode: pod.NoCgroup}, "", "tree", true},
		"container, own uids":                {pod.Spec{Mode: pod.NoCgroup}, "    user: auto\n", "uid", false},
		"ordinary user's host":               {pod.Spec{Mode: pod.Subreaper, UID: 54321}, "", "tree", false},
		"container, no subreaper":            {pod.Spec{Mode: pod.NoCgroup, NoSubreaper: true}, "", "marked", true},
		"ordinary user's host, no subreaper": {pod.Spec{Mode: pod.Subreaper, UID: 54321, NoSubreaper: true}, "", "marked", false},
	} {
		for kind, deaf := range odd {
			if kind == "fuse" && !c.isRoot {
				continue // most machines give the device to root alone
			}
			for end, killed := range map[string]int{"killed": 11, "stopped": deaf, "supervisor killed": 0} {
				t.Run(name+"/"+kind+"/"+end, func(t *testing.T) {
					keys := c.keys + "    working_dir: " + pod.OpenDir(t) + "\n" // for core dumps
					a := startIn(t, c.spec, []string{harness.Bin(t, "trees"), kind, "10", "--marker", "MARKER"}, keys)
					if !a.Grown() || len(a.Tree("trees")) != 11 {
						t.Fatalf("the tree is not complete: %v; stderr: %s", a.Tree("trees"), a.Stderr())
					}
					if end == "supervisor killed" {
						a.Pod.Signal(syscall.SIGKILL)
						if err := a.Pod.Wait().Clean(); err != nil {
							t.Error(err)
						}
						return
					}
					a.end(t, end)
					if left := a.Tree("trees"); len(left) > 0 {
						t.Errorf("these processes of the job live: %v", left)
					}
					if r := a.ended(t); r.Containment != c.level || r.Killed != killed {
						t.Errorf("at level %s %d were killed, not %d; stderr: %s", r.Containment, r.Killed, killed, a.Stderr())
					}
				})
			}
		}
	}
}

// end kills or stops the hostile job.
func (a *attack) end(t *testing.T, how string) {
	t.Helper()
	var err error
	if how == "killed" {
		_, err = a.Kill(t.Context(), control.KillParams{Jobs: []string{"bad"}})
	} else {
		_, err = a.Stop(t.Context(), control.StopParams{Jobs: []string{"bad"}})
	}
	if err != nil {
		t.Fatal(err)
	}
}
