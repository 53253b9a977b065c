package proctree

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// blockSignals locks the calling goroutine to its thread, blocks every signal of the thread that
// can be blocked, and returns the mask from before. Call restoreSignals to undo both.
func blockSignals() (before unix.Sigset_t, err error) {
	var all unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	runtime.LockOSThread()
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		runtime.UnlockOSThread()
		return before, fmt.Errorf("cannot block signals: %w", err)
	}
	return before, nil
}

// maskOf returns the first 64 signals of a set as the kernel has it, setMask sets them. The words of a set are
// as long as those of the platform.
func maskOf[W uint32 | uint64](words []W) (mask uint64) {
	size := 8 * int(unsafe.Sizeof(words[0]))
	for i := range 64 / size {
		mask |= uint64(words[i]) << (i * size)
	}
	return mask
}

func setMask[W uint32 | uint64](words []W, mask uint64) {
	size := 8 * int(unsafe.Sizeof(words[0]))
	for i := range 64 / size {
		words[i] = W(mask >> (i * size))
	}
}

// restoreSignals sets the mask that blockSignals has returned, and unlocks the thread.
func restoreSignals(before unix.Sigset_t) {
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	runtime.UnlockOSThread()
}

// ignoreSignals makes this process ignore all signals but SIGKILL and SIGSTOP. To block them would
// not do: the runtime unblocks in each of its threads the signals that end a program. Call it
// after the fork, because a child inherits what is ignored.
func ignoreSignals() { ignoreEach(func(syscall.Signal, uintptr) bool { return true }) }

// ignoreCaught makes this process ignore the signals that the runtime has caught. Call it before
// the fork: the job may begin with a signal to its holder. The job does not inherit it, because
// ForkExec gives these signals their default action in the child.
func ignoreCaught() {
	const byDefault, ignored = 0, 1 // SIG_DFL, SIG_IGN
	ignoreEach(func(sig syscall.Signal, handler uintptr) bool {
		// The C library has signals of its own. It is linked in only in tests.
		isCLibrarys := sig >= 32 && sig <= 34
		return handler != ignored && handler != byDefault && !isCLibrarys
	})
}

// ignoreEach ignores the signals that chosen returns true for. chosen is given the present handler
// of the signal. SIGCHLD gets its default action instead, which also does nothing.
func ignoreEach(chosen func(sig syscall.Signal, handler uintptr) bool) {
	const ignore, last = 1, 64
	for sig := syscall.Signal(1); sig <= last; sig++ {
		// The kernel's struct sigaction begins with the handler. It takes less than eight words everywhere.
		action, before := [8]uintptr{ignore}, [8]uintptr{}
		if sig == unix.SIGCHLD {
			action[0] = 0 // if it were ignored, the kernel would reap our children
		}
		_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
			0, uintptr(unsafe.Pointer(&before)), 8, 0, 0)
		if errno == 0 && chosen(sig, before[0]) {
			_, _, _ = syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
				uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
		}
	}
}
