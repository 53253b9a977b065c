//go:build !amd64 && !arm64

package spawn

import "syscall"

// sharesMemory says that vfork works for a child with our memory (CLONE_VM).
const sharesMemory = false

// vfork makes the system call clone or clone3, and returns twice, like fork(2).
//
//go:norace
//go:nosplit
func vfork(number, a1, a2, a3 uintptr) (pid, errno uintptr) {
	pid, _, e := syscall.RawSyscall6(number, a1, a2, a3, 0, 0, 0)
	if e != 0 {
		return 0, uintptr(e) // not -1, which would be everybody's pid
	}
	return pid, 0
}
