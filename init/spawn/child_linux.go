package spawn

import (
	"runtime"
	"syscall"
	"unsafe"

	"github.com/cginit/cginit/internal/birth"
	"github.com/cginit/cginit/internal/ids"
	"golang.org/x/sys/unix"
)

// child is what the new process needs until its exec. It is complete before the fork, and the child
// follows its pointers only.
type child struct {
	clone  cloneArgs
	copies bool // the child gets a copy of our memory; otherwise it uses ours until its exec
	// isEmulated says that CLONE_VFORK has no effect: qemu-user takes it for a fork. So the end of a pipe tells us
	// of the exec.
	isEmulated bool
	executed   [2]int
	born       bool  // in the cgroup of clone
	pid        int32 // set by the kernel before the child runs
	join       int
	session    bool
	group      bool
	score      []byte // for oom_score_adj
	files      [3]int
	via        [3]int // where files are on their way to 0, 1 and 2
	keep       []int
	closed     [][2]uintptr // ranges of descriptors
	user       bool
	uid        uintptr
	gid        uintptr
	groups     []uint32
	dir        *byte
	noFile     *birth.Limit // nil: it is right
	mask       uint64       // of signals: the kernel's sigset_t
	deaf       bool         // keeps all signals blocked
	path       *byte
	argv       **byte
	shell      **byte // the arguments with which /bin/sh gets a script without "#!"; nil for our own binary
	env        **byte
	report     *report
}

// report is what the child tells. It lies in memory that both of us see.
type report struct {
	alive, failed uint32 // 1: the child has run; it could not execute its program
	step, errno   uint32 // what has failed
}

// cloneArgs is the kernel's struct clone_args (since Linux 5.7, with cgroup).
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// The steps that can fail, as numbers in a report.
const (
	stepExec = iota
	stepJoin
	stepSession
	stepFiles
	stepUser
	stepDir
)

// EnterDir is the step that fails if the working directory is missing or closed to the user.
const EnterDir = "change to the working directory"

// steps has the words for them, to follow "cannot".
var steps = [...]string{
	stepExec: "", stepJoin: "join the cgroup", stepSession: "lead a session or process group",
	stepFiles: "arrange the descriptors", stepUser: "change the user", stepDir: EnterDir,
}

var (
	scoreFile = cString("/proc/self/oom_score_adj")
	shellFile = cString("/bin/sh")
	zero      = [1]byte{'0'}
)

// enterSyscallBlock and exitSyscall are those of Go's runtime. In between it goes on without this thread.
//
//go:linkname enterSyscallBlock runtime.entersyscallblock
func enterSyscallBlock()

//go:linkname exitSyscall runtime.exitsyscall
func exitSyscall()

// fork returns only in the parent, when the child has executed its program or has ended. The thread is
// suspended until then (CLONE_VFORK). Like the fork in package syscall, the child must not grow its stack,
// allocate, or be preempted.
//
//go:noinline
//go:norace
//go:nosplit
func fork(c *child) (errno uintptr) {
	enterSyscallBlock()
	// A handler of this process must not run in the child.
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&allSignals)), uintptr(unsafe.Pointer(&c.mask)), setSize, 0, 0)
	errno = forkHere(c)
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&c.mask)), 0, setSize, 0, 0)
	exitSyscall()
	return errno
}

// setSize is the size of the kernel's set of signals. allSignals is the set of all.
const setSize = 8

var allSignals = ^uint64(0)

// forkHere returns only in the parent. The child uses the stack below it alone.
//
//go:noinline
//go:norace
//go:nosplit
func forkHere(c *child) (errno uintptr) {
	var pid uintptr
	if c.born {
		pid, errno = vfork(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&c.clone)), unsafe.Sizeof(c.clone), 0)
	} else {
		flags, stack := uintptr(c.clone.flags|c.clone.exitSignal), uintptr(0)
		if runtime.GOARCH == "s390x" { // the two have changed places there
			flags, stack = stack, flags
		}
		pid, errno = vfork(unix.SYS_CLONE, flags, stack, uintptr(c.clone.parentTID))
	}
	if errno == 0 && pid == 0 {
		live(c)
	}
	if errno == 0 {
		c.pid = int32(pid) // qemu-user sets it only in the child
	}
	return errno
}

// live is what the child does. It never returns.
//
//go:noinline
//go:norace
//go:nosplit
func live(c *child) {
	c.report.alive = 1
	step, errno := become(c)
	c.report.step, c.report.errno = step, uint32(errno)
	c.report.failed = 1
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 125, 0, 0)
	}
}

// become makes the child what its program expects, and executes that. It returns what failed.
//
//go:norace
//go:nosplit
func become(c *child) (step uint32, errno syscall.Errno) {
	if c.session {
		errno = call(unix.SYS_SETSID, 0, 0, 0)
	} else if c.group {
		errno = call(unix.SYS_SETPGID, 0, 0, 0)
	}
	if errno != 0 {
		return stepSession, errno
	}
	if len(c.score) > 0 {
		setScore(c)
	}
	if errno := setFiles(c); errno != 0 {
		return stepFiles, errno
	}
	if c.join >= 0 { // the cgroup may be frozen, and this process stand still from here on
		if errno := call(unix.SYS_WRITE, uintptr(c.join), uintptr(unsafe.Pointer(&zero)), 1); errno != 0 {
			return stepJoin, errno
		}
	}
	if c.user {
		if errno := setUser(c); errno != 0 {
			return stepUser, errno
		}
	}
	if c.dir != nil {
		if errno := call(unix.SYS_CHDIR, uintptr(unsafe.Pointer(c.dir)), 0, 0); errno != 0 {
			return stepDir, errno
		}
	}
	if c.noFile != nil {
		syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, uintptr(unsafe.Pointer(c.noFile)), 0, 0, 0)
	}
	setSignals(c)
	return stepExec, execute(c)
}

// call makes a system call.
//
//go:norace
//go:nosplit
func call(number, a1, a2, a3 uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(number, a1, a2, a3)
	return errno
}

// setScore sets oom_score_adj. Without /proc it stays as it is.
//
//go:norace
//go:nosplit
func setScore(c *child) {
	here := unix.AT_FDCWD
	fd, _, errno := syscall.RawSyscall6(unix.SYS_OPENAT, uintptr(here), uintptr(unsafe.Pointer(scoreFile)), unix.O_WRONLY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return
	}
	syscall.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(c.score))), uintptr(len(c.score)))
	syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
}

// setFiles arranges the descriptors and closes all others: somebody may wait for the end of a pipe of
// ours, and the exec can take long (close_range, since Linux 5.9).
//
//go:norace
//go:nosplit
func setFiles(c *child) syscall.Errno {
	for i, fd := range c.files {
		if fd != c.via[i] {
			if errno := call(unix.SYS_DUP3, uintptr(fd), uintptr(c.via[i]), unix.O_CLOEXEC); errno != 0 {
				return errno
			}
		}
	}
	for i, fd := range c.via {
		errno := syscall.Errno(0)
		if fd == i {
			errno = call(unix.SYS_FCNTL, uintptr(fd), unix.F_SETFD, 0)
		} else {
			errno = call(unix.SYS_DUP3, uintptr(fd), uintptr(i), 0)
		}
		if errno != 0 {
			return errno
		}
	}
	for _, fd := range c.keep {
		if errno := call(unix.SYS_FCNTL, uintptr(fd), unix.F_SETFD, 0); errno != 0 {
			return errno
		}
	}
	for _, r := range c.closed {
		if call(unix.SYS_CLOSE_RANGE, r[0], r[1], 0) != 0 {
			for fd := r[0]; fd <= r[1] && fd < 1024; fd++ {
				syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
			}
		}
	}
	return 0
}

// setUser changes the groups and the user.
//
//go:norace
//go:nosplit
func setUser(c *child) syscall.Errno {
	if errno := call(ids.SetGroups, uintptr(len(c.groups)), uintptr(unsafe.Pointer(unsafe.SliceData(c.groups))), 0); errno != 0 {
		return errno
	}
	if errno := call(ids.SetGID, c.gid, 0, 0); errno != 0 {
		return errno
	}
	return call(ids.SetUID, c.uid, 0, 0)
}

// setSignals gives every signal that we catch its default action, and then lets signals arrive again. One
// that has come meanwhile acts now, and not in a handler of a runtime that does not run here.
//
//go:norace
//go:nosplit
func setSignals(c *child) {
	const last = 64
	var old, standard [8]uintptr // the kernel's struct sigaction begins with the handler; 0 is the default action
	for sig := uintptr(1); sig <= last; sig++ {
		old[0] = 0
		syscall.RawSyscall6(unix.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&old)), setSize, 0, 0)
		if old[0] > 1 {
			syscall.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&standard)), 0, setSize, 0, 0)
		}
	}
	if !c.deaf {
		syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&c.mask)), 0, setSize, 0, 0)
	}
}

// An exec that fails for now is tried again execTries times, with a pause after each: somebody may still be
// writing the file (ETXTBSY). That is a second.
const execTries, execPause = 100, 10_000_000

// execute executes the program, a script without "#!" by the shell as execvp(3) does.
//
//go:norace
//go:nosplit
func execute(c *child) syscall.Errno {
	pause := unix.Timespec{Nsec: execPause}
	for try := 1; ; try++ {
		errno := call(unix.SYS_EXECVE, uintptr(unsafe.Pointer(c.path)), uintptr(unsafe.Pointer(c.argv)), uintptr(unsafe.Pointer(c.env)))
		if errno == unix.ENOEXEC && c.shell != nil {
			errno = call(unix.SYS_EXECVE, uintptr(unsafe.Pointer(shellFile)), uintptr(unsafe.Pointer(c.shell)), uintptr(unsafe.Pointer(c.env)))
		}
		if errno != unix.ETXTBSY && errno != unix.EAGAIN && errno != unix.ENOMEM || try == execTries {
			return errno
		}
		syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
	}
}
