package supervisor

import (
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
)

// receiptOf returns the receipt of a run that these events happened to after its start. Its main
// process ends with ws, or, if that is nil, not at all.
func receiptOf(ws *syscall.WaitStatus, change func(*run), events ...life.RunEvent) Receipt {
	r := newRun(&config.Spec{Name: "web", Args: []string{"serve", "-p", "80"}})
	r.number, r.level, r.held = 2, hold.Cgroup, &fake{}
	r.book.started = t0
	for _, ev := range append([]life.RunEvent{life.EvStart}, events...) {
		r.Step(ev, t0)
	}
	if ws != nil {
		r.MainEnded(*ws)
	}
	change(r)
	r.Step(life.EvEmpty, t0)
	return r.receipt(t0.Add(2 * time.Second))
}

var (
	t0        = time.Unix(1000, 0)
	exited0   = new(syscall.WaitStatus)
	unchanged = func(*run) {}
)

func TestReceipt(t *testing.T) {
	oom := uint64(1)
	killed9 := syscall.WaitStatus(syscall.SIGKILL)
	fails := func(err error) func(*run) { return func(r *run) { r.book.err = err } }
	for name, c := range map[string]struct {
		event   life.RunEvent
		ws      *syscall.WaitStatus
		change  func(*run)
		status  int
		cause   life.Cause
		summary string
	}{
		"clean": {life.EvSpawned, exited0, unchanged, 0, life.Exited, "web: exited after 2s, exit code 0; nothing was left"},
		"killed some": {life.EvSpawned, exited0, func(r *run) {
			r.book.ask(syscall.SIGTERM, 8, 9)
			r.book.toKill([]int{9}, nil)
			r.book.processes = []Process{{Pid: 9, Command: "sleep 1", Outcome: "killed", Reasons: []string{"ignored SIGTERM"}}}
		}, 0, life.Exited, "web: exited after 2s, exit code 0; 2 asked to leave, 1 did, 1 killed; nothing is left\n" +
			"  killed 9 \"sleep 1\": ignored SIGTERM"},
		"out of memory": {
			life.EvSpawned, &killed9, func(r *run) { r.book.usage.OOMKills = &oom },
			137, life.OutOfMemory, "web: out-of-memory after 2s, ended by SIGKILL; nothing was left",
		},
		"timed out": {life.EvDeadline, exited0, unchanged, 124, life.TimedOut, "web: timed-out after 2s, exit code 0; nothing was left"},
		"not found": {
			life.EvSpawnFailed, exited0, fails(&child.ExecError{Path: "x", Err: syscall.ENOENT}),
			127, life.StartFailed, "web: not started: cannot execute x: no such file or directory; nothing was left",
		},
		"no permission": {
			life.EvSpawnFailed, exited0, fails(&child.ExecError{Path: "x", Err: syscall.EACCES}),
			126, life.StartFailed, "web: not started: cannot execute x: permission denied; nothing was left",
		},
		"no fork": {
			life.EvSpawnFailed, exited0, fails(errors.New("no fork")),
			125, life.StartFailed, "web: not started: no fork; nothing was left",
		},
		"unkillable": {life.EvSpawned, nil, func(r *run) {
			r.book.toKill([]int{7}, nil)
			r.book.processes = []Process{{Pid: 7, Command: "serve", Outcome: "killed"}}
			r.book.markUnkillable([]Process{{Pid: 7, Command: "serve", State: "D"}})
		}, 125, life.Exited, "web: exited after 2s, its main process has not ended; 0 asked to leave, 0 did, " +
			"1 cannot be killed and live on\n  unkillable 7 \"serve\""},
		"unkillable, unseen": {
			life.EvSpawned, exited0, func(r *run) { r.book.markUnkillable(nil) },
			125, life.Exited, "web: exited after 2s, exit code 0; 0 asked to leave, 0 did, 1 cannot be killed and live on",
		},
		"killed, not listed": {
			life.EvSpawned, exited0, func(r *run) {
				r.book.ask(syscall.SIGTERM, 8, 9)
				r.book.toKill([]int{9}, syscall.EMFILE)
			}, 0, life.Exited, "web: exited after 2s, exit code 0; how many were left is unknown (too many open files), " +
				"at least 2 asked to leave, 0 did, 1 killed; nothing is left",
		},
		"asked, not listed": {
			life.EvSpawned, exited0, func(r *run) { r.book.doubt(syscall.EMFILE) },
			0, life.Exited, "web: exited after 2s, exit code 0; how many were left is unknown (too many open files), " +
				"at least 0 asked to leave, 0 did; nothing is left",
		},
		"unkillable, and then dead": {life.EvSpawned, exited0, func(r *run) {
			r.book.markUnkillable([]Process{{Pid: 8, Command: "worker", State: "D"}})
			r.book.markKilled()
		}, 0, life.Exited, "web: exited after 2s, exit code 0; 0 asked to leave, 0 did, 1 killed; nothing is left\n  killed 8 \"worker\""},
	} {
		t.Run(name, func(t *testing.T) {
			r := receiptOf(c.ws, c.change, life.EvSpawned, c.event)
			if c.event == life.EvSpawnFailed {
				r = receiptOf(c.ws, c.change, c.event)
			}
			if got := strings.Join(r.Summary(), "\n"); got != c.summary {
				t.Errorf("summary %q, want %q", got, c.summary)
			}
			if r.ExitStatus != c.status || r.Cause != c.cause {
				t.Errorf("status %d, cause %s; want %d, %s", r.ExitStatus, r.Cause, c.status, c.cause)
			}
		})
	}
}

// TestReceiptBounds checks that the receipt of a fork bomb counts all processes and names a bounded
// number of them.
func TestReceiptBounds(t *testing.T) {
	var pids []int
	for pid := range maxListed + 5 {
		pids = append(pids, 100+pid)
	}
	last := pids[len(pids)-1]
	r := receiptOf(exited0, func(r *run) {
		r.book.ask(syscall.SIGTERM, 1, 2, last)
		r.book.toKill(pids, nil)
		r.book.processes = make([]Process, maxListed)
	}, life.EvSpawned)
	if r.Asked != 3 || r.Left != 2 || r.Killed != len(pids) {
		t.Errorf("%d asked, %d left, %d killed", r.Asked, r.Left, r.Killed)
	}
	u := receiptOf(exited0, func(r *run) {
		r.book.ask(syscall.SIGTERM, 1, 2, last)
		r.book.toKill(pids, nil)
		r.book.processes = make([]Process, maxListed)
		r.book.markUnkillable([]Process{{Pid: last}, {Pid: 1}}) // one was not named, one not even listed
	}, life.EvSpawned)
	if u.Asked != 3 || u.Left != 1 || u.Killed != len(pids)-1 || u.Unkillable != 2 || u.Omitted != 4 {
		t.Errorf("%d asked, %d left, %d killed, %d unkillable, %d omitted", u.Asked, u.Left, u.Killed, u.Unkillable, u.Omitted)
	}
	if r.Omitted != 5 {
		t.Errorf("omitted %d, want 5", r.Omitted)
	}
	if lines := r.Summary(); len(lines) != 10 || !strings.Contains(lines[9], "and 4093 more") {
		t.Errorf("summary of %d lines ends %q", len(lines), lines[len(lines)-1])
	}
}

// TestReceiptAbsent checks that figures which could not be measured are absent, not zero.
func TestReceiptAbsent(t *testing.T) {
	var fields map[string]any
	line := receiptOf(exited0, unchanged, life.EvSpawned).JSON()
	if err := json.Unmarshal(line, &fields); err != nil || line[len(line)-1] != '\n' {
		t.Fatalf("not a JSON line: %q: %v", line, err)
	}
	for _, absent := range []string{"cpu_ms", "memory_peak", "pids_peak", "oom_kills", "signal", "error"} {
		if v, ok := fields[absent]; ok {
			t.Errorf("%s is %v", absent, v)
		}
	}
	if fields["code"] != 0.0 || fields["containment"] != "cgroup" || fields["guarantee"] == "" {
		t.Errorf("fields %v", fields)
	}
}
