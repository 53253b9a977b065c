package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

//go:nosplit
func leafPlain(int) {
	sayReady()
	pause()
}

//go:nosplit
func leafSetsid(int) {
	setsid()
	sayReady()
	pause()
}

// grow makes n children of this process. Each runs leaf, which must be go:nosplit.
func grow(n int, leaf func(i int)) {
	for i := range n {
		if fork() == 0 {
			leaf(i)
		}
	}
	awaitReady(n)
}

// daemons makes n processes as daemon(3) does: each has a session of its own and is an orphan.
func daemons(n int) {
	for range n {
		pid := fork()
		if pid == 0 {
			setsid()
			if fork() == 0 {
				leafPlain(0)
			}
			exit(0)
		}
		wait4(pid, 0)
	}
	awaitReady(n)
}

// link is the number of generations after which a chain executes itself anew. A fork takes longer with
// each generation that its memory was inherited through: a chain of 2,000 would take half a minute.
const link = 200

// next is the command line that the last process of a link executes. It is not on the heap, because a
// child may lack parts of that.
var next struct {
	text [4096]byte
	args [32]uintptr // into text; the first is the path; 0 ends them
}

// chain makes n processes, each the child of the one before.
func chain(n int) {
	prepareNext(n)
	if fork() == 0 {
		leafChain(n)
	}
	awaitReady(n)
}

// joinChain continues a chain. This process is the first of the n that are missing.
func joinChain(n int) {
	prepareNext(n)
	leafChain(n)
}

//go:nosplit
func leafChain(n int) {
	for left := n - 1; left > 0 && fork() == 0; left-- {
		if n-left == link {
			raw(syscall.SYS_EXECVE, next.args[0], uintptr(unsafe.Pointer(&next.args)), 0)
			exit(statusOnFailure)
		}
	}
	leafPlain(0)
}

// prepareNext fills in next for a chain that is still n processes long.
func prepareNext(n int) {
	if n > link {
		prepareExec("chain", n-link)
	}
}

// prepareExec fills in next for this program, with a kind and a size.
func prepareExec(kind string, n int) {
	path, err := os.Executable()
	if err != nil {
		fail("%v", err)
	}
	raw(syscall.SYS_FCNTL, readyW, syscall.F_SETFD, 0)
	args := append([]string{path, kind, strconv.Itoa(n)}, os.Args[3:]...)
	if !slices.Contains(args, "--join") {
		args = append(args, "--join", strconv.Itoa(int(readyW)))
	}
	text := strings.Join(args, "\x00")
	if len(args) >= len(next.args) || len(text) >= len(next.text) {
		fail("the command line is too long to be executed again")
	}
	copy(next.text[:], text)
	for i, at := 0, 0; i < len(args); i++ {
		next.args[i] = uintptr(unsafe.Pointer(&next.text[at]))
		at += len(args[i]) + 1
	}
}

// headless makes n children whose first thread has ended, while another lives. They ignore signals.
func headless(n int) {
	prepareExec("headless", 1)
	grow(n, leafHeadless)
}

//go:nosplit
func leafHeadless(int) {
	raw(syscall.SYS_EXECVE, next.args[0], uintptr(unsafe.Pointer(&next.args)), 0)
	exit(statusOnFailure)
}

// joinHeadless makes this process one of them.
func joinHeadless() {
	setAll(ignore)
	go func() {
		runtime.LockOSThread()
		for !firstThreadHasEnded() {
			nap(1_000_000)
		}
		sayReady()
		pause()
	}()
	raw(syscall.SYS_EXIT, 0, 0, 0) // of this thread, which is the first
}

func firstThreadHasEnded() bool {
	stat, _ := os.ReadFile("/proc/self/stat")
	return bytes.Contains(stat, []byte(") Z "))
}

// stopped makes n children, which are stopped when it returns.
func stopped(n int) {
	grow(n, leafStopped)
	for range n {
		if errno := wait4(-1, syscall.WUNTRACED); errno != 0 {
			fail("cannot wait for a stopped child: %v", errno)
		}
	}
}

//go:nosplit
func leafStopped(int) {
	sayReady()
	self, _ := raw(syscall.SYS_GETPID, 0, 0, 0)
	raw(syscall.SYS_KILL, self, uintptr(syscall.SIGSTOP), 0)
	pause()
}

// bomb makes n lines of processes that fork and exit for ever, so that a snapshot of the tree is out of
// date before it is complete. The lines wait for their start until all of them exist. Once they run,
// the main process gets hardly any time. So the first line prints "ready", when it has begun to replace
// itself.
func bomb(n int) {
	// The first process of each line is a child of this one, which does not wait for it.
	setOne(syscall.SIGCHLD, ignore)
	grow(n, leafBomb)
}

var readyLine = [...]byte{'r', 'e', 'a', 'd', 'y', '\n'}

// lag is how many generations a line may be ahead of the process that reaps it. Without it the bomb
// would be bounded only by the number of pids of the machine.
const lag = 8

//go:nosplit
func leafBomb(i int) {
	if i%2 == 0 {
		setsid()
	}
	sayReady()
	raw(syscall.SYS_CLOSE, startW, 0, 0)
	raw(syscall.SYS_READ, startR, uintptr(unsafe.Pointer(&one)), 1)
	var ancestors [lag]uintptr
	for generation := 0; now() < deadline; generation++ {
		if i == 0 && generation == 2 {
			raw(syscall.SYS_WRITE, 1, uintptr(unsafe.Pointer(&readyLine)), uintptr(len(readyLine)))
		}
		old := &ancestors[generation%lag]
		for *old != 0 && exists(*old) && now() < deadline {
			nap(100_000)
		}
		if pace > 0 {
			nap(pace)
		}
		*old, _ = raw(syscall.SYS_GETPID, 0, 0, 0)
		if fork() != 0 {
			exit(0)
		}
	}
	exit(0)
}

// orphans makes n processes that end as orphans, as fast as one process can. The kernel reaps their
// parents, because SIGCHLD is ignored. It prints its progress, which can be slow on a busy machine, and
// "half" when half of them are born.
func orphans(n int) {
	setOne(syscall.SIGCHLD, ignore)
	for i := range n {
		if fork() == 0 {
			fork()
			exit(0)
		}
		switch {
		case i == n/2:
			fmt.Println("half")
		case i%1000 == 999:
			fmt.Println("so far", i+1)
		}
	}
	wait4(-1, 0) // fails with ECHILD when the last parent has ended
}

// nestedIn has a descriptor of the cgroup.procs of each cgroup that nested has made.
var nestedIn [8]uintptr

// nested makes cgroups below its own, two deep, and n children spread over them.
func nested(n int) {
	own := ownCgroup()
	for i := range nestedIn {
		dir := filepath.Join(own, "nest."+string(rune('0'+i)), "inner")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			fail("%v", err)
		}
		fd, err := syscall.Open(filepath.Join(dir, "cgroup.procs"), syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			fail("cannot open cgroup.procs in %s: %v", dir, err)
		}
		nestedIn[i] = uintptr(fd)
	}
	grow(n, leafNested)
}

var itself = [1]byte{'0'}

//go:nosplit
func leafNested(i int) {
	if _, errno := raw(syscall.SYS_WRITE, nestedIn[i&7], uintptr(unsafe.Pointer(&itself)), 1); errno != 0 {
		exit(statusOnFailure)
	}
	leafPlain(0)
}

// ownCgroup returns the directory of this process' cgroup2.
func ownCgroup() string {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	own, _ := os.ReadFile("/proc/self/cgroup")
	_, path, _ := strings.Cut("\n"+string(own), "\n0::")
	path, _, _ = strings.Cut(path, "\n")
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		if fields := strings.Fields(before); strings.HasPrefix(after, "cgroup2 ") {
			below, err := filepath.Rel(fields[3], path)
			if err == nil && !strings.HasPrefix(below, "..") {
				return filepath.Join(fields[4], below)
			}
		}
	}
	fail("no cgroup2 mount shows %q", path)
	return ""
}
