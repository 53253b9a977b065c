package pod

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refuseSubreapers makes prctl(PR_SET_CHILD_SUBREAPER) fail with EINVAL in this thread and in all that it starts.
// The calls are those of the platform that the tests are built for.
func refuseSubreapers() error {
	const number, firstArgument = 0, 16 // in the kernel's struct seccomp_data; the lower half, little-endian
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	skipUnless := func(value uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: skip}
	}
	answer := func(action uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
	}
	filter := []unix.SockFilter{
		load(number), skipUnless(unix.SYS_PRCTL, 3),
		load(firstArgument), skipUnless(unix.PR_SET_CHILD_SUBREAPER, 1),
		answer(unix.SECCOMP_RET_ERRNO | uint32(unix.EINVAL)),
		answer(unix.SECCOMP_RET_ALLOW),
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	const setModeFilter = 1
	_, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, setModeFilter, 0, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}
