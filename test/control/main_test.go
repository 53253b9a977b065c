// Package controlled tests the control socket of a real cginit: with trees of processes that are
// started over it, thousands of short runs, and clients of every kind.
//
// CGINIT_RUNS=n repeats the teardown matrix, CGINIT_SHORT=n sets how many short runs there are,
// CGINIT_BIG=1 sends 1 GB through a run.
package controlled

import (
	"cmp"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/test/internal/box"
	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) { os.Exit(pod.Main(m)) }

// plain is a file with one service.
const plain = "services: {web: {command: sleep 100000}}\n"

// number returns the value of an environment variable, or usual if the variable is not set.
func number(t testing.TB, name string, usual int) int {
	t.Helper()
	text := cmp.Or(os.Getenv(name), strconv.Itoa(usual))
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not a number of at least 1", name, text)
	}
	return n
}

// ctl returns a cginitctl command that connects to b.
func ctl(t testing.TB, b *box.Box, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), harness.Bin(t, "cginitctl"), append([]string{"--socket", b.Socket}, args...)...)
	cmd.Dir = "/"
	return cmd
}

// says returns the output of a command, which must succeed.
func says(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v: %s", cmd.Args, err, out)
	}
	return string(out)
}

// command returns the parameters of a run of a program, with its receipt in the last reply.
func command(args ...string) (p control.RunParams) {
	p.Process.Args, p.Report = args, true
	return p
}

// receiptOf waits for the event with the receipt of a run.
func receiptOf(t testing.TB, b *box.Box, job string) *control.Receipt {
	t.Helper()
	c := b.Dial(t)
	defer c.Close()
	for reply, err := range c.Events(t.Context(), control.EventsParams{Since: new(int), Jobs: []string{job}}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range reply.Events {
			if e.Receipt != nil {
				return e.Receipt
			}
		}
	}
	return nil
}

// one returns the job of that name.
func one(t testing.TB, b *box.Box, job string) control.Job {
	t.Helper()
	s, err := b.Status(t.Context(), control.StatusParams{Job: job})
	if err != nil {
		t.Fatal(err)
	}
	return s.Job
}

// jobsCgroup returns the directory that holds the cgroups of all jobs.
func jobsCgroup(t testing.TB, b *box.Box) string {
	t.Helper()
	for _, dir := range b.Cgroups() {
		if strings.Contains(dir, "/cginit.jobs") {
			return dir
		}
	}
	t.Fatal("there is no cgroup for jobs")
	return ""
}
