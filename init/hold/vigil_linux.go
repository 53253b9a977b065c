package hold

import (
	"runtime"
	"slices"
	"syscall"
	"unsafe"

	"github.com/cginit/cginit/init/priority"
	"golang.org/x/sys/unix"
)

// vigilMost is the longest pause between the kills of the guardian's process, in nanoseconds. They
// begin with 5 ms and double. A fork bomb is gone by then, and the program that follows can start.
const vigilMost = 300_000_000

// vigil is what the guardian's process needs before it executes our binary. That process is one
// thread with a copy of a Go runtime that never runs, so everything is prepared before the fork.
type vigil struct {
	life   int             // the reading end of the pipe that ends when the supervisor dies
	ours   int             // the writing end, which is the supervisor's
	kill   int             // cgroup.kill of the jobs; -1: the kernel has none
	events int             // cgroup.events of the jobs
	path   *byte           // our binary
	argv   **byte          // the arguments of the guardian
	closed [8][2]uintptr   // the ranges of descriptors that it must close
	wishes []priority.Wish // the priorities to ask for, the best first
}

// keepOnly sets the ranges to close: all descriptors from 3 on except fds.
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

// fork makes the process and returns its pid. The process blocks all signals that can be blocked,
// so that only the end of the supervisor ends it.
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

// forkVigil returns only in the parent. Like the fork in package syscall, the child must not grow
// its stack, allocate, or be preempted. It makes only raw system calls, with signals blocked.
//
// The child kills as soon as the supervisor is dead, before it executes anything: if a fork bomb
// has taken the last pid, a Go program could not start a thread.
//
//go:noinline
//go:norace
//go:nosplit
func forkVigil(v *vigil) (pid uintptr, errno syscall.Errno) {
	flags, stack := uintptr(unix.SIGCHLD), uintptr(0)
	if runtime.GOARCH == "s390x" { // the two have changed places there
		flags, stack = stack, flags
	}
	pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, flags, stack, 0, 0, 0, 0)
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
	// Others may wait for the end of a pipe, so the child holds none open (close_range, since Linux
	// 5.9). Without 0 and 1 the Go program that it executes would look for /dev/null.
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
	v.claimCPU()
	for {
		// Nobody writes to the pipe, so this returns when it ends, together with the supervisor.
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
		// The exec failed, for example for lack of memory. The cgroups are still there, so try again.
		syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
	}
}

// claimCPU gives the guardian's process precedence over the jobs, as [priority.Claim] does for a thread.
//
//go:norace
//go:nosplit
func (v *vigil) claimCPU() {
	for i := range v.wishes {
		if _, _, e := syscall.RawSyscall(unix.SYS_SCHED_SETATTR, 0, uintptr(unsafe.Pointer(&v.wishes[i])), 0); e == 0 {
			return
		}
	}
}
