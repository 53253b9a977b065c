package controlled

import (
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/pod"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestSameUIDAgain: one run after another as the same user, each detached and so still shown
// when it has ended, has that uid to itself.
func TestSameUIDAgain(t *testing.T) {
	b := box.Start(t, pod.NoCgroup, plain)
	for range 3 {
		p := command("/bin/true")
		p.Process.User, p.Detach = &specs.User{UID: 4711, GID: 4711}, true
		lease, err := b.Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if got := receiptOf(t, b, lease.Started.Job).Containment; got != "uid" {
			t.Errorf("%s was held as %q", lease.Started.Job, got)
		}
	}
	if jobs, err := b.List(t.Context(), control.ListParams{}); err != nil || len(jobs.Jobs) != 4 {
		t.Errorf("the list is %+v, %v", jobs, err)
	}
	b.End(t, 0)
}
