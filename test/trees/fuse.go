package main

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The FUSE protocol (include/uapi/linux/fuse.h).
const (
	fuseLookup = 1
	fuseMajor  = 7
	fuseMinor  = 31
	// fuseParallel lets the kernel look up several names of a directory at the same time.
	fuseParallel = 1 << 18
	fuseMaxWrite = 4096
)

// fuseFD is the server's descriptor of the device.
const fuseFD = 100

// server is what the server of the file system needs. All strings are prepared before the fork.
var server struct {
	device, top, at, kind, options   uintptr
	setgroups, uids, gids            uintptr
	deny, uid, gid                   uintptr
	denyLength, uidLength, gidLength uintptr
	mapsIDs                          bool

	request [4096]uint64
	answer  [10]uint64
	file    [len(fuseMount) + 4]byte
}

// fuseMount is where the file system is mounted: in a mount namespace of the job's own, over a directory
// that every machine has.
const fuseMount = "/tmp"

// fuse makes n processes. The first serves a FUSE file system and never answers, once that is mounted. The
// others are its children, and each waits for an answer. After a signal that ends it such a process waits
// on, in state D, until the server has died as well. They ignore signals.
func fuse(n int) {
	needs = "a FUSE file system in the job"
	s := &server
	flags := permitted(unix.CLONE_NEWNS)
	s.mapsIDs = flags&unix.CLONE_NEWUSER != 0
	s.device, s.top, s.at, s.kind = place("/dev/fuse"), place("/"), place(fuseMount), place("fuse")
	s.options = place(fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fuseFD))
	s.setgroups, s.uids, s.gids = place("/proc/self/setgroups"), place("/proc/self/uid_map"), place("/proc/self/gid_map")
	sized := func(text string) (at, length uintptr) { return place(text), uintptr(len(text)) }
	s.deny, s.denyLength = sized("deny")
	s.uid, s.uidLength = sized(fmt.Sprintf("0 %d 1", os.Geteuid()))
	s.gid, s.gidLength = sized(fmt.Sprintf("0 %d 1", os.Getegid()))
	copy(s.file[:], fuseMount+"/")
	pid, errno := clone(flags | uintptr(syscall.SIGCHLD))
	if errno != 0 {
		refused(errno)
	}
	if pid == 0 {
		leafServer(n - 1)
	}
	awaitReady(n)
}

//go:nosplit
func leafServer(clients int) {
	setAll(&ignore)
	mountFuse()
	readRequest() // FUSE_INIT
	s := &server
	s.answer = [10]uint64{
		uint64(unsafe.Sizeof(s.answer)), s.request[1], // the request's number
		fuseMajor | fuseMinor<<32, fuseParallel << 32, fuseMaxWrite << 32,
	}
	must(raw(syscall.SYS_WRITE, fuseFD, uintptr(unsafe.Pointer(&s.answer)), unsafe.Sizeof(s.answer)))
	for i := range clients {
		if fork() == 0 {
			leafClient(i)
		}
	}
	sayReady()
	for {
		readRequest()
		if uint32(s.request[0]>>32) == fuseLookup {
			sayReady() // for the client
		}
	}
}

// leafClient opens a file of its own. It must not have the device open: then that would never be closed,
// and its request would wait for ever.
//
//go:nosplit
func leafClient(i int) {
	raw(syscall.SYS_CLOSE, fuseFD, 0, 0)
	s := &server
	s.file[len(fuseMount)+1], s.file[len(fuseMount)+2] = 'a'+byte(i/26), 'a'+byte(i%26)
	_, errno := raw6(syscall.SYS_OPENAT, 0, uintptr(unsafe.Pointer(&s.file)), syscall.O_RDONLY, 0, 0, 0)
	giveUp(errno)
}

//go:nosplit
func readRequest() {
	for {
		_, errno := raw(syscall.SYS_READ, fuseFD, uintptr(unsafe.Pointer(&server.request)), unsafe.Sizeof(server.request))
		switch errno {
		case 0:
			return
		case syscall.EINTR, syscall.EAGAIN, syscall.ENOENT: // ENOENT: the request was withdrawn
		default:
			giveUp(errno)
		}
	}
}

// mountFuse mounts the file system, which it opens as fuseFD, in the mount namespace of this process.
//
//go:nosplit
func mountFuse() {
	s := &server
	if s.mapsIDs {
		writeFile(s.setgroups, s.deny, s.denyLength)
		writeFile(s.uids, s.uid, s.uidLength)
		writeFile(s.gids, s.gid, s.gidLength)
	}
	must(raw6(syscall.SYS_MOUNT, 0, s.top, 0, syscall.MS_REC|syscall.MS_PRIVATE, 0, 0))
	fd := must(raw6(syscall.SYS_OPENAT, 0, s.device, syscall.O_RDWR, 0, 0, 0))
	must(raw(syscall.SYS_DUP3, fd, fuseFD, 0))
	raw(syscall.SYS_CLOSE, fd, 0, 0)
	must(raw6(syscall.SYS_MOUNT, s.kind, s.at, s.kind, syscall.MS_NOSUID|syscall.MS_NODEV, s.options, 0))
}

//go:nosplit
func writeFile(path, text, length uintptr) {
	fd := must(raw6(syscall.SYS_OPENAT, 0, path, syscall.O_WRONLY, 0, 0, 0))
	must(raw(syscall.SYS_WRITE, fd, text, length))
	raw(syscall.SYS_CLOSE, fd, 0, 0)
}

// must gives up if a system call has failed, and otherwise returns its result.
//
//go:nosplit
func must(result uintptr, errno syscall.Errno) uintptr {
	if errno != 0 {
		giveUp(errno)
	}
	return result
}
