package cgroup

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Kill sends SIGKILL to every process of the cgroup and of those below it, frozen or not. It
// returns before they are dead; they are when [Dir.Events] says that nothing is populated.
// Kernels before 6.14 can miss a fork that is under way, so call it again until then.
//
// It is one write to cgroup.kill (since Linux 5.14). Where that file is missing, or has become
// read-only, each process is killed by pid; freeze the cgroup first, so that none of them forks
// meanwhile.
func (d Dir) Kill() error {
	err := d.write("cgroup.kill", "1")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EROFS) {
		return d.killEach()
	}
	return err
}

func (d Dir) killEach() error {
	pids, err := d.Procs()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if e := unix.Kill(pid, unix.SIGKILL); e != nil && !errors.Is(e, unix.ESRCH) {
			err = e // the others are to be killed all the same
		}
	}
	return err
}
