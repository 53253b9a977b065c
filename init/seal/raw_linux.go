package seal

import (
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls of this file do not tell Go's scheduler. In a program that has just started it would give the
// thread's place to another, again and again, and a seal would take three times as long.

// inode is the identity of a file, whatever its path.
type inode struct{ dev, ino uint64 }

// open opens a path in a directory for reading.
func open(dir int, path string, flags int) (int, error) {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	fd, _, errno := syscall.RawSyscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(p)),
		uintptr(flags|unix.O_RDONLY|unix.O_CLOEXEC|unix.O_LARGEFILE), 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

func closeFile(fd int) { syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// look returns the identity and the mode of a path in a directory, with AT_EMPTY_PATH of the descriptor.
func look(dir int, path string, flags int) (inode, uint16, error) {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return inode{}, 0, err
	}
	var info unix.Statx_t
	_, _, errno := syscall.RawSyscall6(unix.SYS_STATX, uintptr(dir), uintptr(unsafe.Pointer(p)), uintptr(flags),
		unix.STATX_TYPE|unix.STATX_INO, uintptr(unsafe.Pointer(&info)), 0)
	if errno != 0 {
		return inode{}, 0, errno
	}
	return inode{unix.Mkdev(info.Dev_major, info.Dev_minor), info.Ino}, info.Mode, nil
}

// read reads from a file, or with getdents64(2) the names of a directory.
func read(call uintptr, fd int, buf []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// readAll returns what is in a file.
func readAll(path string) ([]byte, error) {
	fd, err := open(unix.AT_FDCWD, path, 0)
	if err != nil {
		return nil, err
	}
	defer closeFile(fd)
	const atOnce = 16 << 10
	text := make([]byte, 0, atOnce)
	for {
		n, err := read(unix.SYS_READ, fd, text[len(text):cap(text)])
		if n == 0 || err != nil {
			return text, err
		}
		text = slices.Grow(text[:len(text)+n], 1)
	}
}
