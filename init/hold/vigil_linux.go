package hold

import (
	"runtime"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// vigilMost is the longest pause between the kills of the guardian's process, in nanoseconds. They
// begin with 5 ms and double. A fork bomb is gone by then, and the program that follows can start.
const vigilMost = 300_000_000

// vigil is what the guardian's process needs until it is executed: it is one thread, with a
// copy of a Go runtime that never runs again, so all of it is made before the fork.
type vigil struct {
	life   int // pipe whose end is the supervisor's death
	ours   int // the end of it that is the supervisor's
	kill   int // cgroup.kill of the jobs; -1: the kernel has none
	events int // cgroup.events of the jobs
	path   *byte
	argv   **byte
	closed [8][2]uintptr // ranges of descriptors that it must not hold open
}

// keepOnly fills the ranges to close: all from 3 on but these.
func (v *vigil) keepOnly(fds ...int) {
	fds = slices.DeleteFunc(fds, func(fd int) bool { return fd < 3 })
	slices.Sort(fds)
	from, n := 3, 0
	for _, fd := range fds {
		v.closed[n] = [2]uintptr{uintptr(from), uintptr(fd - 1)}
		from, n = fd+1, n+1
	}
	v.closed[n] = [2]uintptr{uintptr(from), uintptr(^uint32(0))}
}

// fork makes the process. Every signal that can be is blocked in it: it ends with its
// supervisor, and not before.
func (v *vigil) fork() (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		return 0, err
	}
	pid, errno := forkVigil(v)
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil); err != nil {
		return 0, err
	}
	if errno != 0 {
		return 0, errno
	}
	return int(pid), nil
}

// forkVigil returns in the parent only. Like syscall's own fork the child may not grow its
// stack, allocate, or be preempted: no calls but raw system calls, with signals blocked.
//
// It kills as soon as the supervisor is dead, before anything is executed: where a fork bomb
// has taken the last pid, no Go program could start a thread.
//
//go:noinline
//go:norace
//go:nosplit
func forkVigil(v *vigil) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	var b [32]byte
	var env [1]*byte
	one := [1]byte{'1'}
	name := [16]byte{'c', 'g', 'i', 'n', 'i', 't', '-', 'g', 'u', 'a', 'r', 'd', 'i', 'a', 'n'}
	pause := unix.Timespec{Nsec: 5_000_000}
	syscall.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
	syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name)), 0)
	// It may hold nothing open that somebody waits for the end of (close_range, since Linux
	// 5.9). Something has to be at 0 and 1, or Go, once executed, looks for /dev/null.
	syscall.RawSyscall(unix.SYS_DUP3, uintptr(v.life), 0, 0)
	syscall.RawSyscall(unix.SYS_DUP3, uintptr(v.life), 1, 0)
	syscall.RawSyscall(unix.SYS_CLOSE, uintptr(v.ours), 0, 0)
	for i := range v.closed {
		from, to := v.closed[i][0], v.closed[i][1]
		if to < from || to == 0 {
			continue
		}
		if _, _, e := syscall.RawSyscall(unix.SYS_CLOSE_RANGE, from, to, 0); e != 0 {
			for fd := from; fd <= to && fd < 1024; fd++ {
				syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
			}
		}
	}
	for {
		// Nobody writes: this returns at the end of the pipe, which is the end of the supervisor.
		_, _, e := syscall.RawSyscall(unix.SYS_READ, uintptr(v.life), uintptr(unsafe.Pointer(&b)), 1)
		if e != unix.EINTR {
			break
		}
	}
	for v.kill >= 0 {
		syscall.RawSyscall(unix.SYS_WRITE, uintptr(v.kill), uintptr(unsafe.Pointer(&one)), 1)
		_, _, e := syscall.RawSyscall6(unix.SYS_PREAD64, uintptr(v.events), uintptr(unsafe.Pointer(&b)), 32, 0, 0, 0)
		if e != 0 || b[len("populated ")] == '0' {
			break
		}
		syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
		if pause.Nsec > vigilMost { // what this does not kill, the program does, by pid
			break
		}
		pause.Nsec *= 2
	}
	for {
		syscall.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(v.path)), uintptr(unsafe.Pointer(v.argv)), uintptr(unsafe.Pointer(&env)))
		// Short of memory or the like: the cgroups are still there, so it is tried again.
		syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
	}
}
