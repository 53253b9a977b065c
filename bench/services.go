package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	bareStart = "a bare loop of mkdir, clone3 into it, exec"
	bareStop  = "a bare loop of kill, wait, rmdir"
)

// services measures the start of many services, until all are executed, and their stop, until nothing
// is left. No supervisor is process 1 here, so that what it leaves alive is seen. The reference is a loop
// that does no more for each service than the kernel's part.
func services(l *lab) ([]*figure, error) {
	starts := &figure{
		Title: "Start of n services",
		Note: "Until all are executed: each writes a byte then. A service is a static program that sleeps. The bare loop is " +
			"one thread of a Go program: for each service it makes a cgroup and forks into it (vfork, clone3).",
	}
	stops := &figure{
		Title: "Stop of n services",
		Note: "From the signal to the supervisor until it has ended and nothing is left, also of its own processes. What is " +
			"alive five seconds after the supervisor's end has survived. The bare loop sends SIGTERM to all, waits for all and " +
			"removes the cgroups.",
	}
	crews := l.crews()
	for _, n := range l.crowds()[1:] {
		rounds := map[int]int{100: l.pick(9, 3), 1000: l.pick(5, 1), 4000: 3}[n]
		who := namesOf(crews)
		if l.own != "" {
			who = append([]string{bareStart}, who...)
		}
		first := len(who) - len(crews)
		rows := l.interleave(fmt.Sprintf("start and stop of %d services", n), rounds, who, func(i int) ([]float64, error) {
			if i < first {
				return l.bareLoop(n)
			}
			return crews[i-first].startAndStop(l, n)
		})
		start := column{Name: thousands(n), Unit: "s", Digits: 3, Reference: bareStart, Line: "start of " + thousands(n) + " services", Chart: "startup"}
		stop := column{Name: thousands(n), Unit: "s", Digits: 3, Reference: bareStop, Line: "stop of " + thousands(n) + " services", Chart: "teardown"}
		if n == 1000 {
			start.Goals = []goal{{Than: bareStart, Times: 1.25}}
		}
		if n == l.pick(4000, 1000) {
			stop.Goals = []goal{{Than: before, Times: 0.4}, {Than: bareStop, Times: 1.25}}
		}
		starts.add([]column{start}, only(rows, 0))
		if first > 0 {
			rows[0].Who = bareStop
		}
		stops.add([]column{stop}, only(rows, 1))
	}
	return []*figure{starts, stops}, nil
}

// startAndStop returns how long the start and the stop of n services take, in s.
func (c crew) startAndStop(l *lab, n int) ([]float64, error) {
	w, start, err := c.start(l, n, inside{})
	if err != nil {
		return nil, err
	}
	stop, err := w.stop(c.stop, time.Minute)
	if err != nil {
		w.end()
		return nil, err
	}
	return []float64{start.Seconds(), stop.Seconds()}, nil
}

// bareLoop starts n services, each in a cgroup of its own, and stops them.
func (l *lab) bareLoop(n int) ([]float64, error) {
	fifo, err := l.fifo()
	if err != nil {
		return nil, err
	}
	defer fifo.Close()
	top, err := l.cgroup()
	if err != nil {
		return nil, err
	}
	defer func() { _ = top.Remove() }()
	argv := []string{l.program("sleeper"), fifo.Name()}
	attr := &syscall.ProcAttr{Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{UseCgroupFD: true, Pdeathsig: syscall.SIGKILL}}
	dirs, pids := make([]string, n), make([]int, n)
	begin := time.Now()
	for i := range n {
		dirs[i] = fmt.Sprintf("%s/s%d", top, i)
		if err := syscall.Mkdir(dirs[i], 0o755); err != nil {
			return nil, err
		}
		if attr.Sys.CgroupFD, err = syscall.Open(dirs[i], syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0); err != nil {
			return nil, err
		}
		if pids[i], err = syscall.ForkExec(argv[0], argv, attr); err != nil {
			return nil, err
		}
		_ = syscall.Close(attr.Sys.CgroupFD)
	}
	if err := heard(fifo, n, time.Minute); err != nil {
		return nil, err
	}
	start := time.Since(begin)
	begin = time.Now()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			return nil, err
		}
	}
	for _, pid := range pids {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
			return nil, os.NewSyscallError("wait4", err)
		}
	}
	for _, dir := range dirs {
		if err := syscall.Rmdir(dir); err != nil {
			return nil, err
		}
	}
	return []float64{start.Seconds(), time.Since(begin).Seconds()}, nil
}
