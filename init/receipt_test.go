package supervisor

import (
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/init/config"
)

func receiptOf(t *testing.T, change func(*run)) Receipt {
	t.Helper()
	status := syscall.WaitStatus(0)
	r := newRun(&config.Spec{Name: "web", Args: []string{"serve", "-p", "80"}})
	r.number, r.level, r.main, r.status = 2, LevelCgroup, process{pid: 7}, &status
	r.book.started = t0
	r.cause = exited
	change(r)
	return r.receipt(t0.Add(2 * time.Second))
}

func TestReceipt(t *testing.T) {
	oom := uint64(1)
	killed9 := syscall.WaitStatus(syscall.SIGKILL)
	for name, c := range map[string]struct {
		change  func(*run)
		status  int
		cause   cause
		summary string
	}{
		"clean": {func(*run) {}, 0, exited, "web: exited after 2s, exit code 0; nothing was left"},
		"killed some": {func(r *run) {
			r.book.ask(syscall.SIGTERM, 8, 9)
			r.book.killed = 1
			r.book.processes = []Process{{Pid: 9, Command: "sleep 1", Outcome: "killed", Reasons: []string{"ignored SIGTERM"}}}
		}, 0, exited, "web: exited after 2s, exit code 0; 2 asked to leave, 1 did, 1 killed; nothing is left\n  killed 9 \"sleep 1\": ignored SIGTERM"},
		"out of memory": {func(r *run) {
			r.status, r.book.receipt.OOMKills = &killed9, &oom
		}, 137, outOfMemory, "web: out-of-memory after 2s, ended by SIGKILL; nothing was left"},
		"timed out":     {func(r *run) { r.cause = timedOut }, 124, timedOut, "web: timed-out after 2s, exit code 0; nothing was left"},
		"not found":     {func(r *run) { r.cause, r.book.err = startFailed, &execError{"x", syscall.ENOENT} }, 127, startFailed, "web: not started: cannot execute x: no such file or directory; nothing was left"},
		"no permission": {func(r *run) { r.cause, r.book.err = startFailed, &execError{"x", syscall.EACCES} }, 126, startFailed, "web: not started: cannot execute x: permission denied; nothing was left"},
		"no fork":       {func(r *run) { r.cause, r.book.err = startFailed, errors.New("no fork") }, 125, startFailed, "web: not started: no fork; nothing was left"},
		"unkillable": {func(r *run) {
			r.status = nil
			r.book.killed = 1
			r.book.processes = []Process{{Pid: 7, Command: "serve", Outcome: "killed"}}
			r.book.markUnkillable([]Process{{Pid: 7, Command: "serve", State: "D"}})
		}, 125, exited, "web: exited after 2s, its main process has not ended; 0 asked to leave, 0 did, 1 cannot be killed and live on\n  unkillable 7 \"serve\""},
		"unkillable, unseen": {func(r *run) {
			r.book.markUnkillable(nil)
		}, 125, exited, "web: exited after 2s, exit code 0; 0 asked to leave, 0 did, 1 cannot be killed and live on"},
		"unkillable, and then dead": {func(r *run) {
			r.book.markUnkillable([]Process{{Pid: 8, Command: "worker", State: "D"}})
			r.book.markKilled()
		}, 0, exited, "web: exited after 2s, exit code 0; 0 asked to leave, 0 did, 1 killed; nothing is left\n  killed 8 \"worker\""},
	} {
		t.Run(name, func(t *testing.T) {
			r := receiptOf(t, c.change)
			if got := strings.Join(r.Summary(), "\n"); got != c.summary {
				t.Errorf("summary %q, want %q", got, c.summary)
			}
			if r.ExitStatus != c.status || r.Cause != c.cause {
				t.Errorf("status %d, cause %s; want %d, %s", r.ExitStatus, r.Cause, c.status, c.cause)
			}
		})
	}
}

// TestReceiptBounds: a bomb's receipt counts all and names as many as there is room for.
func TestReceiptBounds(t *testing.T) {
	r := receiptOf(t, func(r *run) {
		r.book.killed = maxListed + 5
		r.book.processes = make([]Process, maxListed)
	})
	if r.Omitted != 5 {
		t.Errorf("omitted %d, want 5", r.Omitted)
	}
	if lines := r.Summary(); len(lines) != 10 || !strings.Contains(lines[9], "and 4093 more") {
		t.Errorf("summary of %d lines ends %q", len(lines), lines[len(lines)-1])
	}
}

// TestReceiptAbsent: what could not be had is absent, not zero.
func TestReceiptAbsent(t *testing.T) {
	var fields map[string]any
	line := receiptOf(t, func(*run) {}).JSON()
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
