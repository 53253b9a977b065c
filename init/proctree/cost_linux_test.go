package proctree

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCost measures what a holder costs while its job runs: its private memory, and no wake-up.
func TestCost(t *testing.T) {
	h := start(t, sh("echo up; exec sleep 1000"))
	h.line("up")
	before := -1
	until(t, "the runtime comes to rest", func() bool {
		last := before
		<-time.After(time.Second)
		before = switches(t, h.Pid)
		return before == last
	})
	<-time.After(3 * time.Second)
	if n := switches(t, h.Pid) - before; n != 0 {
		t.Errorf("%d context switches of a holder that has nothing to do", n)
	}
	needRoot(t) // to read smaps_rollup: a holder is not dumpable
	kB := privateDirty(t, h.Pid)
	t.Logf("a holder of this test binary: %d kB of private memory, %d threads", kB, len(threadsOf(h.Pid)))
	_ = h.Kill()
	h.gone()
}

func threadsOf(pid int) []string {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	return tasks
}

// switches returns how often the threads of a process have given up the CPU.
func switches(t *testing.T, pid int) (sum int) {
	t.Helper()
	for _, task := range threadsOf(pid) {
		sum += field(t, task+"/status", "voluntary_ctxt_switches:")
	}
	return sum
}

// privateDirty returns the private memory of a process in kB.
func privateDirty(t *testing.T, pid int) int {
	t.Helper()
	return field(t, fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Private_Dirty:")
}

// field returns the number after a name in a file of /proc.
func field(t *testing.T, file, name string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s has no %s", file, name)
	return 0
}

var benchOrder = Order{Path: "/bin/true", Args: []string{"true"}, Files: []int{0, 1, 2}}

// BenchmarkForkExec measures the start of a job without a holder.
func BenchmarkForkExec(b *testing.B) {
	for range b.N {
		pid, err := syscall.ForkExec(benchOrder.Path, benchOrder.Args, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_, _ = syscall.Wait4(pid, nil, 0, nil)
		b.StartTimer()
	}
}

// BenchmarkStart measures the start of a job with a holder, until its main process is executed.
func BenchmarkStart(b *testing.B) {
	for range b.N {
		tree, err := Start(benchOrder, Place{})
		if err != nil {
			b.Fatal(err)
		}
		finish(b, tree)
	}
}

// BenchmarkPrepared measures the start of a job with a holder that was made in advance.
func BenchmarkPrepared(b *testing.B) {
	for range b.N {
		b.StopTimer()
		tree, err := Prepare(Place{})
		if err != nil {
			b.Fatal(err)
		}
		<-time.After(20 * time.Millisecond) // no event says that a holder waits for its order
		b.StartTimer()
		if err := tree.Start(benchOrder); err != nil {
			b.Fatal(err)
		}
		finish(b, tree)
	}
}

// finish waits for the main process to be executed, and then, with the timer stopped, for the end.
func finish(b *testing.B, tree *Tree) {
	b.Helper()
	e, err := tree.Read()
	b.StopTimer()
	if err != nil || e.Kind != Started {
		b.Fatalf("%+v, %v", e, err)
	}
	for err == nil {
		_, err = tree.Read()
	}
	_, _ = syscall.Wait4(tree.Pid, nil, 0, nil)
	_ = tree.Close()
	b.StartTimer()
}
