package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the kernel calls these (include/uapi/linux/userfaultfd.h and io_uring.h).
const (
	uffdAPI          = 0xAA
	uffdUserModeOnly = 1
	uffdioAPI        = 0xC018AA3F
	uffdioRegister   = 0xC020AA00
	uffdMissing      = 1
	ringSQPoll       = 2
)

const pageSize = 1 << 16 // of the largest pages that Linux is built with

// absent has one whole page that nobody provides. Nothing else may use it.
var absent [2 * pageSize]byte

// pageFaults makes n children that are in a page fault which nobody resolves. They ignore signals.
func pageFaults(n int) {
	needs = "userfaultfd"
	grow(n, leafPageFault)
}

//go:nosplit
func leafPageFault(int) {
	setAll(&ignore)
	// Without this flag the kernel may demand CAP_SYS_PTRACE (since Linux 5.11).
	fd, errno := raw(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|uffdUserModeOnly, 0, 0)
	if errno != 0 {
		giveUp(errno)
	}
	api := [3]uint64{uffdAPI}
	if _, errno := raw(syscall.SYS_IOCTL, fd, uffdioAPI, uintptr(unsafe.Pointer(&api))); errno != 0 {
		giveUp(errno)
	}
	from := uintptr(unsafe.Pointer(&absent))
	skip := -from % pageSize
	register := [4]uint64{uint64(from + skip), pageSize, uffdMissing}
	if _, errno := raw(syscall.SYS_IOCTL, fd, uffdioRegister, uintptr(unsafe.Pointer(&register))); errno != 0 {
		giveUp(errno)
	}
	raw(syscall.SYS_MADVISE, from+skip, pageSize, syscall.MADV_DONTNEED)
	sayReady()
	absent[skip] = 1
	exit(statusOnFailure)
}

// ringIdle is how long the kernel's thread looks for work before it sleeps, in milliseconds.
const ringIdle = 1

// polledRings makes n children that each have an io_uring with a thread of the kernel's, which belongs to
// the process. They ignore signals.
func polledRings(n int) {
	needs = "io_uring with a thread of the kernel's"
	grow(n, leafPolledRing)
}

//go:nosplit
func leafPolledRing(int) {
	setAll(&ignore)
	var params [30]uint32 // struct io_uring_params
	params[2], params[4] = ringSQPoll, ringIdle
	if _, errno := raw(unix.SYS_IO_URING_SETUP, 8, uintptr(unsafe.Pointer(&params)), 0); errno != 0 {
		giveUp(errno)
	}
	leafPlain(0)
}
