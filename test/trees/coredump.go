package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dumped is how much memory a process that dumps core has. Nearly all of it has never been used, so it
// takes no room in the memory or in the file, but the kernel looks at each page of it. Linux 6.1 does so to
// the end even if the process is killed meanwhile: more would take longer than cginit waits.
// It is 512 GiB; 512 MiB in an address space of 32 bits.
const dumped = 1 << (19 + strconv.IntSize/32*10)

// coreDumps makes n children that are writing core dumps into files below the current directory, which
// takes some 20 seconds. All but the main process ignore signals.
func coreDumps(n int) {
	needs = "core dumps into files"
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil {
		refused(err)
	}
	if strings.ContainsAny(string(pattern), "|@/") { // to a program, to a socket, or to somewhere else
		refused(errors.New("core_pattern is " + strings.TrimSpace(string(pattern))))
	}
	most := syscall.Rlimit{Cur: ^uint64(0), Max: ^uint64(0)}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &most); err != nil {
		refused(err)
	}
	for _, pid := range growAs(n, uintptr(syscall.SIGCHLD), leafCoreDump) {
		for isDumping := false; !isDumping; nap(1_000_000) {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil || bytes.Contains(status, []byte("(zombie)")) {
				fail("a core dump has ended at once")
			}
			isDumping = bytes.Contains(status, []byte("CoreDumping:\t1")) // since Linux 4.15
		}
	}
}

//go:nosplit
func leafCoreDump(i int) {
	setAll(&ignore)
	// All dumps may have the same name, and of two that begin at the same time one would fail.
	dir := [3]byte{'a' + byte(i/26), 'a' + byte(i%26)}
	cwd := unix.AT_FDCWD
	raw(syscall.SYS_MKDIRAT, uintptr(cwd), uintptr(unsafe.Pointer(&dir)), 0o700)
	must(raw(syscall.SYS_CHDIR, uintptr(unsafe.Pointer(&dir)), 0, 0))
	const protection, flags = syscall.PROT_READ | syscall.PROT_WRITE, syscall.MAP_PRIVATE | syscall.MAP_ANONYMOUS | syscall.MAP_NORESERVE
	memory := must(raw6(syscall.SYS_MMAP, 0, dumped, protection, flags, ^uintptr(0), 0))
	raw(syscall.SYS_MADVISE, memory, dumped, unix.MADV_NOHUGEPAGE)
	// The kernel writes the time there. Memory that was never used at all is not dumped.
	must(raw(syscall.SYS_CLOCK_GETTIME, clockMonotonic, memory, 0))
	sayReady()
	setOne(syscall.SIGABRT, &standard)
	self, _ := raw(syscall.SYS_GETPID, 0, 0, 0)
	raw(syscall.SYS_KILL, self, uintptr(syscall.SIGABRT), 0)
	exit(statusOnFailure)
}
