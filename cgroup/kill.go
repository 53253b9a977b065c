package cgroup

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// Kill sends SIGKILL to every process in the cgroup and below it, frozen or not. It returns before they
// are dead: they are when [Dir.Events] is no longer populated. Kernels before 6.14 can miss a fork that
// is under way, so the caller repeats Kill until then.
//
// Kill writes cgroup.kill (since Linux 5.14). If that file is missing or has become read-only, it kills
// each process by pid; the caller must have frozen the cgroup, so that none of them forks meanwhile.
func (d Dir) Kill() error {
	err := d.write("cgroup.kill", "1")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EROFS) {
		return d.KillEach(unix.Kill)
	}
	return err
}

// OpenKill opens cgroup.kill, for a caller that may be unable to open anything when it has to kill. Writing
// "1" to it does the same as Kill. The caller closes the descriptor.
func (d Dir) OpenKill() (fd int, err error) {
	return d.open("cgroup.kill", unix.O_WRONLY)
}

// KillEach sends SIGKILL to each process in the cgroup and below it by pid, and returns the last error. kill
// is kill(2), or a function that does more where that is refused.
//
// It reaches a process whose first thread has ended while others live, which cgroup.kill does not: its
// signal goes to the first thread alone (seen on Linux 6.1 and 6.18). It does not reach a process that
// is forked meanwhile, so it comes after Kill.
func (d Dir) KillEach(kill func(pid int, sig syscall.Signal) error) error {
	pids, err := d.Procs()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if e := kill(pid, unix.SIGKILL); e != nil && !errors.Is(e, unix.ESRCH) {
			err = e // the other processes must be killed all the same
		}
	}
	return err
}
