// Package deliver sends signals also where kill(2) refuses them to us for lack of CAP_KILL: a thread takes
// the uid of the receiver for the moment, which needs CAP_SETUID. A container that starts as root and runs
// its command as another user has that one and often not the other.
package deliver

import (
	"runtime"
	"syscall"
	"unsafe"

	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/internal/ids"
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

// Everyone signals processes that kill(-1) may have been refused for, and leaves out the others of pids. A kill,
// a stop and a continuation reach all other processes of the same users too, in one instant for each user: to
// have them twice does nothing.
func Everyone(pids []int, sig syscall.Signal) {
	done := map[uint32]bool{}
	for _, pid := range pids {
		if unix.Kill(pid, 0) != unix.EPERM {
			continue
		}
		if sig != unix.SIGKILL && sig != unix.SIGSTOP && sig != unix.SIGCONT {
			_ = Signal(pid, sig)
			continue
		}
		if uid, err := proc.UID(pid); err == nil && !done[uid] {
			done[uid] = true
			_ = as(uid, everyone, sig)
		}
	}
}

// as calls kill(2) with the effective uid of another user. It returns EPERM if we may not take that.
func as(uid uint32, pid int, sig syscall.Signal) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and unlocked only if the thread is as it was: else it ends with this goroutine
		err, restored := disguised(uid, func() error { return unix.Kill(pid, sig) })
		if restored {
			runtime.UnlockOSThread()
		}
		result <- err
	}()
	return <-result
}

// disguised calls do with another effective uid of this thread. The real and the saved uid stay ours, so that
// the other user cannot signal the thread. The kernel takes the effective capabilities from it for that time and
// gives them back; what else it changes is put back here: whether the process is dumpable, and the signal that
// the thread gets when its parent ends.
func disguised(uid uint32, do func() error) (err error, restored bool) {
	const same = ^uintptr(0)
	_, before, _ := ids.Getresuid()
	dumpable, _ := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	var parentDies int32
	_ = unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&parentDies)), 0, 0, 0)
	// syscall.Setresuid would change all threads.
	if _, _, errno := syscall.RawSyscall(ids.SetResUID, same, uintptr(uid), same); errno != 0 {
		return unix.EPERM, true
	}
	err = do()
	_, _, errno := syscall.RawSyscall(ids.SetResUID, same, uintptr(before), same)
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, uintptr(dumpable), 0, 0, 0)
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(parentDies), 0, 0, 0)
	return err, errno == 0
}
