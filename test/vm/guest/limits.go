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
	// A runtime that wants a thread too many wants it in some runs only.
	{"container-pids-1", false, containerPids},
	{"container-pids-2", false, containerPids},
	{"container-pids-3", false, containerPids},
	{"container-pids-4", false, containerPids},
	{"cpus", false, cpus},
	{"undelegated", false, undelegated},
}

// forkBomb fills whatever limit there is. A shell whose fork fails ends, and now and then all do at
// once; two others stay. Its main process ends with its standard input.
const forkBomb = `trap "" TERM; sleep 1000 & sleep 1000 & bomb() { while :; do bomb & done; }; bomb 2>/dev/null & read line; exit 3`

// memory has the job alone hit its limit. At the real root, whom the limit does not concern
// must be left where they are.
func memory(b *box) error {
	if err := b.run("--memory=64m", "--", "/init", "hog", "512"); err != nil {
		return err
	}
	b.look("/proc/1", "cgroup")
	return nil
}

// containerMemory has many processes, each smaller than process 1, fill the container: only
// oom_score_adj can keep the kernel from taking process 1, the largest.
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

// bomb has a fork bomb hit the job's limit, and gives its standard input.
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

// bombed has it end in a way that does not need the main process.
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

// containerPids stops a large job when the container is full, as a fork bomb fills it: there
// is no fork and no new thread for process 1 either.
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
	for range 1000 { // to be forwarded: work that has made a runtime want more threads
		if err := b.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			break // it has ended, and stop tells how
		}
	}
	return b.stop()
}

// cpus looks at a job that wants more than it may have.
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

// undelegated asks for a limit whose controller the container was not given.
func undelegated(b *box) error {
	if err := b.under("pids"); err != nil {
		return err
	}
	defer func() { b.Facts["started"] = read("/tmp/started") }()
	return b.run("--memory=64m", "--", "sh", "-c", "echo yes >/tmp/started")
}

// count gives the number after a key in a flat cgroup file, 0 where there is none.
func count(file, key string) (n int) {
	for line := range strings.Lines(read(file)) {
		_, _ = fmt.Sscanf(line, key+" %d", &n)
	}
	return n
}

// look notes what is in these files.
func (b *box) look(dir string, files ...string) {
	for _, file := range files {
		b.Facts[file] = read(filepath.Join(dir, file))
	}
}
