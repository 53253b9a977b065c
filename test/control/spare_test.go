package controlled

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/proctree"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/pod"
	"golang.org/x/sys/unix"
)

// TestSpareHolder checks that, without a cgroup, the holder of the next run exists before the run. A
// spare holder that was killed is replaced, one that was stopped is continued, and none is left at the
// end.
func TestSpareHolder(t *testing.T) {
	b := box.Start(t, pod.NoCgroup, plain)
	b.Await(t, "ready", "web")
	last := 0
	for _, sig := range []unix.Signal{0, unix.SIGKILL, unix.SIGSTOP, unix.SIGKILL, 0} {
		spare := 0
		pod.Until(t, "a spare holder", func() bool {
			spare = spareOf(b)
			return spare != 0 && spare != last
		})
		last = spare
		if err := unix.Kill(spare, sig); err != nil {
			t.Fatal(err)
		}
		lease, err := b.Dial(t).Run(t.Context(), command("sleep", "100000"))
		if err != nil {
			t.Fatal(err)
		}
		isUsed := len(proctree.Below(spare)) > 0
		if lease.Started.Pid == 0 || isUsed == (sig == unix.SIGKILL) {
			t.Errorf("after signal %d the spare holder is used: %v; the run started as %+v", sig, isUsed, lease.Started)
		}
	}
	b.End(t, 0)
}

// spareOf returns the pid of a holder that holds nothing, or 0 if there is none.
func spareOf(b *box.Box) int {
	for _, pid := range proctree.Below(b.Pid) {
		command, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if strings.HasPrefix(string(command), "cginit-holder") && len(proctree.Below(pid)) == 0 {
			return pid
		}
	}
	return 0
}
