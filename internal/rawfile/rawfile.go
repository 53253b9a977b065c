// Package rawfile reads and writes the kernel's small files (/proc, cgroups) in three system calls
// each. Unlike package os it makes no object that the collector has to close, and asks no poller:
// the supervisor reads thousands of these files while the processes of a job are frozen.
package rawfile

import "golang.org/x/sys/unix"

// Open is open(2) with O_CLOEXEC, tried again after EINTR. The caller closes the descriptor. The
// error is an unix.Errno.
func Open(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// Read returns the beginning of a file, at most len(buf) bytes, in buf. The error is an unix.Errno.
func Read(path string, buf []byte) ([]byte, error) {
	fd, err := Open(path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Read(fd, buf)
		if err != unix.EINTR {
			return buf[:max(n, 0)], err
		}
	}
}

// Write writes one value to a file. It ignores errors.
func Write(path string, value []byte) {
	fd, err := Open(path, unix.O_WRONLY)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_, _ = unix.Write(fd, value)
}
