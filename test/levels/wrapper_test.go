package levels

import (
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// wrapper is a script that ignores SIGTERM, as mysqld_safe does, and ends after its child. The child ends well
// when it is asked. What it says tells who was asked, and how often.
const wrapper = `trap "" TERM; perl -e "\$| = 1; \$SIG{TERM} = sub { print qq(asked\n); exit 0 }; print qq(up\n); sleep 1 while 1"; echo wrapped`

// TestWrapper stops a service and a command whose main process ignores the stop signal. After half of the grace
// period its child is asked too, once, so that nothing has to be killed.
func TestWrapper(t *testing.T) {
	for name, c := range map[string]struct {
		spec  pod.Spec
		file  bool
		keys  string
		level string
	}{
		"command, writable cgroup":      {spec: pod.Spec{Mode: pod.Process1}, level: "cgroup"},
		"command, container":            {spec: pod.Spec{Mode: pod.NoCgroup}, level: "pidns"},
		"command, ordinary user's host": {spec: pod.Spec{Mode: pod.Subreaper, UID: 54321}, level: "tree"},
		"writable cgroup":               {pod.Spec{Mode: pod.Process1}, true, "", "cgroup"},
		"container":                     {pod.Spec{Mode: pod.NoCgroup}, true, "", "tree"},
		"container, own uid":            {pod.Spec{Mode: pod.NoCgroup}, true, ", user: auto", "uid"},
		"container, sealed":             {pod.Spec{Mode: pod.NoCgroup}, true, ", seal: true", "sealed"},
		"container, no subreaper":       {pod.Spec{Mode: pod.NoCgroup, NoSubreaper: true}, true, "", "marked"},
		"ordinary user's host":          {pod.Spec{Mode: pod.Subreaper, UID: 54321}, true, "", "tree"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.level == "uid" {
				harness.AsRoot(t)
			}
			t.Parallel()
			script := write(t, "wrapper", wrapper)
			c.spec.Args = []string{"--stop-grace-period", "4s", "--", "sh", script}
			if c.file {
				c.spec.Args = []string{"--socket", "none", "--config", write(t, "cginit.yaml",
					"services: {web: {command: [sh, "+script+"], stop_grace_period: 4s"+c.keys+"}}")}
			}
			p := pod.Start(t, c.spec)
			p.Line("up")
			p.Signal(syscall.SIGTERM)
			p.Line("asked")
			p.Line("wrapped")
			r := p.Wait()
			if err := r.Clean(); err != nil {
				t.Error(err)
			}
			receipt, err := r.Receipt()
			if err != nil {
				t.Fatal(err)
			}
			if receipt.Containment != c.level || receipt.Cause != "stopped" || receipt.ExitStatus != 0 || receipt.Phases["ask"] < 1999 ||
				receipt.Asked != 2 || receipt.Left != 2 || receipt.Killed != 0 {
				t.Errorf("%+v; stderr: %s", receipt, r.Stderr)
			}
		})
	}
}
