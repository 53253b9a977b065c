// Package vm runs cginit in a VM of its own, to show what no container on a shared machine can: cgroup
// v2 as the only hierarchy with all of its controllers, limits that are really reached, another kernel,
// processes in state D, and cginit as the process 1 that a kernel starts.
package vm

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cginit/cginit/internal/afresh"
	"github.com/cginit/cginit/test/internal/engine"
	"github.com/cginit/cginit/test/internal/harness"
)

func TestMain(m *testing.M) { os.Exit(afresh.Main(m)) }

// result is what the guest saw of one scenario. guest/result.go describes the fields.
type result struct {
	Scenario, Error, Stderr, Termination string
	Status                               int
	Receipts                             []receipt
	Alive, Dirs                          []string
	Facts                                map[string]string
}

type receipt struct {
	engine.Receipt
	PID        int
	CPU        float64 `json:"cpu_ms"`
	MemoryPeak *int64  `json:"memory_peak"`
	PidsPeak   *int64  `json:"pids_peak"`
	OOMKills   *int64  `json:"oom_kills"`
}

func TestVM(t *testing.T) {
	m := chosen(t)
	// The guest runs only the scenarios that the test will look at.
	_, only, _ := strings.Cut(flag.Lookup("test.run").Value.String(), "/")
	programs := buildUnits(t, m)
	programs["bin/cginit"], programs["bin/trees"] = harness.BinFor(t, m.arch, "cginit"), harness.BinFor(t, m.arch, "trees")
	console, lines := boot(t, m, programs, "only="+only, "skip="+strings.Join(slices.Collect(maps.Keys(m.lacks)), ","))
	results := map[string]result{}
	var last []receipt // process 1 of the VM can only report to the port itself
	for line := range strings.Lines(lines) {
		var r result
		var own receipt
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Errorf("the guest said %q: %v", line, err)
		} else if r.Scenario != "" {
			results[r.Scenario] = r
		} else if err := json.Unmarshal([]byte(line), &own); err == nil {
			last = append(last, own)
		}
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			if why := m.lacks[name]; why != "" {
				t.Skip("SKIPPED on " + m.arch + ": " + why)
			}
			r, ok := results[name]
			if !ok {
				t.Fatal("the guest did not run this scenario")
			}
			if r.Error != "" {
				t.Error(r.Error)
			}
			defer func() {
				if t.Failed() {
					t.Logf("%+v", r)
				}
			}()
			check(checker{t}, r)
		})
	}
	for name := range results {
		if checks[name] == nil {
			t.Errorf("no test checks the scenario %s", name)
		}
	}
	t.Run("process 1 of the VM", func(t *testing.T) { processOne(checker{t}, last, console) })
	if t.Failed() {
		t.Logf("the console:\n%s", console)
	}
}

// processOne checks the last scenario. When process 1 ends, the kernel prints its exit status to the
// console.
func processOne(t checker, receipts []receipt, console string) {
	r := t.one(receipts)
	t.that(r.Cause == "exited" && r.ExitStatus == 7, "how it ended: %+v", r)
	t.that(r.Killed == 3, "the leftovers were not killed: %+v", r)
	t.that(r.Containment == "cgroup", "containment %s", r.Containment)
	t.that(strings.Contains(console, "exitcode=0x00000700"), "process 1 did not answer 7")
}

// checker has assertions.
type checker struct{ *testing.T }

func (t checker) that(holds bool, format string, args ...any) {
	t.Helper()
	if !holds {
		t.Errorf(format, args...)
	}
}

func (t checker) one(receipts []receipt) receipt {
	t.Helper()
	if len(receipts) != 1 {
		t.Fatalf("%d receipts, not one: %+v", len(receipts), receipts)
	}
	return receipts[0]
}

// clean checks what every teardown must leave: one receipt that agrees with the exit status, and no
// processes or cgroups.
func (t checker) clean(r result, cause string, status int) receipt {
	t.Helper()
	t.that(len(r.Alive) == 0, "alive after the end: %q", r.Alive)
	t.that(len(r.Dirs) == 0, "cgroups left: %q", r.Dirs)
	t.that(r.Status == status, "exit status %d, not %d", r.Status, status)
	got := t.one(r.Receipts)
	t.that(got.Cause == cause, "cause %s, not %s", got.Cause, cause)
	t.that(got.ExitStatus == status, "exit status in the receipt %d, not %d", got.ExitStatus, status)
	t.that(got.Unkillable == 0, "unkillable %d", got.Unkillable)
	t.that(got.Containment == "cgroup", "containment %s", got.Containment)
	return got
}

// killed checks that this number of processes were killed, each for that reason.
func (t checker) killed(r receipt, want int, reason string) {
	t.Helper()
	t.that(r.Killed == want, "killed %d, not %d", r.Killed, want)
	for _, p := range r.Processes {
		t.that(p.Outcome == "killed" && slices.Contains(p.Reasons, reason), "process %+v, not killed for %q", p, reason)
	}
}
