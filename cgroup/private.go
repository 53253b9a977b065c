package cgroup

import (
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Private mounts the hierarchy a second time, writable, for the calling process alone. It returns the
// cgroup of the process in the new mount and the mount's descriptor. It serves containers that have
// cgroup2 mounted read-only but grant CAP_SYS_ADMIN.
//
// The mount is attached nowhere (fsmount, since Linux 5.2): no other process has a path to it, and jobs
// keep the read-only view. It lasts until the descriptor is closed; a child that is given the
// descriptor can use it too.
//
// Private fails with [ErrNotOurs] in the host's cgroup namespace. There the new mount would show the
// host's tree, and could change the flags that all mounts of it share (containerd commit f84ddfa4f).
func Private() (dir Dir, fd int, err error) {
	if !foreignNamespace("cgroup") {
		return "", -1, fmt.Errorf("%w: this process has no cgroup namespace of its own", ErrNotOurs)
	}
	self, err := selfPath()
	if err != nil {
		return "", -1, err
	}
	fs, err := unix.Fsopen("cgroup2", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return "", -1, fmt.Errorf("cannot open a cgroup2 file system: %w", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return "", -1, fmt.Errorf("cannot set up a cgroup2 file system: %w", err)
	}
	const attributes = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	fd, err = unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attributes)
	if err != nil {
		return "", -1, fmt.Errorf("cannot mount cgroup2: %w", err)
	}
	return Dir(filepath.Join("/proc/self/fd", strconv.Itoa(fd), self)), fd, nil
}
