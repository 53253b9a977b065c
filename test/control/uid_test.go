package controlled

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestAutoUser checks that each run with --user auto has a uid that no other process has.
func TestAutoUser(t *testing.T) {
	harness.AsRoot(t)
	b := box.Start(t, pod.NoCgroup, plain)
	said := map[string]bool{}
	for range 2 {
		said[says(t, ctl(t, b, "run", "--user", "auto", "-w", "/", "--", "sh", "-c", "id -u; id -g; id -G; echo $HOME"))] = true
	}
	if len(said) != 2 {
		t.Errorf("two runs have the same uid: %v", said)
	}
	for s := range said {
		var uid, gid, groups int
		if _, err := fmt.Sscanf(s, "%d\n%d\n%d\n/\n", &uid, &gid, &groups); err != nil || uid < 1000 || gid != uid || groups != uid {
			t.Errorf("a run says %q, %v", s, err)
		}
	}
	p := command("/bin/true")
	p.AutoUser, p.Detach = true, true
	lease, err := b.Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got := receiptOf(t, b, lease.Started.Job).Containment; got != "uid" {
		t.Errorf("the containment of the run is %q, not uid", got)
	}
	p.Process.User = &specs.User{}
	if _, err := b.Run(t.Context(), p); !errors.As(err, new(control.InvalidValue)) {
		t.Errorf("a run with a user and auto_user must be refused, but got: %v", err)
	}
	b.End(t, 0)
}

// TestSameUIDAgain checks that a run has its user's uid to itself, even if earlier runs as that user
// have ended and are still in the list, because they were detached.
func TestSameUIDAgain(t *testing.T) {
	harness.AsRoot(t)
	b := box.Start(t, pod.NoCgroup, plain)
	for range 3 {
		p := command("/bin/true")
		p.Process.User, p.Detach = &specs.User{UID: 4711, GID: 4711}, true
		lease, err := b.Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if got := receiptOf(t, b, lease.Started.Job).Containment; got != "uid" {
			t.Errorf("the containment of %s is %q, not uid", lease.Started.Job, got)
		}
	}
	if jobs, err := b.List(t.Context(), control.ListParams{}); err != nil || len(jobs.Jobs) != 4 {
		t.Errorf("the list is %+v, %v", jobs, err)
	}
	b.End(t, 0)
}
