package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A child of a bare fork has one thread, and a Go runtime that expects several. If it allocated, grew its
// stack or yielded, it would wait for ever for a thread that does not exist. So all code that runs in a child
// is go:nosplit and only calls the kernel.

// The bomb has n slots in memory that all of its processes share. Each holds the pid of the process that fills
// it. A process that finds an empty slot, or one whose process has been reaped, forks another process for
// it, so the bomb grows to n processes and grows again while it is killed, but never beyond n and as many that
// are dead. What is in a slot with an even number forks a successor as soon as its predecessor has been
// reaped, and exits; what is in one with an odd number stays.
var (
	slots    []int32 // the pids
	filled   *int32  // how many slots have been filled once
	sessions bool    // each process leads a session of its own
	ends     int64   // when every process ends by itself, by the monotonic clock, in ns
	here     byte
)

// lifetime bounds the life of a bomb that nobody ends.
const lifetime = 90 * time.Second

// explode is the program of the bomb. It says when it waits for a line on its standard input, and again when n
// processes live.
func explode(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of processes", args[0])
	}
	sessions = len(args) > 1 && args[1] == "sessions"
	memory, err := syscall.Mmap(-1, 0, 4*(n+1), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_ANON)
	if err != nil {
		return err
	}
	filled = (*int32)(unsafe.Pointer(&memory[0]))
	slots = unsafe.Slice((*int32)(unsafe.Pointer(&memory[4])), n)
	if err := slim(uintptr(unsafe.Pointer(&memory[0]))); err != nil {
		return err
	}
	os.Stdout.WriteString("waiting\n")
	var line [64]byte
	_, _ = os.Stdin.Read(line[:])
	ends = now() + int64(lifetime)
	for sig := uintptr(1); sig <= 64; sig++ {
		ignore := [4]uintptr{1}
		_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&ignore)), 0, 8, 0, 0)
	}
	live(-1, 0)
	return nil
}

var readyLine = [6]byte{'r', 'e', 'a', 'd', 'y', '\n'}

// live is the life of a process in a slot; -1 is the first process, which has none.
//
//go:nosplit
func live(slot int, predecessor int32) {
	self := int32(call(syscall.SYS_GETPID, 0, 0, 0))
	random := uint64(self)*0x9e3779b97f4a7c15 + 1
	for now() < ends {
		target := slot
		if slot >= 0 && slot%2 == 0 {
			if predecessor != 0 && exists(predecessor) {
				continue
			}
		} else {
			random ^= random << 13
			random ^= random >> 7
			random ^= random << 17
			target = int(random % uint64(len(slots)))
			before := atomic.LoadInt32(&slots[target])
			if before != 0 && exists(before) || !atomic.CompareAndSwapInt32(&slots[target], before, self) {
				continue
			}
			if before == 0 && int(atomic.AddInt32(filled, 1)) == len(slots) {
				call(syscall.SYS_WRITE, 1, uintptr(unsafe.Pointer(&readyLine)), uintptr(len(readyLine)))
			}
		}
		pid := fork()
		switch {
		case pid == 0:
			if sessions {
				call(syscall.SYS_SETSID, 0, 0, 0)
			}
			predecessor = 0
			if slot == target {
				predecessor = self
			}
			slot, self = target, int32(call(syscall.SYS_GETPID, 0, 0, 0))
			random += uint64(self)
		case pid > 0:
			atomic.StoreInt32(&slots[target], int32(pid))
			if target == slot {
				exit()
			}
		}
	}
	exit()
}

//go:nosplit
func call(number, a, b, c uintptr) uintptr {
	r, _, errno := syscall.RawSyscall(number, a, b, c)
	if errno != 0 {
		return ^uintptr(0)
	}
	return r
}

// fork returns the pid of the child, 0 in the child, and -1 if there is none.
//
//go:nosplit
func fork() int { return int(call(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)) }

//go:nosplit
func exit() {
	for {
		call(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// exists tells whether there is a process, be it dead. It is one that the bomb may signal.
//
//go:nosplit
func exists(pid int32) bool { return call(syscall.SYS_KILL, uintptr(pid), 0, 0) == 0 }

//go:nosplit
func now() int64 {
	const monotonic = 1
	var t syscall.Timespec
	call(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

// slim keeps the tables of the Go runtime out of what a fork copies.
func slim(shared uintptr) error {
	const far = 16 << 20 // more than the size of the program's own text and data
	var local byte
	keep, stack := uintptr(unsafe.Pointer(&here)), uintptr(unsafe.Pointer(&local))
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		_, _ = fmt.Sscanf(line, "%x-%x", &from, &to)
		isNeeded := from <= keep+far && keep <= to+far || from <= stack && stack < to || from <= shared && shared < to
		if !isNeeded && !strings.Contains(line, "[") {
			_, _, _ = syscall.RawSyscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTFORK)
		}
	}
	return nil
}
