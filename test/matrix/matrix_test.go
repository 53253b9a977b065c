// Package matrix proves the teardown: every kind of process tree, of several sizes, ended in
// every way, under every containment that cginit promises something for. After each run the
// kernel is asked what is left: nothing may be.
//
// CGINIT_RUNS=20 runs every cell 20 times. A smaller number is a sample: in it, trees of
// thousands of processes, which take longer than all others together, are run once.
package matrix

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/test/internal/harness"
	"github.com/cginit/cginit/test/internal/pod"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "1000") // slots limit them
	os.Exit(pod.Main(m))
}

// The ways in which a run ends.
const (
	exits   = "exits"   // the main process exits and leaves the others
	term    = "TERM"    // SIGTERM to cginit
	timeout = "timeout" // --timeout
	kill    = "KILL"    // SIGKILL to cginit
)

var ends = []string{exits, term, timeout, kill}

type cell struct {
	kind string
	size int
	end  string
	mode pod.Mode
}

func (c cell) String() string { return fmt.Sprintf("%s/%d/%s/%s", c.kind, c.size, c.end, c.mode) }

// cells returns all combinations that can be had.
func cells() (all []cell) {
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		for _, size := range kinds[kind].sizes {
			for _, end := range ends {
				for _, mode := range pod.Modes {
					if kinds[kind].isFor(mode) {
						all = append(all, cell{kind, size, end, mode})
					}
				}
			}
		}
	}
	return all
}

// marker is in the command line of every process of every tree, or in its environment.
var marker = fmt.Sprintf("cginit-matrix-%d", os.Getpid())

func TestMatrix(t *testing.T) {
	table := table{}
	t.Cleanup(func() {
		table.print(os.Stdout)
		if left := pod.Marked(marker); len(left) > 0 {
			t.Errorf("%d processes are left: %q", len(left), left)
		}
	})
	for _, c := range cells() {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			defer slots.take(c.weight())()
			for range c.runs(t) {
				began := time.Now()
				err := c.run(t)
				table.add(c, time.Since(began), err)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// full is how many runs of each cell make the whole proof.
const full = 20

func (c cell) runs(t *testing.T) int {
	text := os.Getenv("CGINIT_RUNS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CGINIT_RUNS=%q is not a number of runs", text)
	}
	if n < full && c.size >= 2000 {
		return 1
	}
	return n
}

// run makes one run of the cell and returns what is wrong with it.
func (c cell) run(t *testing.T) error {
	if c.end != timeout {
		p := c.start(t, 0)
		if !p.Grown() {
			t.Fatalf("the tree is not complete; stderr: %s", p.Stderr())
		}
		tree := p.Tree("trees")
		c.finish(p)
		return c.verify(p.Wait(), tree)
	}
	// A run that ends before the tree has grown proves nothing, so try again with a longer time limit.
	for limit := 300*time.Millisecond + time.Duration(c.size)*time.Millisecond/2; ; limit *= 2 {
		p := c.start(t, limit)
		ready := p.Grown()
		tree := p.Tree("trees")
		r := p.Wait()
		if ready && (len(tree) > c.size || c.kind == "bomb") || limit > pod.Patience {
			return c.verify(r, tree)
		}
	}
}

// weight returns how many slots a cell takes. A small one mostly waits for grace periods, a large one
// or one that dumps core keeps a processor busy, and a bomb takes the whole machine.
func (c cell) weight() int {
	switch {
	case c.kind == "bomb":
		return most
	case c.size >= 2000 || c.kind == "core-dump":
		return most / 2
	}
	return 1
}

// grace returns a grace period. It is short for kinds that use it up, and long for those that must not.
func (c cell) grace() time.Duration {
	switch {
	case kinds[c.kind].deaf == everybody: // half of it must be enough to ask them all
		return time.Second
	case kinds[c.kind].deaf != nobody:
		return 200 * time.Millisecond
	// The main process has to end in this time, and shares the machine with the other processes.
	case c.kind == "bomb":
		return time.Second / 2
	}
	return pod.Patience / 3
}

func (c cell) start(t *testing.T, limit time.Duration) *pod.Pod {
	args := []string{"--stop-grace-period", c.grace().String()}
	if limit > 0 {
		args = append(args, "--timeout", limit.String())
	}
	args = append(args, "--", harness.Bin(t, "trees"), c.kind, strconv.Itoa(c.size), "--marker", marker)
	if c.kind == "bomb" {
		args = append(args, "--for", "1h") // the test must end it first
		if c.size > 10 && !pod.SharesCPU() {
			args = append(args, "--rate", "4000") // at full speed it would starve the machine and this test
		}
	}
	if c.end == exits {
		args = append(args, "--exit", "3")
	}
	spec := pod.Spec{Mode: c.mode, Args: args, Env: []string{"MARKER=" + marker}}
	if c.kind == "core-dump" {
		spec.Dir = pod.OpenDir(t) // for the dumps
	}
	return pod.Start(t, spec)
}

func (c cell) finish(p *pod.Pod) {
	switch c.end {
	case exits:
		p.EndInput()
	case term:
		p.Signal(syscall.SIGTERM)
	case kill:
		p.Signal(syscall.SIGKILL)
	}
}
