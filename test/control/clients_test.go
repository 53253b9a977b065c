package controlled

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

// TestIndependentClient runs the test of the same name in init/control against the real program. Its
// Varlink library was written independently of cginit.
func TestIndependentClient(t *testing.T) {
	b := box.Start(t, pod.Process1, plain)
	b.Await(t, control.UntilReady, "web")
	cmd := exec.CommandContext(t.Context(), harness.Command(t, "go"), "test", "-v", "-count=1", "-run", "^TestIndependentClient$", "./init/control")
	cmd.Dir, cmd.Env = harness.Root(), append(os.Environ(), "CGINIT_TEST_SOCKET="+b.Socket)
	if out := says(t, cmd); !strings.Contains(out, "--- PASS: TestIndependentClient") {
		t.Errorf("the test in init/control did not pass: %s", out)
	}
	if r := b.End(t, 0); len(r.Receipts) != 2 {
		t.Errorf("%d receipts, not 2 (the service and its run)", len(r.Receipts))
	}
}

// TestTerminal checks that cginitctl run gives a command a terminal if it is run at a terminal.
func TestTerminal(t *testing.T) {
	b := box.Start(t, pod.Process1, plain)
	u := engine.Sit(t, ctl(t, b, "run", "--name", "shell", "-e", "PS1=ready> ", "--", "sh", "-i"))
	u.Insists("", u.Saw("ready> "))
	u.Insists("tty\n", u.Saw("/dev/pts/"))
	u.Resizes(33, 101)
	u.Insists("stty size\n", u.Saw("33 101"))
	alive := func() int { return len(pod.Pids(sleeper)) }
	u.Insists("sleep "+sleeper+"\n", func() bool { return alive() == 1 })
	u.Insists("\x03", func() bool { return alive() == 0 })
	u.Insists("echo a''live\n", u.Saw("alive"))
	u.Insists("exit 5\n", func() bool {
		h, err := b.History(t.Context(), control.EventsParams{Since: new(int), Jobs: []string{"shell"}})
		return err == nil && slices.ContainsFunc(h.Events, func(e control.Event) bool { return e.Receipt != nil })
	})
	if r := receiptOf(t, b, "shell"); r.ExitStatus != 5 || r.Cause != "exited" {
		t.Errorf("the receipt is %+v", r)
	}
	b.End(t, 0)
}

// sleeper is a duration for a sleep command that no other process has, so that the sleep can be found
// by it.
var sleeper = fmt.Sprint(100_000_000 + os.Getpid())
