package proctree

import (
	"runtime"
	"syscall"

	"github.com/cginit/cginit/internal/ids"
	"golang.org/x/sys/unix"
)

// pidEveryone makes kill(2) signal every process that the caller may signal, except the caller.
const pidEveryone = -1

// killer signals all processes of a job that has a uid to itself, by kill(-1). The kernel does
// that under the lock that every fork takes, so no fork slips past.
//
// It is a thread of the holder. It is made before the job, so that it needs no fork when the job
// has taken all pids. The holder's first thread keeps the supervisor's credentials, and those count
// when the job signals the holder. The credentials of this thread are these:
//
//   - Its effective uid is the job's, so that the kernel lets it signal the job.
//   - Its real and saved uids are nobody's, so that the job cannot signal this thread.
//   - It has no capabilities, with which it would signal everyone.
type killer struct {
	orders chan unix.Signal
	done   chan error
}

// startKiller starts the killer of a job with the uid job. nobody is a uid that no process has.
// The error is that of the change of credentials.
func startKiller(job, nobody uint32) (*killer, error) {
	k := &killer{orders: make(chan unix.Signal), done: make(chan error)}
	go k.run(job, nobody)
	return k, <-k.done
}

// signal signals all processes of the job and returns when that is done.
func (k *killer) signal(sig unix.Signal) {
	k.orders <- sig
	<-k.done
}

// run is the thread of the killer. It first answers whether the change of credentials succeeded,
// and then each order.
func (k *killer) run(job, nobody uint32) {
	runtime.LockOSThread() // and never unlocked: with these uids the thread is fit for nothing else
	err := disguise(job, nobody)
	k.done <- err
	if err != nil {
		return
	}
	for sig := range k.orders {
		k.done <- killEveryone(job, nobody, sig)
	}
}

// disguise changes the uids and the capabilities of this thread. syscall.Setresuid would change
// those of all threads.
func disguise(job, nobody uint32) error {
	_, _, errno := syscall.RawSyscall(ids.SetResUID, uintptr(nobody), uintptr(job), uintptr(nobody))
	if errno != 0 {
		return errno
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}

// killEveryone calls kill(-1). It checks the credentials of the thread again before, and returns
// EPERM if they are not those of disguise: with others it would kill the container.
func killEveryone(job, nobody uint32, sig unix.Signal) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	real, effective, saved := ids.Getresuid()
	err := unix.Capget(&header, &has[0])
	if err != nil || has[0].Effective != 0 || has[1].Effective != 0 ||
		real != nobody || effective != job || saved != nobody || job == 0 || nobody == 0 {
		return unix.EPERM
	}
	return unix.Kill(pidEveryone, sig)
}
