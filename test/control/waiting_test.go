package controlled

import (
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestWaitUntilStarted checks that a service with ready: notify counts as started before it is ready.
// Its holder or the exec helper reports the exec.
func TestWaitUntilStarted(t *testing.T) {
	for level, mode := range map[string]pod.Mode{"cgroup": pod.Process1, "tree": pod.NoCgroup} {
		for how, keys := range map[string]string{"directly": "", "by the helper": ", security_opt: [no-new-privileges]"} {
			t.Run(level+" "+how, func(t *testing.T) {
				b := box.Start(t, mode, "services: {never: {command: [sleep, '1000'], ready: notify"+keys+"}}")
				b.Await(t, control.UntilStarted, "never")
				b.End(t, 0)
			})
		}
	}
}
