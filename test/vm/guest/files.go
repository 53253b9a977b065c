package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

var files = []scenario{
	{"file-limits", false, fileLimits},
	{"file-memory", false, fileMemory},
	{"file-clock", false, fileClock},
}

// configure writes a file of services and jobs, and returns the flags to run it with.
func (b *box) configure(text string) ([]string, error) {
	path := "/tmp/" + b.Scenario + ".yaml"
	return []string{"--config=" + path, "--socket=none"}, os.WriteFile(path, []byte(text), 0o644)
}

// runOf returns the cgroup of a job's first run, "" before it is made.
func (b *box) runOf(job string) string {
	found, _ := filepath.Glob(b.dir + "/cginit.jobs*/" + job + ".1")
	return strings.Join(found, " ")
}

// fileLimits runs one service for each way to write a limit, side by side.
func fileLimits(b *box) error {
	const command = "{command: sleep 1000, "
	flags, err := b.configure(`
services:
  short: ` + command + `mem_limit: 64m, mem_reservation: 32m, memswap_limit: 96m, cpus: 0.5, cpu_shares: 512, cpuset: "0", pids_limit: 50}
  deploy: ` + command + `deploy: {resources: {limits: {cpus: "0.25", memory: 48m, pids: 40}, reservations: {memory: 16m}}}}
  oci: ` + command + `resources: {
    memory: {limit: 33554432, reservation: 8388608, swap: 67108864}, cpu: {shares: 2048, quota: 30000, period: 60000, cpus: "1", mems: "0"},
    pids: {limit: 30}, unified: {memory.high: "16777216"}}}
  unlimited: ` + command + `mem_limit: 64m, memswap_limit: -1, pids_limit: -1}
  free: ` + command + `}
`)
	if err == nil {
		err = b.start(flags...)
	}
	if err != nil {
		return err
	}
	for _, job := range []string{"short", "deploy", "oci", "unlimited", "free"} {
		var pid string
		if err := b.until(job+" to run", func() bool {
			for _, pid = range procs(b.runOf(job)) {
				return cmdline(pid) == "sleep 1000"
			}
			return false
		}); err != nil {
			return err
		}
		for _, file := range []string{"memory.max", "memory.low", "memory.high", "memory.swap.max", "cpu.max", "cpu.weight", "cpuset.cpus", "cpuset.mems", "pids.max"} {
			b.Facts[job+" "+file] = read(filepath.Join(b.runOf(job), file))
		}
		b.Facts[job+" runs on"] = strings.TrimSpace(field("/proc/"+pid, "Cpus_allowed_list"))
	}
	return b.stop()
}

// fileMemory runs two services, one of which runs out of memory.
func fileMemory(b *box) error {
	flags, err := b.configure(`
services:
  hog: {command: /init hog 512, mem_limit: 48m, restart: "no"}
  other: {command: sleep 1000, mem_limit: 64m}
`)
	if err == nil {
		err = b.start(flags...)
	}
	if err != nil {
		return err
	}
	if err := b.until("the receipt of the hog", func() bool { return len(b.receipts()) == 1 }); err != nil {
		return err
	}
	b.Facts["the other"] = ""
	for _, pid := range procs(b.runOf("other")) {
		b.Facts["the other"] += cmdline(pid)
	}
	b.Facts["its oom kills"] = fmt.Sprint(count(b.runOf("other")+"/memory.events", "oom_kill"))
	return b.stop()
}

// fileClock sets the clock while two jobs wait for the full hour: past two full hours, to just before
// the next, and back. Each job writes down when it runs.
func fileClock(b *box) error {
	const job = `
    command: [sh, -c, 'date -u +%H:%M >>/tmp/$$0', `
	flags, err := b.configure(`
services:
  up: {command: [sh, -c, 'touch /tmp/up; exec sleep 1000']}
jobs:
  one:` + job + `one]
    triggers: {schedule: [{cron: "0 * * * *", timezone: UTC, missed_fires: one}]}
  skip:` + job + `skip]
    triggers: {schedule: [{cron: "0 * * * *", timezone: UTC, missed_fires: skip}]}
`)
	if err != nil {
		return err
	}
	before := time.Now()
	defer func() { _ = setClock(before.Add(time.Since(before))) }() // time.Since uses the monotonic clock
	day := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := setClock(day.Add(10*time.Hour + 30*time.Minute)); err != nil {
		return err
	}
	if err := b.start(flags...); err != nil {
		return err
	}
	if err := b.until("it is up", func() bool { return exists("/tmp/up") }); err != nil {
		return err
	}
	for _, step := range []struct {
		to        time.Duration
		one, skip int // how often each job has run then
	}{
		{12*time.Hour + 40*time.Minute, 1, 0},
		{13*time.Hour - 2*time.Second, 2, 1},
		{11*time.Hour - 2*time.Second, 3, 2},
	} {
		if err := setClock(day.Add(step.to)); err != nil {
			return err
		}
		if err := b.until(fmt.Sprint("the jobs at ", step.to), func() bool {
			return len(strings.Fields(read("/tmp/one"))) == step.one && len(strings.Fields(read("/tmp/skip"))) == step.skip &&
				strings.Contains(read(b.stderr), "is skipped") && len(b.receipts()) == step.one+step.skip
		}); err != nil {
			return err
		}
	}
	b.Facts["one"], b.Facts["skip"] = strings.ReplaceAll(read("/tmp/one"), "\n", " "), strings.ReplaceAll(read("/tmp/skip"), "\n", " ")
	return b.stop()
}

func setClock(to time.Time) error {
	tv := syscall.NsecToTimeval(to.UnixNano())
	if err := syscall.Settimeofday(&tv); err != nil {
		return fmt.Errorf("settimeofday: %w", err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
