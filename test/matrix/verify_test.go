package matrix

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"

	"github.com/cginit/cginit/test/internal/pod"
)

// verify returns what is wrong with a run whose processes were tree when it began to end.
func (c cell) verify(r *pod.Result, tree []pod.Member) error {
	err := r.Clean()
	if c.kind != "bomb" && len(tree) != c.size+1 {
		err = errors.Join(err, fmt.Errorf("the tree had %d processes, not %d", len(tree), c.size+1))
	}
	if c.end == kill {
		if r.Signal != syscall.SIGKILL {
			err = errors.Join(err, fmt.Errorf("cginit ended with %d, %v", r.Code, r.Signal))
		}
		return err
	}
	receipt, missing := r.Receipt()
	if missing != nil {
		return errors.Join(err, missing)
	}
	return errors.Join(err, c.verifyEnd(r, receipt), c.verifyKilled(receipt, tree))
}

// verifyEnd returns how the end of the run differs from what it had to be.
func (c cell) verifyEnd(r *pod.Result, receipt pod.Receipt) error {
	cause, code, signal := "exited", 3, ""
	switch {
	case c.end == term && kinds[c.kind].deaf == everybody:
		cause, code, signal = "stopped", 128+9, "SIGKILL"
	case c.end == term:
		cause, code, signal = "stopped", 128+15, "SIGTERM"
	case c.end == timeout:
		cause, code, signal = "timed-out", 124, "SIGTERM"
		if kinds[c.kind].deaf == everybody {
			signal = "SIGKILL"
		}
	}
	want := fmt.Sprint(code, code, cause, signal, c.mode.Containment(), 0)
	got := fmt.Sprint(r.Code, receipt.ExitStatus, receipt.Cause, receipt.Signal, receipt.Containment, receipt.Unkillable)
	if got != want || receipt.Guarantee == "" {
		return fmt.Errorf("want %s, got %s, guarantee %q; stderr: %s", want, got, receipt.Guarantee, r.Stderr)
	}
	return nil
}

// verifyKilled returns how the killed processes differ from those that had to be killed, which are those
// that ignore signals. Which processes a fork bomb has at a given moment only the receipt knows.
func (c cell) verifyKilled(receipt pod.Receipt, tree []pod.Member) error {
	named := map[int]bool{}
	for _, p := range receipt.Processes {
		named[p.Pid] = true
		if why := c.why(); p.Outcome != "killed" || !explained(receipt, p.Reasons, why) {
			return fmt.Errorf("the receipt says of %d: %s: %q", p.Pid, p.Outcome, p.Reasons)
		}
		if slices.Contains(p.Reasons, "stopped") && !kinds[c.kind].isTraced {
			return fmt.Errorf("the receipt says that %d was stopped, which only cginit can have done", p.Pid)
		}
	}
	if receipt.Killed != len(named)+receipt.Omitted {
		return fmt.Errorf("%d killed, %d named, %d omitted", receipt.Killed, len(named), receipt.Omitted)
	}
	if c.kind == "bomb" {
		return nil
	}
	there, want := map[int]bool{}, map[int]bool{}
	for _, p := range tree {
		there[p.Inner] = true
	}
	if c.end == exits {
		delete(there, receipt.Pid)
	}
	switch kinds[c.kind].deaf {
	case nobody:
	case everybody:
		want = there
	case others:
		want = maps.Clone(there)
		delete(want, receipt.Pid)
	}
	if !maps.Equal(named, want) {
		return fmt.Errorf("the receipt names %d processes, %d had to be killed; only in one: %v", len(named), len(want), differ(named, want))
	}
	asked, left := len(there), len(there)-len(want)
	// When a group of stopped processes is orphaned, the kernel sends it SIGHUP and SIGCONT. So some
	// may have ended before they could be asked.
	if c.kind == "stopped" && receipt.Asked == receipt.Left && receipt.Asked <= asked {
		return nil
	}
	if receipt.Asked != asked || receipt.Left != left {
		return fmt.Errorf("%d asked and %d left, not %d and %d", receipt.Asked, receipt.Left, asked, left)
	}
	return nil
}

// listWait is how long cginit examines the processes that it has to kill, in milliseconds. After that
// it only names them.
const listWait = 300

// explained returns whether the reasons begin with why, or are missing because there was no time for
// them.
func explained(receipt pod.Receipt, reasons []string, why string) bool {
	if len(reasons) == 0 {
		return receipt.Phases["kill"] >= listWait
	}
	return why == "" || reasons[0] == why
}

// why returns the first reason that the receipt must give for a killed process. It is empty if more
// than one can be true.
func (c cell) why() string {
	if kinds[c.kind].deaf == nobody {
		return ""
	}
	return "ignored SIGTERM" // after half of the grace period also by those whose main process ignores it
}

func differ(a, b map[int]bool) (only []int) {
	for pid := range a {
		if !b[pid] {
			only = append(only, pid)
		}
	}
	for pid := range b {
		if !a[pid] {
			only = append(only, pid)
		}
	}
	return only
}
