package proctree

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setName sets the name of this thread, which for the main thread is that of the process.
func setName(name string) {
	var text [16]byte
	copy(text[:], name)
	_, _, _ = syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&text)), 0)
}

// ignoreSignals leaves only SIGKILL and SIGSTOP to end or stop us. Blocking would not do: the
// runtime unblocks in each of its threads what ends a program. The job would inherit what is
// ignored, so the rest is for after the fork.
func ignoreSignals() { ignoreEach(func(syscall.Signal, uintptr) bool { return true }) }

// ignoreCaught does so for what the runtime has caught, which it gives back its default in
// each child. It is for before the fork: the job may begin with a signal to us.
func ignoreCaught() {
	const ignored, byDefault = 1, 0
	ignoreEach(func(sig syscall.Signal, handler uintptr) bool {
		isCLibrarys := sig >= 32 && sig <= 34 // where it is linked in, which is in tests
		return handler != ignored && handler != byDefault && !isCLibrarys
	})
}

func ignoreEach(chosen func(sig syscall.Signal, handler uintptr) bool) {
	const ignore, last = 1, 64
	for sig := syscall.Signal(1); sig <= last; sig++ {
		action, before := [4]uintptr{ignore}, [4]uintptr{} // struct sigaction of the kernel: the handler is its first
		if sig == unix.SIGCHLD {
			action[0] = 0 // to ignore this one would be to have our children reaped by the kernel
		}
		_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&before)), 8, 0, 0)
		if errno == 0 && chosen(sig, before[0]) {
			_, _, _ = syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
		}
	}
}
