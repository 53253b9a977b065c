package spawn

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
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
	// User is whom the process becomes; nil leaves it as it is.
	User *User
	// OOMScoreAdj is written to oom_score_adj, if that is possible; empty leaves it as it is.
	OOMScoreAdj string
	// Cgroup is a directory of cgroup2 in which the process is born (CLONE_INTO_CGROUP, since Linux
	// 5.7). Join is a cgroup.procs file through which it enters a cgroup instead. -1: none.
	Cgroup, Join int
	// Meanwhile is called while the process is on its way to its exec; nil: there is nothing to do.
	Meanwhile func()
}

// User is an identity: a user, a group and the supplementary groups.
type User struct {
	UID, GID uint32
	Groups   []uint32
}

// Process is a process that was forked and may not have executed its program yet.
type Process struct {
	Pid  int
	path string
	done chan struct{} // closed when the program is executed, or clearly will not be
	err  error         // why it was not; valid once done is closed
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

// Start forks the process and waits, at most as long as patience, until it has executed its program. known is
// false if that takes longer. If Start returns a Process and an error, the process could not execute its
// program; it exits with status 125 (or was killed, with [ErrStillborn]) and must be waited for. The error is
// an [*Error], or that of the fork.
//
// A process that is killed just before its exec counts as executed.
func Start(p *Program, patience time.Duration) (process *Process, known bool, err error) {
	c, err := newChild(p)
	if err != nil {
		return nil, true, err
	}
	process = &Process{path: p.Path, done: make(chan struct{})}
	go process.run(c)
	if p.Meanwhile != nil {
		p.Meanwhile()
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-process.done:
	case <-late.C:
		process.Pid = c.awaitBirth(process.done)
	}
	select {
	case <-process.done:
		if process.Pid = int(c.pid); process.Pid == 0 {
			return nil, true, process.err
		}
		return process, true, process.err
	default:
		return process, false, nil
	}
}

// birthLook is how long awaitBirth waits between two looks.
const birthLook = 100 * time.Microsecond

// awaitBirth returns the pid of the child as soon as it has one; 0 if the fork has failed.
func (c *child) awaitBirth(done <-chan struct{}) int {
	for {
		if pid := atomic.LoadInt32(&c.pid); pid != 0 {
			return int(pid)
		}
		select {
		case <-done:
			return int(c.pid)
		case <-time.After(birthLook):
		}
	}
}

// run forks the child, and closes done when it is known what became of it.
func (p *Process) run(c *child) {
	defer close(p.done)
	if c.copies {
		page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
		if err != nil {
			p.err = os.NewSyscallError("mmap", err)
			return
		}
		defer func() { _ = unix.Munmap(page) }()
		c.report = (*report)(unsafe.Pointer(&page[0]))
	}
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
	if errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

// Await waits as long as it takes, and returns an error if the program could not be executed.
func (p *Process) Await() error {
	<-p.done
	return p.err
}
