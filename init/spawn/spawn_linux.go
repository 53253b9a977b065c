package spawn

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// Program says what a new process executes, and what it is given.
type Program struct {
	Path string
	Args []string
	Env  []string
	Dir  string // the working directory; empty: ours
	// Files become descriptors 0, 1 and 2. Keep are further descriptors, which stay open under their
	// numbers. The program gets no others.
	Files [3]int
	Keep  []int
	// NewSession and NewGroup make the process lead a session or a process group.
	NewSession, NewGroup bool
	// User is whom the process becomes; nil leaves it as it is.
	User *User
	// OOMScoreAdj is written to oom_score_adj, if that is possible; empty leaves it as it is.
	OOMScoreAdj string
	// Cgroup is a directory of cgroup2 in which the process is born (CLONE_INTO_CGROUP, since Linux
	// 5.7). Join is a cgroup.procs file through which it enters a cgroup instead. -1: none.
	Cgroup, Join int
}

// User is an identity: a user, a group and the supplementary groups.
type User struct {
	UID, GID uint32
	Groups   []uint32
}

// Process is a process that was forked and may not have executed its program yet.
type Process struct {
	Pid    int
	path   string
	report *os.File // ends when the program is executed; before that comes the reason why it is not
}

// Error says which step of the start has failed, before the program was executed. Step is empty for
// the exec itself.
type Error struct {
	Step string
	Path string
	Err  syscall.Errno
}

// Error returns the message.
func (e *Error) Error() string {
	if e.Step == "" {
		return fmt.Sprintf("cannot execute %s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("cannot %s: %v", e.Step, e.Err)
}

// Unwrap returns the errno.
func (e *Error) Unwrap() error { return e.Err }

// Fork makes the process. The error is that of the fork; what fails later is reported by the
// [Process]. The process exists then, exits with status 125, and must be waited for.
func Fork(p *Program) (*Process, error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("cannot make a pipe: %w", err)
	}
	defer unix.Close(pipe[1])
	_ = unix.SetNonblock(pipe[0], true)
	c, err := newChild(p, pipe[1])
	if err == nil {
		var pid int
		if pid, err = c.start(); err == nil {
			return &Process{Pid: pid, path: p.Path, report: os.NewFile(uintptr(pipe[0]), "report of a start")}, nil
		}
	}
	unix.Close(pipe[0])
	return nil, err
}

// start forks the child and returns its pid. All signals are blocked meanwhile: a handler of Go's
// runtime must not run in the child.
func (c *child) start() (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &c.mask); err != nil {
		return 0, err
	}
	pid, errno := fork(c)
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &c.mask, nil); err != nil {
		return 0, err
	}
	runtime.KeepAlive(c)
	if errno != 0 {
		return 0, errno
	}
	return int(pid), nil
}

// Executed waits, at most as long as patience, until the program is executed or it is clear that it
// cannot be. known is false if that takes longer. Once it is known, the report is closed. err is an
// [*Error].
//
// A process that is killed before its exec reports nothing, and counts as executed.
func (p *Process) Executed(patience time.Duration) (known bool, err error) {
	var ready bool
	raw, _ := p.report.SyscallConn()
	_ = raw.Control(func(fd uintptr) { ready = rawfile.WaitReadable(fd, patience) })
	if !ready {
		return false, nil
	}
	return true, p.Await()
}

// Await waits as long as it takes. A goroutine calls it after Executed.
func (p *Process) Await() error {
	defer p.report.Close()
	var b [reportSize]byte
	if n, _ := p.report.Read(b[:]); n != len(b) {
		return nil
	}
	step, errno := binary.NativeEndian.Uint32(b[0:]), binary.NativeEndian.Uint32(b[4:])
	return &Error{steps[step%uint32(len(steps))], p.path, syscall.Errno(errno)}
}
