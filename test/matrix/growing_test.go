package matrix

import (
	"syscall"
	"testing"

	"github.com/cginit/cginit/test/internal/pod"
)

// TestGrowing asks a job that is still growing to stop. All of its processes must be asked, and none
// must have to be killed.
func TestGrowing(t *testing.T) {
	const script = `
		for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5 6 7 8 9; do
			{ i=0; while [ $i -lt 10 ]; do sleep 1000 & i=$((i+1)); done; wait; } &
		done; done
		echo growing`
	for _, mode := range pod.Modes {
		t.Run(string(mode), func(t *testing.T) {
			p := pod.Start(t, pod.Spec{Mode: mode, Args: []string{"--stop-grace-period", "20s", "--", "sh", "-c", script}})
			p.Line("growing")
			p.Signal(syscall.SIGTERM)
			if receipt := ended(t, p); receipt.Killed != 0 {
				t.Errorf("%d of %d were killed: %v", receipt.Killed, receipt.Asked, receipt.Processes)
			}
		})
	}
}
