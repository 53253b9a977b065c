package controlled

import (
	"strings"
	"testing"

	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestSealedRun checks that a run with --seal cannot signal process 1, and that one without it can.
func TestSealedRun(t *testing.T) {
	for mode, level := range map[pod.Mode]string{pod.NoCgroup: "sealed", pod.Process1: "cgroup"} {
		b := box.Start(t, mode, plain)
		try := []string{"sh", "-c", "kill -0 1 2>/dev/null && echo can || echo cannot"}
		if got := says(t, ctl(t, b, append([]string{"run", "--"}, try...)...)); got != "can\n" {
			t.Errorf("%s: a run says %q", mode, got)
		}
		if got := says(t, ctl(t, b, append([]string{"run", "--seal", "--"}, try...)...)); got != "cannot\n" {
			t.Errorf("%s: a sealed run says %q", mode, got)
		}
		out, err := ctl(t, b, "run", "--seal", "--", harness.Bin(t, "cginitctl"), "--socket", b.Socket, "run", "--", "true").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "a sealed job may look, but change nothing") {
			t.Errorf("%s: a sealed run that runs another one: %v: %s", mode, err, out)
		}
		says(t, ctl(t, b, "run", "--seal", "--", harness.Bin(t, "cginitctl"), "--socket", b.Socket, "ps"))
		p := command("/bin/true")
		p.Seal, p.Detach = true, true
		lease, err := b.Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if got := receiptOf(t, b, lease.Started.Job).Containment; got != level {
			t.Errorf("%s: the containment of the run is %q, not %s", mode, got, level)
		}
		b.End(t, 0)
	}
}
