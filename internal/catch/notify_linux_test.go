//go:build !amd64 && !arm64

package catch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hasPipe says that handlers of our own write signals to a pipe.
const hasPipe = false

// setFull does nothing: os/signal has no pipe that could be full.
func setFull() {}

// isCaught tells whether a signal has a handler.
func isCaught(sig syscall.Signal) bool {
	var now [8]uintptr // the kernel's struct sigaction begins with the handler
	syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&now)), 8, 0, 0)
	return now[0] != 0
}
