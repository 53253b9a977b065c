package vm

import (
	"fmt"
	"strings"
)

// fileLimits checks the values in the cgroup of each service's run.
func fileLimits(t checker, r result) {
	t.allClean(r, map[string]string{"short": "stopped", "deploy": "stopped", "oci": "stopped", "unlimited": "stopped", "free": "stopped"})
	megabytes := func(n int) string { return fmt.Sprint(n * mebibyte) }
	for name, want := range map[string]string{
		"short memory.max": megabytes(64), "short memory.low": megabytes(32), "short memory.swap.max": megabytes(96 - 64),
		"short cpu.max": "50000 100000", "short cpu.weight": "59", "short cpuset.cpus": "0", "short runs on": "0", "short pids.max": "50",

		"deploy memory.max": megabytes(48), "deploy memory.low": megabytes(16), "deploy memory.swap.max": "0",
		"deploy cpu.max": "25000 100000", "deploy cpu.weight": "100", "deploy runs on": "0-1", "deploy pids.max": "40",

		"oci memory.max": megabytes(32), "oci memory.low": megabytes(8), "oci memory.swap.max": megabytes(64 - 32), "oci memory.high": megabytes(16),
		"oci cpu.max": "30000 60000", "oci cpu.weight": "174", "oci cpuset.cpus": "1", "oci cpuset.mems": "0", "oci runs on": "1", "oci pids.max": "30",

		"unlimited memory.max": megabytes(64), "unlimited memory.swap.max": "max", "unlimited pids.max": "max",

		"free memory.max": "max", "free memory.low": "0", "free cpu.max": "max 100000", "free cpu.weight": "100", "free pids.max": "max", "free runs on": "0-1",
	} {
		t.fact(r, name, want)
	}
}

// fileMemory checks that one service runs out of memory and the other one is not affected.
func fileMemory(t checker, r result) {
	all := t.allClean(r, map[string]string{"hog": "out-of-memory", "other": "stopped"})
	t.fact(r, "the other", "sleep 1000")
	t.fact(r, "its oom kills", "0")
	hog, other := all["hog"], all["other"]
	t.that(hog.Signal == "SIGKILL" && hog.OOMKills != nil && *hog.OOMKills >= 1, "the hog: %+v", hog)
	t.that(hog.MemoryPeak != nil && *hog.MemoryPeak > 44*mebibyte && *hog.MemoryPeak <= 48*mebibyte, "its memory_peak: %v", hog.MemoryPeak)
	t.that(other.Signal == "SIGTERM" && (other.OOMKills == nil || *other.OOMKills == 0), "the other: %+v", other)
}

// fileClock checks two hours that the clock jumps over. With missed_fires: one the job runs once, late,
// and with skip not at all. When the clock is set back, the hour comes again.
func fileClock(t checker, r result) {
	t.that(len(r.Alive)+len(r.Dirs) == 0 && r.Status == 0, "status %d; left: %q %q", r.Status, r.Alive, r.Dirs)
	t.fact(r, "one", "12:40 13:00 11:00")
	t.fact(r, "skip", "13:00 11:00")
	t.that(strings.Count(r.Stderr, "skip: its time 2030-01-01T11:00:00Z was missed and is skipped") == 1, "it says: %s", r.Stderr)
}

// allClean is clean for the services of a file. Each must have left one receipt with its cause.
func (t checker) allClean(r result, causes map[string]string) map[string]receipt {
	t.Helper()
	t.that(len(r.Alive)+len(r.Dirs) == 0 && r.Status == 0, "status %d; left: %q %q", r.Status, r.Alive, r.Dirs)
	all := map[string]receipt{}
	for _, got := range r.Receipts {
		all[got.Job] = got
		t.that(got.Cause == causes[got.Job], "%s: cause %q, not %q", got.Job, got.Cause, causes[got.Job])
	}
	t.that(len(r.Receipts) == len(causes) && len(all) == len(causes), "receipts: %+v", r.Receipts)
	return all
}
