package cgroup

import "golang.org/x/sys/unix"

// Freeze asks the kernel to freeze the cgroup and all cgroups below it (since Linux 5.2). It does not
// wait until they are frozen: [Dir.Events] has the state, and a [Watcher] reports the change. A
// process in uninterruptible sleep delays the freeze without bound, so the caller's wait needs a limit.
func (d Dir) Freeze() error { return d.write("cgroup.freeze", "1") }

// Thaw lets the cgroup run again. It stays frozen while a cgroup above it is.
func (d Dir) Thaw() error { return d.write("cgroup.freeze", "0") }

// OpenFreeze opens cgroup.freeze for [IsFreezing]. The caller closes the descriptor.
func (d Dir) OpenFreeze() (fd int, err error) { return d.open("cgroup.freeze", unix.O_RDONLY) }

// IsFreezing reports whether a cgroup itself was asked to freeze. fd is that of OpenFreeze. From then on a
// process that is born in it does not run, even while the cgroup as a whole is not frozen yet.
func IsFreezing(fd int) bool {
	var content [1]byte
	n, err := retry(func() (int, error) { return unix.Pread(fd, content[:], 0) })
	return err == nil && n > 0 && content[0] == '1'
}
