package cgroup

import (
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Private mounts the hierarchy once more, writable and for us alone, and returns our cgroup
// in it: the way where the container has cgroup2 mounted read-only but grants CAP_SYS_ADMIN.
// The mount is attached nowhere (fsmount, since Linux 5.2): nobody else has a path to it, and
// jobs keep the read-only view. It lasts as long as the process, and is inherited by a child
// that is given the descriptor.
//
// It is refused in the host's cgroup namespace, where the new mount would show the host's
// tree and could change the flags that all mounts share (containerd commit f84ddfa4f).
func Private() (dir Dir, fd int, err error) {
	if !foreignNamespace("cgroup") {
		return "", -1, fmt.Errorf("%w: no cgroup namespace of our own", ErrNotOurs)
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
	fd, err = unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return "", -1, fmt.Errorf("cannot mount cgroup2: %w", err)
	}
	return Dir(filepath.Join("/proc/self/fd", strconv.Itoa(fd), self)), fd, nil
}
