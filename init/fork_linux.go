package supervisor

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forkAndWait is the part of forkWaiting that runs in both processes. The child has one thread
// and a copy of a Go runtime that will never run again, so like syscall's own fork it may not
// grow its stack, allocate, or be preempted: no calls but raw system calls, signals blocked.
//
//go:noinline
//go:norace
//go:nosplit
func forkAndWait(path *byte, argv **byte, life, low, high uintptr) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	var b [1]byte
	var none [1]*byte
	pause := unix.Timespec{Nsec: 10_000_000}
	syscall.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
	// It may hold nothing open that somebody waits for the end of (close_range, since Linux 5.9).
	// Something has to be at 0 and 1, or Go, once it is executed, looks for /dev/null.
	syscall.RawSyscall(unix.SYS_DUP3, life, 0, 0)
	syscall.RawSyscall(unix.SYS_DUP3, life, 1, 0)
	syscall.RawSyscall(unix.SYS_CLOSE_RANGE, 3, low-1, 0)
	syscall.RawSyscall(unix.SYS_CLOSE_RANGE, low+1, high-1, 0)
	syscall.RawSyscall(unix.SYS_CLOSE_RANGE, high+1, uintptr(^uint32(0)), 0)
	if low != life {
		syscall.RawSyscall(unix.SYS_FCNTL, low, unix.F_SETFD, 0)
	} else if high != life {
		syscall.RawSyscall(unix.SYS_FCNTL, high, unix.F_SETFD, 0)
	}
	for {
		// Nobody writes: this returns at the end of the pipe, which is the end of the supervisor.
		_, _, e := syscall.RawSyscall(unix.SYS_READ, life, uintptr(unsafe.Pointer(&b)), 1)
		if e != unix.EINTR {
			break
		}
	}
	for {
		syscall.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(argv)), uintptr(unsafe.Pointer(&none)))
		// Short of memory or the like: the jobs live on, so there is nothing but to try again.
		syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
	}
}
