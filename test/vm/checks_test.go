package vm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cginit/cginit/test/internal/golden"
)

const mebibyte = 1 << 20

// Exit statuses for a main process that a signal ended.
const (
	byTerm = 128 + 15
	byKill = 128 + 9
)

var checks = map[string]func(checker, result){
	"box-setsid": func(t checker, r result) { t.killed(t.clean(r, "exited", 3), 0, "") },
	"box-daemon": func(t checker, r result) { t.killed(t.clean(r, "exited", 3), 0, "") },
	"box-bomb":   func(t checker, r result) { t.clean(r, "exited", 3) },
	"box-deaf": func(t checker, r result) {
		t.killed(t.clean(r, "exited", 3), 5, "ignored SIGTERM")
		t.that(strings.Contains(r.Termination, "5"), "the termination log does not say how many were killed: %q", r.Termination)
	},
	"root-setsid": func(t checker, r result) { t.killed(t.clean(r, "stopped", byTerm), 0, "") },
	"root-daemon": func(t checker, r result) { t.killed(t.clean(r, "stopped", byTerm), 0, "") },
	"root-bomb":   func(t checker, r result) { t.clean(r, "stopped", byTerm) },
	"root-deaf": func(t checker, r result) {
		t.deafMain(r)
		t.that(r.Termination == "", "a termination log, though not by process 1: %q", r.Termination)
	},
	"root-killed": checker.supervisorKilled,
	"memory":      outOfMemory,
	"root-memory": func(t checker, r result) {
		outOfMemory(t, r)
		t.fact(r, "cgroup", "0::/") // of the VM's process 1
	},
	"container-memory": containerOutOfMemory,
	"pids-term":        limitedBomb("stopped", byKill),
	"pids-exits":       limitedBomb("exited", 3),
	"pids-timeout":     limitedBomb("timed-out", 124),
	"root-pids-term":   limitedBomb("stopped", byKill),
	"root-pids-killed": func(t checker, r result) {
		t.fact(r, "pids.max", "40")
		t.supervisorKilled(r)
	},
	"container-pids-1": containerFull,
	"container-pids-2": containerFull,
	"container-pids-3": containerFull,
	"container-pids-4": containerFull,
	"cpus": func(t checker, r result) {
		got := t.clean(r, "stopped", byTerm)
		t.fact(r, "cpu.max", "20000 100000")
		t.fact(r, "memory.max", fmt.Sprint(64*mebibyte))
		t.that(got.CPU > 0, "cpu_ms %v", got.CPU)
		var own, job int
		_, err := fmt.Sscan(r.Facts["adj of process 1"]+" "+r.Facts["adj of the job"], &own, &job)
		t.that(err == nil && job > own, "oom_score_adj %d of process 1, %d of the job: %v", own, job, err)
	},
	"undelegated": func(t checker, r result) {
		t.that(r.Status == 125, "exit status %d, not 125", r.Status)
		t.that(strings.Count(r.Stderr, "\n") == 0 && strings.HasPrefix(r.Stderr, "cginit: ") && strings.Contains(r.Stderr, "memory"),
			"not one clear line: %q", r.Stderr)
		t.that(len(r.Alive)+len(r.Dirs) == 0, "left: %q %q", r.Alive, r.Dirs)
		t.fact(r, "started", "")
	},
	"exec-without-limits": func(t checker, r result) {
		t.clean(r, "stopped", byTerm)
		t.fact(r, "cgroup", "0::/exec-without-limits")
		t.fact(r, "cgroup.subtree_control", "")
		t.fact(r, "exec into the cgroup of the container", "cginit")
		t.fact(r, "exec into the cgroup of the process 1", "cginit")
	},
	"exec-with-limits": func(t checker, r result) {
		t.clean(r, "stopped", byTerm)
		t.fact(r, "cgroup", "0::/exec-with-limits/cginit")
		t.fact(r, "cgroup.subtree_control", "memory")
		t.that(strings.HasSuffix(r.Facts["exec into the cgroup of the container"], "device or resource busy"), "no reason to look further")
		t.fact(r, "exec into the cgroup of the process 1", "cginit")
	},
	"nested": func(t checker, r result) {
		t.killed(t.clean(r, "stopped", byTerm), 1, "ignored SIGTERM")
		t.fact(r, "cgroup.subtree_control", "memory")
	},
	"read-only": func(t checker, r result) {
		t.deafMain(r)
		t.fact(r, "memory.max", fmt.Sprint(64*mebibyte))
	},
	"sealed": func(t checker, r result) {
		got := strings.Replace(r.Facts["could"], "may signal process 1\n", "", 1) // before Linux 6.12
		t.that(got == "wrote a file", "the sealed job could: %s", r.Facts["could"])
		killed := t.clean(r, "stopped", byKill).Killed
		t.that(killed == 2, "%d killed, not 2", killed)
	},
	"file-limits":       fileLimits,
	"file-memory":       fileMemory,
	"file-clock":        fileClock,
	"unkillable-main":   stateIs("D"),
	"unkillable-child":  stateIs("D"),
	"unkillable-thread": stateIs("Z"),
	"dying": func(t checker, r result) {
		t.killed(t.clean(r, "stopped", byTerm), 1, "outlived SIGTERM")
		t.fact(r, "state at the thaw", "D")
	},
	"core-pipe":      dumping,
	"root-core-pipe": dumping,
	"check":          says,
	"root-check":     says,
}

// init adds the checks of the kinds of trees that are hard to see or to end.
func init() {
	for _, kind := range []string{
		"headless", "headless-main", "traced", "no-exit-signal", "clone-parent", "vfork", "inner-pidns", "inner-userns",
		"inner-cgroupns", "memfd", "no-argv", "threaded", "page-fault", "sqpoll",
	} {
		checks["box-"+kind] = func(t checker, r result) { t.killed(t.clean(r, "exited", 3), 5, "ignored SIGTERM") }
		checks["root-"+kind] = func(t checker, r result) { t.killed(t.clean(r, "stopped", byTerm), 5, "ignored SIGTERM") }
	}
	checks["root-headless-main"] = checker.deafMain
}

// dumping checks the stop of a process that dumps core. It does not hear the stop signal. The freeze can
// end its wait for the reader, and with that the dump; otherwise it is killed.
func dumping(t checker, r result) {
	got := t.clean(r, "stopped", byTerm)
	t.that(got.Asked == 2 && got.Left+got.Killed == 2, "asked %d, left %d, killed %d", got.Asked, got.Left, got.Killed)
}

// limitedBomb checks the end of a fork bomb that has reached its limit.
func limitedBomb(cause string, status int) func(t checker, r result) {
	return func(t checker, r result) {
		got := t.clean(r, cause, status)
		t.fact(r, "pids.max", "40")
		t.that(got.PidsPeak != nil && *got.PidsPeak == 40, "pids_peak is not the limit that was hit")
		t.that(got.Killed > 1, "killed %d", got.Killed)
	}
}

func (t checker) supervisorKilled(r result) {
	t.Helper()
	t.that(r.Status == -1, "the supervisor ended with %d, not by SIGKILL", r.Status)
	t.that(len(r.Alive)+len(r.Dirs) == 0, "outlived their supervisor: %q %q", r.Alive, r.Dirs)
}

// says compares the output of --check with testdata.
func says(t checker, r result) {
	t.that(r.Status == 0, "exit status %d: %s", r.Status, r.Stderr)
	t.that(regexp.MustCompile(`(?m)^  controllers .*\bmemory\b`).MatchString(r.Facts["check"]), "--check does not find the memory controller: %s", r.Facts["check"])
	golden.Check(t.T, r.Scenario, r.Facts["check"])
}

// deafMain checks a stop that every process ignores: the others are asked after half of the grace period.
func (t checker) deafMain(r result) {
	t.Helper()
	got := t.clean(r, "stopped", byKill)
	t.that(got.Killed == 6 && len(got.Processes) == 6, "killed %d of 6: %+v", got.Killed, got.Processes)
	for _, p := range got.Processes {
		t.that(slices.Contains(p.Reasons, "ignored SIGTERM"), "process %+v does not ignore SIGTERM", p)
	}
}

func (t checker) fact(r result, name, want string) {
	t.Helper()
	got, looked := r.Facts[name]
	t.that(looked && got == want, "%s: %q, not %q", name, got, want)
}

func outOfMemory(t checker, r result) {
	got := t.clean(r, "out-of-memory", byKill)
	t.that(got.Signal == "SIGKILL" && got.Code == nil, "how the main process ended: %q %v", got.Signal, got.Code)
	t.that(got.OOMKills != nil && *got.OOMKills >= 1, "no oom_kills")
	if got.MemoryPeak == nil {
		t.Fatal("no memory_peak")
	}
	t.that(*got.MemoryPeak > 60*mebibyte && *got.MemoryPeak <= 64*mebibyte, "memory_peak %d", *got.MemoryPeak)
}

// containerOutOfMemory checks that process 1 survives, and that it reports whichever process of the job
// the kernel has killed.
func containerOutOfMemory(t checker, r result) {
	t.that(r.Facts["oom kills"] >= "1", "the container was not out of memory: %v", r.Facts)
	t.that(r.Status == byTerm || r.Status == byKill, "exit status %d", r.Status)
	got := t.one(r.Receipts)
	t.clean(r, got.Cause, r.Status)
	t.that(got.OOMKills == nil, "oom_kills without the controller in the job")
}

func containerFull(t checker, r result) {
	got := t.clean(r, "stopped", byKill)
	t.that(got.Killed == 301, "killed %d of 301", got.Killed)
}

// stateIs checks that an unkillable process is reported, and its state after that.
func stateIs(state string) func(t checker, r result) {
	return func(t checker, r result) { stuck(t, r, state) }
}

func stuck(t checker, r result, state string) {
	got := t.one(r.Receipts)
	t.that(r.Status == 125, "exit status %d, not 125", r.Status)
	t.that(len(r.Alive) == 0, "alive after the thaw: %q", r.Alive)
	t.that(got.Unkillable == 1, "unkillable %d, not 1", got.Unkillable)
	t.fact(r, "state at the end", state)
	named := 0
	for _, p := range got.Processes {
		if p.Outcome == "unkillable" {
			named++
			t.that(fmt.Sprint(p.Pid) == r.Facts["pid"], "unkillable pid %d, not %s", p.Pid, r.Facts["pid"])
		}
	}
	t.that(named == 1, "%d processes named as unkillable", named)
	said := false
	for line := range strings.Lines(r.Stderr) {
		said = said || strings.HasPrefix(line, "cginit: ") && strings.Contains(line, r.Facts["pid"]) && strings.Contains(line, "kill")
	}
	t.that(said, "no line names the unkillable process: %q", r.Stderr)
}
