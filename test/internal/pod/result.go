package pod

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// outcome is what cginit's parent knows after its end.
type outcome struct {
	status syscall.WaitStatus
	left   []string // processes that the parent inherited from cginit
}

// Result is what can be seen after a run.
type Result struct {
	Code     int            // exit status of cginit, -1: ended by Signal
	Signal   syscall.Signal // 0 if it exited
	Stderr   string
	Receipts []Receipt

	// Alive are the processes that outlived cginit, including those that cginit may not see.
	Alive   []string
	Zombies []string // zombies that cginit left to its parent
	Cgroups []string // cgroups that cginit left below its own
}

// Receipt is one line of --report.
type Receipt struct {
	Job, Cause, Signal, Containment, Guarantee string

	Run, Pid   int
	Started    time.Time
	Ended      time.Time
	Code       *int
	ExitStatus int `json:"exit_status"`
	Success    bool
	StopSignal string `json:"stop_signal"`
	StopWhy    string `json:"stop_signal_why"`
	Hint       string

	Asked, Left, Killed, Unkillable, Omitted int

	Error, Incomplete string

	Processes []struct {
		Pid     int
		Command string
		Outcome string
		Reasons []string
	}
	Phases map[string]float64 `json:"phases_ms"`
}

// Wait waits until cginit has ended, removes the pod's surroundings as a container runtime does, and
// returns what was left.
func (p *Pod) Wait() *Result {
	p.t.Helper()
	if p.result != nil {
		return p.result
	}
	var o outcome
	select {
	case o = <-p.done:
	case <-time.After(Patience):
		p.t.Fatalf("cginit hangs; stderr: %s\n%s", p.Stderr(), p.describe())
	}
	r := &Result{Code: o.status.ExitStatus(), Stderr: p.Stderr(), Receipts: p.Receipts()}
	if o.status.Signaled() {
		r.Signal = o.status.Signal()
	}
	for _, left := range o.left {
		if r.Signal == syscall.SIGKILL {
			break // the guardian has killed them since, or the shim would still be waiting
		}
		if strings.HasPrefix(left, "zombie") {
			r.Zombies = append(r.Zombies, left)
		} else {
			r.Alive = append(r.Alive, left)
		}
	}
	if p.cgroup != "" {
		for _, pid := range pidsBelow(p.cgroup) {
			r.Alive = append(r.Alive, describe(pid))
		}
		for _, dir := range below(p.cgroup)[1:] {
			if r.Signal == syscall.SIGKILL && p.mode == Process1 {
				break // no process is left to remove them, so the container runtime does
			}
			name, _ := filepath.Rel(p.cgroup, dir)
			r.Cgroups = append(r.Cgroups, name)
		}
	}
	p.result = r
	p.clear()
	return r
}

// Clean returns an error that names everything that was left behind.
func (r *Result) Clean() error {
	if len(r.Alive)+len(r.Zombies)+len(r.Cgroups) == 0 {
		return nil
	}
	return fmt.Errorf("alive: %q, zombies: %q, cgroups: %q", r.Alive, r.Zombies, r.Cgroups)
}

// Receipt returns the receipt of the run. It is an error if there is not exactly one.
func (r *Result) Receipt() (Receipt, error) {
	if len(r.Receipts) != 1 {
		return Receipt{}, fmt.Errorf("%d receipts; stderr: %s", len(r.Receipts), r.Stderr)
	}
	return r.Receipts[0], nil
}

// Receipts returns the receipts so far.
func (p *Pod) Receipts() []Receipt {
	file, err := os.Open(p.report)
	if err != nil {
		return nil
	}
	defer file.Close()
	var all []Receipt
	for lines := json.NewDecoder(file); lines.More(); {
		var r Receipt
		if err := lines.Decode(&r); err != nil {
			p.t.Errorf("the report is not JSON: %v", err)
			break
		}
		all = append(all, r)
	}
	return all
}
