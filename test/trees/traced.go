package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// traced makes n children in pairs: the second traces the first, and never waits for it. A traced process
// stops when it is sent a signal, also one that it ignores, and before it exits. All but the main process
// ignore signals.
func traced(n int) {
	needs = "ptrace of a sibling"
	grow(n, leafTraced)
}

//go:nosplit
func leafTraced(i int) {
	setAll(&ignore)
	if i%2 == 0 {
		// With Yama others than the parent may trace only whom permits it.
		raw(syscall.SYS_PRCTL, unix.PR_SET_PTRACER, unix.PR_SET_PTRACER_ANY, 0)
		leafPlain(0)
	}
	for {
		_, errno := raw6(syscall.SYS_PTRACE, unix.PTRACE_SEIZE, youngest, 0, unix.PTRACE_O_TRACEEXIT, 0, 0)
		if errno == 0 {
			leafPlain(0)
		}
		if errno != syscall.EPERM || now() > deadline {
			giveUp(errno)
		}
		nap(1_000_000)
	}
}
