package controlled

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/pod"
)

// warm is how many runs are made before costs are measured.
const warm = 200

// cost is what process 1 holds while no run is under way.
type cost struct{ descriptors, cgroups, kb int }

func costOf(t *testing.T, b *box.Box) cost {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", b.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return cost{len(entries), len(b.Cgroups()), b.Private(t)}
}

// TestShortRuns checks that each of many short runs has its own exit status and a receipt, and that
// they do not make process 1 grow.
func TestShortRuns(t *testing.T) {
	n := number(t, "CGINIT_SHORT", 1000)
	for _, at := range []int{1, 64} {
		t.Run(fmt.Sprintf("%d at a time", at), func(t *testing.T) {
			b := box.Start(t, pod.Process1, plain)
			clients := make([]*control.Client, at)
			for i := range clients {
				clients[i] = b.Dial(t)
			}
			shortRuns(t, clients, warm)
			before := costOf(t, b)
			shortRuns(t, clients, n)
			after := costOf(t, b)
			t.Logf("after %d runs: %+v; after %d more: %+v", warm, before, n, after)
			if after.descriptors != before.descriptors || after.cgroups != before.cgroups {
				t.Error("descriptors or cgroups have leaked")
			}
			runs, most := warm+n, before.kb+before.kb/10+256
			for again := 0; again < 5 && after.kb > most; again++ { // memory that has leaked stays, other memory varies
				shortRuns(t, clients, warm)
				runs += warm
				after.kb = b.Private(t)
			}
			if after.kb > most {
				t.Errorf("cginit has %d kB of private memory, more than %d", after.kb, most)
			}
			if jobs, err := b.List(t.Context(), control.ListParams{}); err != nil || len(jobs.Jobs) != 1 {
				t.Errorf("the list is %+v, %v", jobs, err)
			}
			if r := b.End(t, 0); len(r.Receipts) != runs+1 {
				t.Errorf("%d receipts for %d runs and a service", len(r.Receipts), runs)
			}
		})
	}
}

// shortRuns makes n runs, one at a time for each client.
func shortRuns(t *testing.T, clients []*control.Client, n int) {
	t.Helper()
	var next atomic.Int64
	failed := make(chan error)
	for _, c := range clients {
		go func() {
			var err error
			for i := int(next.Add(1)); i <= n && err == nil; i = int(next.Add(1)) {
				err = shortRun(t.Context(), c, i%256)
			}
			failed <- err
		}()
	}
	var err error
	for range clients {
		err = errors.Join(err, <-failed)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// shortRun runs a command that exits with a status, and checks the status and the receipt.
func shortRun(ctx context.Context, c *control.Client, status int) error {
	lease, err := c.Run(ctx, command("/bin/sh", "-c", "exit "+strconv.Itoa(status)))
	if err != nil {
		return err
	}
	last, err := lease.Wait()
	if err != nil {
		return err
	}
	if *last.ExitStatus != status || last.Receipt == nil || last.Receipt.Cause != "exited" {
		return fmt.Errorf("the run ended not with status %d but with %d, %+v", status, *last.ExitStatus, last.Receipt)
	}
	return nil
}
