package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

var limits = []scenario{
	{"memory", false, memory},
	{"root-memory", true, memory},
	{"container-memory", false, containerMemory},
	{"pids-term", false, bombed((*box).stop)},
	{"pids-exits", false, pidsExits},
	{"pids-timeout", false, bombed((*box).wait, "--timeout=5s")},
	{"root-pids-term", true, bombed((*box).stop)},
	{"root-pids-killed", true, bombed((*box).killed)},
	// A runtime that needs one thread too many needs it in some runs only, so run it several times.
	{"container-pids-1", false, containerPids},
	{"container-pids-2", false, containerPids},
	{"container-pids-3", false, containerPids},
	{"container-pids-4", false, containerPids},
	{"cpus", false, cpus},
	{"undelegated", false, undelegated},
}

// forkBomb reaches any limit. A shell whose fork fails exits, and sometimes all of them do at the same
// time; the two sleeps stay. The main process ends with its standard input.
const forkBomb = `trap "" TERM; sleep 1000 & sleep 1000 & bomb() { while :; do bomb & done; }; bomb 2>/dev/null & read line; exit 3`

// memory runs a job that reaches its limit. At the real root, processes outside the job must be left in
// their cgroups.
func memory(b *box) error {
	if err := b.run("--memory=64m", "--", "/init", "hog", "512"); err != nil {
		return err
	}
	b.look("/proc/1", "cgroup")
	return nil
}

// containerMemory fills the container with many processes, each smaller than process 1. Only
// oom_score_adj can keep the kernel from killing process 1, which is the largest.
func containerMemory(b *box) error {
	if err := os.WriteFile(b.dir+"/memory.max", []byte("32M"), 0); err != nil {
		return err
	}
	if err := b.start("--stop-grace-period=500ms", "--", "sh", "-c", `while :; do
		(x=$(head -c 300000 /dev/zero | tr "\0" x); sleep 1000; :) & sleep 0.02
	done`); err != nil {
		return err
	}
	if err := b.until("the container is out of memory", func() bool {
		b.Facts["oom kills"] = fmt.Sprint(count(b.dir+"/memory.events", "oom_kill"))
		return count(b.dir+"/memory.events", "oom_kill") >= 3 || len(b.receipts()) > 0
	}); err != nil {
		return err
	}
	return b.stop()
}

// bomb starts a fork bomb, waits until it has reached the job's limit, and returns its standard input.
func (b *box) bomb(flags ...string) (io.Closer, error) {
	b.prepare(append(flags, "--pids-limit=40", "--stop-grace-period=500ms", "--", "sh", "-c", forkBomb)...)
	stdin, err := b.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := b.launch(); err != nil {
		return nil, err
	}
	if err := b.until("the limit was hit", func() bool {
		return count(b.job()+"/pids.events", "max") > 0
	}); err != nil {
		return nil, err
	}
	b.look(b.job(), "pids.max")
	return stdin, nil
}

// bombed ends a fork bomb in a way that does not need the main process.
func bombed(end func(*box) error, flags ...string) func(*box) error {
	return func(b *box) error {
		main, err := b.bomb(flags...)
		if err != nil {
			return err
		}
		defer main.Close()
		return end(b)
	}
}

func pidsExits(b *box) error {
	main, err := b.bomb()
	if err != nil {
		return err
	}
	if err := main.Close(); err != nil {
		return err
	}
	return b.wait()
}

// containerPids stops a large job when the container is full, as a fork bomb fills it. Process 1 cannot
// fork or start a thread then.
func containerPids(b *box) error {
	const processes = 300
	if err := b.start("--stop-grace-period=500ms", "--", "trees", "deaf", fmt.Sprint(processes)); err != nil {
		return err
	}
	if err := b.until("a large job", func() bool { return len(procs(b.job())) == processes+1 }); err != nil {
		return err
	}
	if err := os.WriteFile(b.dir+"/pids.max", []byte("1"), 0); err != nil {
		return err
	}
	// Forwarding many signals is work that has made a runtime start more threads.
	for range 1000 {
		if err := b.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			break // cginit has ended, and stop reports it
		}
	}
	return b.stop()
}

// cpus runs a job that needs more CPU than it may have.
func cpus(b *box) error {
	if err := b.start("--cpus=0.2", "--memory=64m", "--", "sh", "-c", "while :; do :; done"); err != nil {
		return err
	}
	throttled := func() int { return count(b.job()+"/cpu.stat", "nr_throttled") }
	for _, n := range []int{1, throttled() + 3} {
		if err := b.until("throttled", func() bool { return throttled() >= n }); err != nil {
			return err
		}
	}
	b.look(b.job(), "cpu.max", "memory.max")
	b.Facts["adj of process 1"] = read(fmt.Sprintf("/proc/%d/oom_score_adj", b.cmd.Process.Pid))
	b.Facts["adj of the job"] = read("/proc/" + procs(b.job())[0] + "/oom_score_adj")
	return b.stop()
}

// undelegated runs a job with a limit whose controller the container does not have.
func undelegated(b *box) error {
	if err := b.under("pids"); err != nil {
		return err
	}
	defer func() { b.Facts["started"] = read("/tmp/started") }()
	return b.run("--memory=64m", "--", "sh", "-c", "echo yes >/tmp/started")
}

// count returns the number after a key in a flat cgroup file, 0 if there is none.
func count(file, key string) (n int) {
	for line := range strings.Lines(read(file)) {
		_, _ = fmt.Sscanf(line, key+" %d", &n)
	}
	return n
}

// look records the content of files.
func (b *box) look(dir string, files ...string) {
	for _, file := range files {
		b.Facts[file] = read(filepath.Join(dir, file))
	}
}
