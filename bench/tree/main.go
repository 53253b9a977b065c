// Command tree makes the processes that an init has to deal with in the benchmark.
//
//	tree bomb N      N processes that never sleep; every other one forks and exits as fast as it can
//	tree orphans N   N processes that end as orphans, as fast as one process can make them
//
// Every process of a bomb is deaf to SIGTERM and has a session of its own. It prints "ready" when
// all exist and are about to begin, and ends by itself after a minute. Orphans prints "begin", and
// "done" when the last orphan was reaped.
//
// A process of a tree is a bare fork of this program, which has one thread where Go's runtime expects
// several. So all that runs in a child is go:nosplit and only calls the kernel.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

const (
	// orphanLag is how many orphans may wait to be reaped.
	orphanLag      = 2048
	bombSpan       = 60e9 // ns
	clockMonotonic = 1
)

var (
	startR   uintptr // the lines of a bomb wait until this pipe ends
	startW   uintptr
	deadline int64
	here     byte
)

// The storage of the main thread is in the program's data, which a fork copies. So stay on that thread.
func init() { runtime.LockOSThread() }

func main() {
	n := 0
	if len(os.Args) == 3 {
		n, _ = strconv.Atoi(os.Args[2])
	}
	if n < 1 {
		fail("usage: tree bomb|orphans N")
	}
	debug.SetGCPercent(-1)
	// The kernel reaps the children of this process.
	setAction(syscall.SIGCHLD, 1)
	slim()
	switch os.Args[1] {
	case "bomb":
		bomb(n)
	case "orphans":
		orphans(n)
	default:
		fail("usage: tree bomb|orphans N")
	}
}

// bomb starts n processes and sleeps. A process that is to replace itself waits until the one before it
// was reaped, so that the bomb never has more than n processes that live and half as many zombies.
func bomb(n int) {
	var start [2]int
	if err := syscall.Pipe2(start[:], syscall.O_CLOEXEC); err != nil {
		fail(err)
	}
	startR, startW = uintptr(start[0]), uintptr(start[1])
	deadline = now() + bombSpan
	setAction(syscall.SIGTERM, 1)
	for i := range n {
		if fork() == 0 {
			line(i)
		}
	}
	fmt.Println("ready") // now, because there is hardly any time for it later
	_, _ = raw(syscall.SYS_CLOSE, startW, 0, 0)
	for {
		nap(999_999_999)
	}
}

// line is process i of the bomb and all that come after it in its place.
//
//go:nosplit
func line(i int) {
	_, _ = raw(syscall.SYS_CLOSE, startW, 0, 0)
	var none byte
	_, _ = raw(syscall.SYS_READ, startR, uintptr(unsafe.Pointer(&none)), 1)
	var predecessor uintptr
	for now() < deadline {
		_, _ = raw(syscall.SYS_SETSID, 0, 0, 0)
		for (i%2 == 1 || predecessor != 0 && exists(predecessor)) && now() < deadline {
		}
		predecessor, _ = raw(syscall.SYS_GETPID, 0, 0, 0)
		if fork() != 0 {
			exit(0)
		}
	}
	exit(0)
}

// orphans makes n orphans. The pid of each is in a memory that all share.
func orphans(n int) {
	shared, err := syscall.Mmap(-1, 0, 4*n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_ANONYMOUS)
	if err != nil {
		fail(err)
	}
	pids := unsafe.Slice((*uint32)(unsafe.Pointer(&shared[0])), n)
	fmt.Println("begin")
	for i := range n {
		if i >= orphanLag {
			awaitEnd(&pids[i-orphanLag])
		}
		if pid := &pids[i]; fork() == 0 {
			orphan := fork()
			if orphan == 0 {
				exit(0)
			}
			*pid = orphan
			exit(0)
		}
	}
	for i := max(0, n-orphanLag); i < n; i++ {
		awaitEnd(&pids[i])
	}
	fmt.Println("done")
}

// awaitEnd returns when there is no process of this pid any more, not even a zombie.
func awaitEnd(pid *uint32) {
	for *pid == 0 || exists(uintptr(*pid)) {
		nap(100_000)
	}
}

//go:nosplit
func raw(call, a, b, c uintptr) (uintptr, syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(call, a, b, c, 0, 0, 0)
	return r, errno
}

// fork returns 0 in the child. At a limit on processes it waits until others have ended.
//
//go:nosplit
func fork() uint32 {
	for {
		pid, errno := raw(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
		if errno == 0 {
			return uint32(pid)
		}
		nap(100_000)
	}
}

//go:nosplit
func exit(status uintptr) {
	for {
		_, _ = raw(syscall.SYS_EXIT_GROUP, status, 0, 0)
	}
}

//go:nosplit
func exists(pid uintptr) bool {
	_, errno := raw(syscall.SYS_KILL, pid, 0, 0)
	return errno == 0
}

//go:nosplit
func nap(ns int64) {
	t := syscall.NsecToTimespec(ns)
	_, _ = raw(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0)
}

//go:nosplit
func now() int64 {
	var t syscall.Timespec
	_, _ = raw(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

// setAction sets the default action of a signal, or with 1 ignores it.
func setAction(sig syscall.Signal, handler uintptr) {
	action := struct{ handler, flags, restorer, mask uintptr }{handler: handler}
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

// slim keeps the tables of Go's runtime out of what a fork copies: only this program's data and the
// stack are needed.
func slim() {
	const far = 16 << 20 // more than the size of the program's text and data
	var local byte
	data, stack := uintptr(unsafe.Pointer(&here)), uintptr(unsafe.Pointer(&local))
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		fail(err)
	}
	for one := range strings.Lines(string(maps)) {
		var from, to uintptr
		_, _ = fmt.Sscanf(one, "%x-%x", &from, &to)
		needed := from <= data+far && data <= to+far || from <= stack && stack < to
		if !needed && !strings.Contains(one, "[") {
			_, _ = raw(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTFORK)
		}
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, "tree:", why)
	os.Exit(1)
}
