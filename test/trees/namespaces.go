package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// innerPidns makes n processes in a PID namespace of their own: its process 1, and the children of that.
// They ignore signals.
func innerPidns(n int) {
	needs = "a PID namespace in the job"
	pid, errno := clone(permitted(unix.CLONE_NEWPID) | uintptr(syscall.SIGCHLD))
	if errno != 0 {
		refused(errno)
	}
	if pid == 0 {
		leafInit(n)
	}
	awaitReady(n)
}

//go:nosplit
func leafInit(n int) {
	setAll(&ignore)
	for ; n > 1; n-- {
		if fork() == 0 {
			leafPlain(0)
		}
	}
	leafPlain(0)
}

// innerUserns makes n children, each in a user namespace of its own that maps no uid. They ignore
// signals.
func innerUserns(n int) {
	needs = "a user namespace in the job"
	growAs(n, unix.CLONE_NEWUSER|uintptr(syscall.SIGCHLD), leafDeaf)
}

// innerCgroupns makes n children, each in a cgroup namespace of its own. They ignore signals.
func innerCgroupns(n int) {
	needs = "a cgroup namespace in the job"
	growAs(n, permitted(unix.CLONE_NEWCGROUP)|uintptr(syscall.SIGCHLD), leafDeaf)
}

// permitted adds a user namespace to flags that make other namespaces, if they need a capability that
// this process lacks.
func permitted(flags uintptr) uintptr {
	pid, errno := clone(flags | uintptr(syscall.SIGCHLD))
	switch {
	case errno == syscall.EPERM:
		return flags | unix.CLONE_NEWUSER
	case errno != 0:
		refused(errno)
	case pid == 0:
		exit(0)
	}
	wait4(int(pid), 0)
	return flags
}
