package controlled

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestFreeze checks that a frozen job is shown as frozen, and that a shutdown still ends it.
func TestFreeze(t *testing.T) {
	for _, mode := range []pod.Mode{pod.Process1, pod.NoCgroup} {
		t.Run(string(mode), func(t *testing.T) {
			b := box.Start(t, mode, plain)
			b.Await(t, control.UntilReady, "web")
			shows := func(want bool) {
				t.Helper()
				if out := says(t, ctl(t, b, "ps")); strings.Contains(out, "frozen") != want {
					t.Errorf("ps says %s", out)
				}
			}
			shows(false)
			says(t, ctl(t, b, "freeze", "web"))
			shows(true)
			says(t, ctl(t, b, "thaw", "web"))
			shows(false)
			if out, err := ctl(t, b, "thaw", "web").CombinedOutput(); err == nil || !strings.Contains(string(out), "not frozen") {
				t.Errorf("a second thaw must fail, but ended with %v: %s", err, out)
			}
			says(t, ctl(t, b, "freeze", "web"))
			says(t, ctl(t, b, "freeze", "web")) // freezing a frozen job succeeds
			if got := frozenEvents(t, b); got != "frozen thawed frozen" {
				t.Errorf("the events say %s", got)
			}
			r := b.End(t, 0)
			if receipt, err := r.Receipt(); err != nil || receipt.Cause != "stopped" || receipt.Killed > 0 {
				t.Errorf("the receipt is %+v, %v", receipt, err)
			}
		})
	}
}

func frozenEvents(t *testing.T, b *box.Box) string {
	t.Helper()
	h, err := b.History(t.Context(), control.EventsParams{Since: new(int), Jobs: []string{"web"}})
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range h.Events {
		switch {
		case e.Frozen == nil:
		case *e.Frozen:
			words = append(words, "frozen")
		default:
			words = append(words, "thawed")
		}
	}
	return strings.Join(words, " ")
}

// TestEndsWhileFreezing ends a job while a call waits for the job to freeze.
func TestEndsWhileFreezing(t *testing.T) {
	b := box.Start(t, pod.Process1, plain)
	for range 20 {
		c := b.Dial(t)
		lease, err := c.Run(t.Context(), command("/bin/sleep", "100000"))
		if err != nil {
			t.Fatal(err)
		}
		jobs, over := []string{lease.Started.Job}, make(chan struct{})
		freezer := b.Dial(t)
		go func() {
			defer close(over)
			_, _ = freezer.Freeze(t.Context(), control.FreezeParams{Jobs: jobs}) // the freeze may come too late
		}()
		c.Close()
		<-over
		freezer.Close()
		receiptOf(t, b, jobs[0])
	}
	answers(t, b)
	b.End(t, 0)
}

// TestFrozenFromOutside checks that a run waits if something else has frozen the cgroup of the jobs,
// and that no other call waits.
func TestFrozenFromOutside(t *testing.T) {
	b := box.Start(t, pod.Process1, plain)
	b.Await(t, control.UntilReady, "web")
	freezer := filepath.Join(jobsCgroup(t, b), "cgroup.freeze")
	write := func(value string) {
		t.Helper()
		if err := os.WriteFile(freezer, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	write("1")
	t.Cleanup(func() { _ = os.WriteFile(freezer, []byte("0"), 0) }) // the file may be gone
	p := command("/bin/sh", "-c", "exit 7")
	p.Name = "late"
	client, over := b.Dial(t), make(chan error, 1)
	var last *control.RunReply
	go func() {
		lease, err := client.Run(t.Context(), p)
		if err == nil {
			last, err = lease.Wait()
		}
		over <- err
	}()
	pod.Until(t, "the run is in the list", func() bool {
		l, err := b.List(t.Context(), control.ListParams{})
		return err == nil && len(l.Jobs) == 2
	})
	for range 10 {
		answers(t, b)
	}
	select {
	case err := <-over:
		t.Errorf("the run has ended in a frozen cgroup: %+v, %v", last, err)
	default:
	}
	write("0")
	if err := <-over; err != nil || *last.ExitStatus != 7 {
		t.Errorf("after the thaw the run ended with %+v, %v, not with 7", last, err)
	}
	b.End(t, 0)
}
