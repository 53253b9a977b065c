package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

// A child of a bare fork has one thread, and a Go runtime that expects several. If it allocated, grew
// its stack or yielded, it would wait for ever for a thread that does not exist. So all code that runs
// in a child is go:nosplit and only calls the kernel.

var (
	one            = [1]byte{'1'}
	readyR, readyW uintptr // each process of the tree writes one byte once it is complete
	startR, startW uintptr // closed when the tree has been reported as ready
	pace           int64   // how long each line of a bomb sleeps between its forks, in ns; 0: not at all
	deadline       int64   // when a bomb ends by itself, by the monotonic clock, in ns
	standard       = sigaction{}
	ignore         = sigaction{handler: 1}
	here           byte
)

const (
	lastSignal      = 64
	clockMonotonic  = 1
	statusOnFailure = 71
	statusOnLack    = 69
	gaveUp          = 0x80
	far             = 16 << 20 // more than the size of the program's own text and data
)

// sigaction is the kernel's struct. Handler 0 is the default action, 1 ignores the signal.
type sigaction struct{ handler, flags, restorer, mask uintptr }

//go:nosplit
func raw(call, a, b, c uintptr) (uintptr, syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(call, a, b, c, 0, 0, 0)
	return r, errno
}

//go:nosplit
func raw6(call, a, b, c, d, e, f uintptr) (uintptr, syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(call, a, b, c, d, e, f)
	return r, errno
}

//go:nosplit
func fork() int {
	pid, errno := clone(uintptr(syscall.SIGCHLD))
	if errno != 0 {
		giveUp(errno)
	}
	return int(pid)
}

// clone makes a child with these flags and this exit signal. The pid is 0 in the child.
//
//go:nosplit
func clone(flags uintptr) (pid uintptr, errno syscall.Errno) {
	a, b := cloneArgs(flags)
	for {
		pid, errno = raw(syscall.SYS_CLONE, a, b, 0)
		if errno != syscall.EAGAIN || now() > deadline { // at a limit on processes others must end first
			return pid, errno
		}
	}
}

// cloneArgs returns the first two arguments of clone(2): the flags and no stack. They have changed places on
// s390x.
//
//go:nosplit
func cloneArgs(flags uintptr) (a, b uintptr) {
	if runtime.GOARCH == "s390x" {
		return 0, flags
	}
	return flags, 0
}

// giveUp ends a process of the tree, and tells the main process why. The errors that can happen here are
// smaller than the bit.
//
//go:nosplit
func giveUp(errno syscall.Errno) {
	why := [1]byte{byte(errno) | gaveUp}
	raw(syscall.SYS_WRITE, readyW, uintptr(unsafe.Pointer(&why)), 1)
	exit(statusOnFailure)
}

//go:nosplit
func exit(status int) {
	for {
		raw(syscall.SYS_EXIT_GROUP, uintptr(status), 0, 0)
	}
}

//go:nosplit
func pause() {
	for {
		raw(syscall.SYS_PPOLL, 0, 0, 0)
	}
}

//go:nosplit
func nap(ns int64) {
	t := syscall.NsecToTimespec(ns)
	raw(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0)
}

// exists tells whether there is a process, be it a zombie.
//
//go:nosplit
func exists(pid uintptr) bool {
	_, errno := raw(syscall.SYS_KILL, pid, 0, 0)
	return errno == 0
}

//go:nosplit
func setsid() { raw(syscall.SYS_SETSID, 0, 0, 0) }

//go:nosplit
func setAll(action *sigaction) {
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		setOne(sig, action)
	}
}

//go:nosplit
func setOne(sig syscall.Signal, action *sigaction) {
	raw6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(action)), 0, 8, 0, 0)
}

//go:nosplit
func now() int64 {
	var t syscall.Timespec
	raw(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

//go:nosplit
func sayReady() {
	for {
		if _, errno := raw(syscall.SYS_WRITE, readyW, uintptr(unsafe.Pointer(&one)), 1); errno == 0 {
			return
		}
	}
}

// slim keeps the Go runtime's own tables out of what a fork copies. A child does not need them, and in
// a deep chain each mapping with pages of its own makes every further generation slower.
func slim() {
	here := uintptr(unsafe.Pointer(&here)) // data and bss are adjacent
	var local byte
	stack := uintptr(unsafe.Pointer(&local))
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		fail("%v", err)
	}
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		fmt.Sscanf(line, "%x-%x", &from, &to)
		needed := from <= here+far && here <= to+far || from <= stack && stack < to
		if !needed && !strings.Contains(line, "[") {
			raw(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTFORK)
		}
	}
}

func openPipes() {
	var ready, start [2]int
	if err := errors.Join(syscall.Pipe2(ready[:], syscall.O_CLOEXEC), syscall.Pipe2(start[:], syscall.O_CLOEXEC)); err != nil {
		fail("cannot make a pipe: %v", err)
	}
	readyR, readyW = uintptr(ready[0]), uintptr(ready[1])
	startR, startW = uintptr(start[0]), uintptr(start[1])
}

// awaitReady returns when n processes have reported that they are complete. It fails if one has given up.
func awaitReady(n int) {
	var buf [4096]byte
	for n > 0 {
		got, errno := raw(syscall.SYS_READ, readyR, uintptr(unsafe.Pointer(&buf)), uintptr(min(n, len(buf))))
		if errno == 0 {
			n -= int(got)
			for _, said := range buf[:got] {
				if said&gaveUp != 0 {
					refused(syscall.Errno(said &^ gaveUp))
				}
			}
		} else if errno != syscall.EINTR {
			fail("cannot read from the tree: %v", errno)
		}
	}
}

// awaitEOF returns when fd has ended or cannot be read.
func awaitEOF(fd uintptr) {
	var buf [64]byte
	for {
		n, errno := raw(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&buf)), uintptr(len(buf)))
		if errno != syscall.EINTR && (errno != 0 || n == 0) {
			return
		}
	}
}

//go:nosplit
func wait4(pid, options int) (errno syscall.Errno) {
	for {
		if _, errno = raw(syscall.SYS_WAIT4, uintptr(pid), 0, uintptr(options)); errno != syscall.EINTR {
			return errno
		}
	}
}

// needs is what the kernel must have and permit for this kind of tree, in words. It is empty for kinds
// that can be made everywhere.
var needs string

// refused ends the program, because the tree cannot be made here. A line on standard output says what the
// machine lacks, if the kind needs something that not every machine has.
func refused(why error) {
	if needs == "" {
		fail("cannot make the tree: %v", why)
	}
	fmt.Printf("missing %s: %v\n", needs, why)
	os.Exit(statusOnLack)
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "trees: "+format+"\n", args...)
	os.Exit(statusOnFailure)
}
