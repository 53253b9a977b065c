package proctree

import (
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func appendNumber(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// openRaw is openat(2) of a path that ends with NUL, for reading; unix.Openat would allocate.
// It returns -1 for any error.
func openRaw(dir int, path []byte) int {
	for {
		fd, _, errno := syscall.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])),
			unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
		switch errno {
		case 0:
			return int(fd)
		case unix.EINTR:
			continue
		}
		return -1
	}
}
