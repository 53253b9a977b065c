package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// patience is how long a contestant may take.
const patience = 80 * time.Second

// start starts a command with the bomb and returns once it waits. begin makes it explode, and returns when n
// processes live and have settled.
func (o *options) start(argv []string, attr *syscall.SysProcAttr) (pid int, begin func() error, err error) {
	var in, out [2]int
	if err := errors.Join(unix.Pipe2(in[:], unix.O_CLOEXEC), unix.Pipe2(out[:], unix.O_CLOEXEC)); err != nil {
		return 0, nil, err
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, nil, err
	}
	pid, err = syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{uintptr(in[0]), uintptr(out[1]), 2}, Sys: attr})
	unix.Close(in[0])
	unix.Close(out[1])
	if err != nil {
		return 0, nil, err
	}
	begin = func() error {
		defer unix.Close(out[0])
		defer unix.Close(in[1])
		if _, err := unix.Write(in[1], []byte("go\n")); err != nil {
			return err
		}
		if err := expect(out[0], "ready"); err != nil {
			return err
		}
		nap(o.settle)
		return nil
	}
	return pid, begin, expect(out[0], "waiting")
}

// expect reads a line.
func expect(fd int, line string) error {
	var b [64]byte
	for {
		n, err := unix.Read(fd, b[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || strings.TrimSpace(string(b[:max(n, 0)])) != line {
			return fmt.Errorf("the bomb says %q and not %q: %w", b[:max(n, 0)], line, err)
		}
		return nil
	}
}

func nap(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&t, nil)
}

// contestant measures from SIGTERM until the end of a contestant.
func (o *options) contestant(argv []string) (time.Duration, error) {
	defer o.tidy()
	pid, begin, err := o.start(append(argv, o.bomb()...), nil)
	if err != nil {
		return 0, err
	}
	target, err := o.target(pid)
	if err != nil {
		return 0, err
	}
	fd, err := unix.PidfdOpen(target, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := begin(); err != nil {
		return 0, err
	}
	since := time.Now()
	if err := unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0); err != nil {
		return 0, err
	}
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(poll, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			return 0, fmt.Errorf("it lives on: %w", err)
		}
		break
	}
	took := time.Since(since)
	if os.Getpid() == 1 {
		_, _ = unix.Wait4(pid, nil, 0, nil)
		if left := others(); len(left) > 0 {
			return 0, fmt.Errorf("processes that it has left: %v", left)
		}
	}
	return took, nil
}

// target returns the pid of the process that gets the signal.
func (o *options) target(started int) (int, error) {
	switch {
	case o.child:
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", started, started))
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(string(text)))
	case o.inspect != "":
		argv := strings.Fields(o.inspect)
		text, err := exec.Command(argv[0], argv[1:]...).Output()
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(string(text)))
	}
	return started, nil
}

// tidy ends what a contestant has left.
func (o *options) tidy() {
	if argv := strings.Fields(o.remove); len(argv) > 0 {
		_ = exec.Command(argv[0], argv[1:]...).Run()
	}
	if os.Getpid() == 1 {
		_ = unix.Kill(-1, unix.SIGKILL)
		for {
			if _, err := unix.Wait4(-1, nil, unix.WALL, nil); err == unix.ECHILD {
				return
			}
		}
	}
}

// others returns the processes of this PID namespace that live, except this one.
func others() (pids []string) {
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		stat, _ := os.ReadFile("/proc/" + d.Name() + "/stat")
		_, after, ok := strings.Cut(string(stat), ") ")
		if err == nil && pid != os.Getpid() && ok && after[0] != 'Z' && after[0] != 'X' {
			pids = append(pids, strings.TrimSpace(string(stat)))
		}
	}
	return pids
}

// reference measures a loop that writes to cgroup.kill until the cgroup is empty, and adds the grace period.
func (o *options) reference() (time.Duration, error) {
	own, err := cgroup.Find()
	if err != nil {
		return 0, err
	}
	dir, err := own.MakeUnique("cginit.bomb")
	if err != nil {
		return 0, err
	}
	defer func() { _ = dir.Remove() }()
	fd, err := syscall.Open(string(dir), syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(fd)
	_, begin, err := o.start(o.bomb(), &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd})
	if err != nil {
		return 0, err
	}
	// Orphans are reaped by another thread, as in an init.
	go func() {
		_ = hurry()
		for {
			if _, err := unix.Wait4(-1, nil, unix.WALL, nil); err == unix.ECHILD {
				return
			}
		}
	}()
	if err := begin(); err != nil {
		return 0, err
	}
	kill, err := dir.OpenKill()
	if err != nil {
		return 0, err
	}
	defer unix.Close(kill)
	since := time.Now()
	for {
		if _, err := unix.Write(kill, []byte("1")); err != nil {
			return 0, err
		}
		if e, err := dir.Events(); err == nil && !e.Populated {
			break
		}
		nap(time.Millisecond)
	}
	took := time.Since(since)
	o.tidy()
	return o.grace + took, nil
}
