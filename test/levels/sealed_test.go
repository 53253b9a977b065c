package levels

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/beside"
	"github.com/cginit/cginit/test/internal/harm"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestSealed runs a job that tries everything that a seal forbids, while it forks.
func TestSealed(t *testing.T) {
	harness.AsRoot(t)
	for name, c := range map[string]struct {
		spec  pod.Spec
		keys  string
		level string
	}{
		"container":                    {pod.Spec{Mode: pod.NoCgroup}, "", "sealed"},
		"container, user":              {pod.Spec{Mode: pod.NoCgroup}, "    user: '1000'\n", "uid"},
		"writable cgroup":              {pod.Spec{Mode: pod.Process1}, "", "cgroup"},
		"writable cgroup, not pid 1":   {pod.Spec{Mode: pod.Subreaper}, "", "cgroup"},
		"ordinary user's host":         {pod.Spec{Mode: pod.Subreaper, UID: 54321}, "", "sealed"},
		"user namespace, root of that": {pod.Spec{Mode: pod.NoCgroup, UIDs: 1 << 16}, "", "sealed"},
	} {
		for _, end := range []string{"stopped", "killed", "holder limited"} {
			if end == "holder limited" && c.level != "sealed" {
				continue // there is no holder, or its limits are another user's
			}
			t.Run(name+"/"+end, func(t *testing.T) {
				for range beside.Runs(t) {
					beHostile(t, c.spec, c.keys, c.level, end)
				}
			})
		}
	}
}

// beHostile runs the job once.
func beHostile(t *testing.T, spec pod.Spec, keys, level, end string) {
	t.Helper()
	limit := ""
	if end == "holder limited" {
		limit = "limit"
	}
	script := fmt.Sprintf(`exec %s MARKER %s %s`, harness.Bin(t, "hostile"), harness.Bin(t, "trees"), limit)
	a := startIn(t, spec, []string{"sh", "-c", script}, keys+"    seal: true\n")
	var lines []string
	for line := a.Line(""); line != "done"; line = a.Line("") {
		if lines = append(lines, line); strings.HasPrefix(line, "not sealed") {
			break
		}
	}
	must := harm.Always
	if level == "cgroup" {
		must = append(slices.Clone(must), harm.WithCgroups...)
	}
	if harm.Judge(t, lines, must...); t.Failed() {
		return
	}
	if limit == "" {
		a.end(t, end)
	} else {
		timeout := pod.Patience.Milliseconds()
		_, err := a.Client.Wait(t.Context(), control.WaitParams{Jobs: []string{"bad"}, Until: control.UntilEnded, Timeout: &timeout})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(a.Stderr(), "bad: its holder was killed") {
			t.Errorf("cginit does not say that the holder was killed: %s", a.Stderr())
		}
	}
	if r := a.ended(t); r.Containment != level {
		t.Errorf("the containment is %s, not %s", r.Containment, level)
	}
}

// TestSealedCommand ends one sealed command on an ordinary user's host, in every way.
func TestSealedCommand(t *testing.T) {
	harness.AsRoot(t)
	for kind, deaf := range map[string]int{"plain": 0, "setsid": 0, "deaf": 11, "daemon": 0, "chain": 0, "stopped": 0, "headless": 10} {
		for _, end := range []string{"stop", "exit", "timeout", "supervisor killed"} {
			t.Run(kind+"/"+end, func(t *testing.T) {
				for range beside.Runs(t) {
					args := []string{"--seal", "--require", "sealed", "--stop-grace-period", "300ms"}
					if end == "timeout" {
						args = append(args, "--timeout", "1s")
					}
					args = append(args, "--", harness.Bin(t, "trees"), kind, "10", "--marker", filepath.Base(pod.OpenDir(t)))
					if end == "exit" {
						args = append(args, "--exit", "3")
					}
					p := pod.Start(t, pod.Spec{Mode: pod.Subreaper, UID: 54321, Args: args})
					if !p.Grown() {
						t.Fatalf("the tree is not complete; stderr: %s", p.Stderr())
					}
					switch end {
					case "stop":
						p.Signal(syscall.SIGTERM)
					case "exit":
						p.EndInput()
					case "supervisor killed":
						p.Signal(syscall.SIGKILL)
					}
					r := p.Wait()
					if err := r.Clean(); err != nil {
						t.Error(err)
					}
					if end == "supervisor killed" {
						continue
					}
					receipt, err := r.Receipt()
					if err != nil || receipt.Containment != "sealed" || receipt.Unkillable > 0 || deaf == 0 && receipt.Killed > 0 {
						t.Errorf("%v, %+v; stderr: %s", err, receipt, p.Stderr())
					}
				}
			})
		}
	}
}
