package proctree

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// everyone is what kill(2) takes for all that the caller may signal, itself left out.
const everyone = -1

// killer signals all of a job that has a uid to itself, by kill(-1): the kernel does that
// under the lock that every fork takes, so none slips past.
//
// It is a thread of the holder's, made before the job, so that it needs no fork when the job
// has taken all pids. Who a process is for kill(-1) and for the job that would signal it goes
// by its first thread, which is the holder's own. The effective uid of the killer's thread is
// the job's, for the kernel to let it reach the job; its real and saved ones are nobody's, for
// the job not to reach this thread either; and it gives up all capabilities, with which it
// would reach everything.
type killer struct {
	order chan unix.Signal
	done  chan error
}

func startKiller(job, nobody uint32) (*killer, error) {
	k := &killer{order: make(chan unix.Signal), done: make(chan error)}
	go k.run(job, nobody)
	return k, <-k.done
}

func (k *killer) signal(sig unix.Signal) {
	k.order <- sig
	<-k.done
}

func (k *killer) run(job, nobody uint32) {
	runtime.LockOSThread() // for good: this thread is not fit for anything else
	err := disguise(job, nobody)
	k.done <- err
	if err != nil {
		return
	}
	for sig := range k.order {
		k.done <- killEveryone(job, nobody, sig)
	}
}

// disguise changes this thread alone, which syscall.Setresuid would not.
func disguise(job, nobody uint32) error {
	_, _, errno := syscall.RawSyscall(unix.SYS_SETRESUID, uintptr(nobody), uintptr(job), uintptr(nobody))
	if errno != 0 {
		return errno
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}

// killEveryone looks again at who it is: to be wrong would kill the container.
func killEveryone(job, nobody uint32, sig unix.Signal) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	real, effective, saved := unix.Getresuid()
	err := unix.Capget(&header, &has[0])
	if err != nil || has[0].Effective != 0 || has[1].Effective != 0 ||
		uint32(real) != nobody || uint32(effective) != job || uint32(saved) != nobody || job == 0 || nobody == 0 {
		return unix.EPERM
	}
	return unix.Kill(everyone, sig)
}
