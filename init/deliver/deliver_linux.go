// Package deliver sends signals also where kill(2) refuses them to us for lack of CAP_KILL: a thread takes
// the uid of the receiver for the moment, which needs CAP_SETUID. A container that starts as root and runs
// its command as another user has that one and often not the other.
package deliver

import (
	"runtime"
	"syscall"

	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// Signal is kill(2) for a process, or for a process group if pid is negative. EPERM means that nothing more
// can be done.
func Signal(pid int, sig syscall.Signal) error {
	err := unix.Kill(pid, sig)
	if err != unix.EPERM {
		return err
	}
	uid, readError := proc.UID(max(pid, -pid))
	if readError != nil {
		return err
	}
	return as(uid, pid, sig)
}

// everyone makes kill(2) signal all processes that the caller may signal, except the caller and process 1.
const everyone = -1

// Everyone signals all other processes of our PID namespace. pids are those that kill(-1) may have been
// refused for. Their users' other processes are signalled too, in one instant for each user.
func Everyone(pids []int, sig syscall.Signal) {
	done := map[uint32]bool{}
	for _, pid := range pids {
		if unix.Kill(pid, 0) != unix.EPERM {
			continue
		}
		if uid, err := proc.UID(pid); err == nil && !done[uid] {
			done[uid] = true
			_ = as(uid, everyone, sig)
		}
	}
}

// as calls kill(2) with the effective uid of another user. It returns EPERM if we may not take that. The
// real and the saved uid of the thread stay ours, so that the other user cannot signal it. The kernel
// takes the effective capabilities from the thread for that time, and gives them back.
func as(uid uint32, pid int, sig syscall.Signal) error {
	const same = ^uintptr(0)
	runtime.LockOSThread()
	_, before, _ := unix.Getresuid()
	// syscall.Setresuid would change all threads.
	if _, _, errno := syscall.RawSyscall(setresuid, same, uintptr(uid), same); errno != 0 {
		runtime.UnlockOSThread()
		return unix.EPERM
	}
	err := unix.Kill(pid, sig)
	if _, _, errno := syscall.RawSyscall(setresuid, same, uintptr(before), same); errno == 0 {
		runtime.UnlockOSThread() // else the thread is fit for nothing else
	}
	return err
}
