package spawn

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

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
	// Deaf blocks all signals that can be blocked.
	Deaf bool
	// Copies gives the process a copy of our memory until its exec. A cgroup that is short of memory and set
	// to be killed as a whole (memory.oom.group) takes along every process with the same memory, so us too.
	Copies bool
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
	Pid   int // see Executed
	path  string
	child *child
	page  []byte        // has the report of a child with a copy of our memory; nil: it has none
	done  chan struct{} // closed when the program is executed, or clearly will not be
	err   error         // why it was not; valid once done is closed
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

// ErrStillborn is the error of a process that was killed before it could do anything. Linux 6.14 to 7.2 kill
// what is born in a cgroup below one that was ever killed.
var ErrStillborn = errors.New("the process was killed at its birth")

// Begin begins to fork the process. [Process.Executed] tells what comes of it. The error is EINVAL if a string
// holds a NUL.
func Begin(p *Program) (*Process, error) {
	c, err := newChild(p)
	if err != nil {
		return nil, err
	}
	process := &Process{path: p.Path, child: c, done: make(chan struct{})}
	if c.copies {
		process.page, err = unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
		if err != nil {
			if c.isEmulated {
				unix.Close(c.executed[0])
				unix.Close(c.executed[1])
			}
			return nil, os.NewSyscallError("mmap", err)
		}
		c.report = (*report)(unsafe.Pointer(&process.page[0]))
	}
	go process.run()
	return process, nil
}

// Executed waits, at most as long as patience, until the process has executed its program. known is false if
// that takes longer. Pid is 0 if the fork has failed, and err is that of the fork. Otherwise an error, which is
// an [*Error], says why the program could not be executed; the process exits with status 125 then (or was
// killed, with [ErrStillborn]) and must be waited for.
//
// A process that is killed just before its exec counts as executed.
func (p *Process) Executed(patience time.Duration) (known bool, err error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.done:
	case <-late.C:
		p.awaitBirth()
	}
	p.Pid = int(p.child.pid)
	select {
	case <-p.done:
		p.release()
		return true, p.err
	default:
		return false, nil
	}
}

// release gives back the memory of the report, which has been read.
func (p *Process) release() {
	if p.page != nil {
		_ = unix.Munmap(p.page)
		p.page, p.child.report = nil, new(report)
	}
}

// Forked returns the pid that the process has by now; 0: the fork is not done, or has failed.
func (p *Process) Forked() int { return int(p.child.pid) }

// HasRun tells whether the process has done anything by now. It must not be called beside Await.
func (p *Process) HasRun() bool { return p.child.report.alive != 0 }

// birthLook is how long awaitBirth waits between two looks.
const birthLook = 100 * time.Microsecond

// awaitBirth returns as soon as the child has a pid or the fork has failed.
func (p *Process) awaitBirth() {
	for p.child.pid == 0 { // the kernel sets it
		select {
		case <-p.done:
			return
		case <-time.After(birthLook):
		}
	}
}

// run forks the child, and closes done when it is known what became of it.
func (p *Process) run() {
	defer close(p.done)
	c := p.child
	if err := c.start(); err != nil {
		p.err = err
		return
	}
	switch r := c.report; {
	case r.failed != 0:
		p.err = &Error{steps[r.step%uint32(len(steps))], p.path, syscall.Errno(r.errno)}
	case r.alive == 0:
		p.err = ErrStillborn
	}
}

// start forks the child.
func (c *child) start() error {
	errno := fork(c)
	runtime.KeepAlive(c)
	if c.isEmulated {
		unix.Close(c.executed[1])
		defer unix.Close(c.executed[0])
	}
	if errno != 0 {
		return syscall.Errno(errno)
	}
	if c.isEmulated {
		awaitEnd(c.executed[0])
	}
	return nil
}

// awaitEnd returns when nobody has the other end of a pipe any more.
func awaitEnd(pipe int) {
	var b [1]byte
	for {
		if _, err := unix.Read(pipe, b[:]); err != unix.EINTR {
			return
		}
	}
}

// Await waits as long as it takes, and returns an error if the program could not be executed.
func (p *Process) Await() error {
	<-p.done
	p.release()
	return p.err
}
