package cgroup

import (
	"errors"
	"io/fs"

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
		return d.killEach()
	}
	return err
}

// killEach sends SIGKILL to each process by pid, and returns the last error.
func (d Dir) killEach() error {
	pids, err := d.Procs()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if e := unix.Kill(pid, unix.SIGKILL); e != nil && !errors.Is(e, unix.ESRCH) {
			err = e // the other processes must be killed all the same
		}
	}
	return err
}
