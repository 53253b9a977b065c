package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// noExitSignal makes n processes whose end sends no signal, so that only a parent that waits with __WALL
// or __WCLONE sees it. Half of them are orphans. Their parents, which are such processes too, stay
// zombies, because the main process does not wait. All but the main process ignore signals.
func noExitSignal(n int) {
	for i, pid := range growAs(n, 0, leafNoExitSignal) {
		if i%2 == 1 {
			awaitEnd(pid)
		}
	}
}

// awaitEnd returns when a child has ended, which it leaves a zombie.
func awaitEnd(pid uintptr) {
	const byPid, options = 1, unix.WEXITED | unix.WNOWAIT | unix.WALL
	for {
		_, errno := raw6(syscall.SYS_WAITID, byPid, pid, 0, options, 0, 0)
		if errno == 0 {
			return
		}
		if errno != syscall.EINTR {
			fail("cannot wait for a child: %v", errno)
		}
	}
}

//go:nosplit
func leafNoExitSignal(i int) {
	if i%2 == 1 {
		pid, errno := clone(0)
		if errno != 0 {
			giveUp(errno)
		}
		if pid != 0 {
			exit(0)
		}
	}
	leafDeaf(0)
}

// cloneParent makes n siblings of the main process: children of whoever has started it. They ignore
// signals.
func cloneParent(n int) {
	growAs(n, unix.CLONE_PARENT|uintptr(syscall.SIGCHLD), leafDeaf)
}

// vforks makes n processes in pairs: a parent that is in vfork(2), and its child, which never executes
// anything. The parent is in state D until then. A last process without a pair is an ordinary one. They
// ignore signals.
func vforks(n int) {
	setAll(&ignore)
	pairs := n / 2
	for range pairs {
		if fork() == 0 {
			leafVfork()
		}
	}
	if n%2 == 1 && fork() == 0 {
		leafPlain(0)
	}
	setAll(&standard)
	awaitReady(pairs + n%2)
}

// leafVfork calls vfork, and goes on as the child. The child has the stack of its parent, so all of its
// system calls are made at the same place in the code: the parent must find its return addresses there
// if it outlives the child.
//
//go:nosplit
func leafVfork() {
	call, c := uintptr(syscall.SYS_CLONE), uintptr(0)
	a, b := cloneArgs(unix.CLONE_VM | unix.CLONE_VFORK | uintptr(syscall.SIGCHLD))
	for {
		r, errno := raw(call, a, b, c)
		switch {
		case errno != 0: // try again
		case r > 1: // the parent has the pid of its child
			exit(statusOnFailure)
		case call == syscall.SYS_CLONE:
			call, a, b, c = syscall.SYS_WRITE, readyW, uintptr(unsafe.Pointer(&one)), 1
		default:
			call, a, b, c = syscall.SYS_PPOLL, 0, 0, 0
		}
	}
}
