package supervisor

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// pipes are our ends of what a run writes.
//
// A run with "tty: true" has a pseudo-terminal instead: it is the controlling terminal of the run's
// session, and its stdin, stdout and stderr. We copy what the run writes there to where its output
// goes. With stdin_open the run reads what we read; otherwise it reads nothing.
type pipes struct {
	open         int      // the number of our ends that have not ended yet
	ours, theirs *os.File // the two ends of the run's terminal; nil: it has none
}

// areDry tells whether everything that the run wrote has been read and copied.
func (p *pipes) areDry() bool { return p == nil || p.open == 0 }

// hangUp closes our copy of the run's end of its terminal, so that our reads return the last output
// and then end. We keep the copy until nothing of the run is left: without it our reads would end
// as soon as no process has the terminal open.
func (p *pipes) hangUp() {
	if p != nil && p.theirs != nil {
		p.theirs.Close()
		p.theirs = nil
	}
}

// newPipe returns a pipe. Its reading end is non-blocking, so that a read waits in Go's poller and
// takes no thread.
func newPipe() (read, write *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	_ = unix.SetNonblock(fds[0], true)
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// openPty returns both ends of a new terminal. It gets the second end from the first (TIOCGPTPEER,
// since Linux 4.13): by name it could get another terminal, if /dev/pts is not the instance of
// /dev/ptmx.
func openPty() (ours, theirs *os.File, err error) {
	// Non-blocking, so that a read waits in Go's poller and takes no thread.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	for err == unix.EINTR {
		fd, err = unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("/dev/ptmx: %w", err)
	}
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
		peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
		if errno == 0 {
			return os.NewFile(uintptr(fd), "/dev/ptmx"), os.NewFile(peer, "terminal"), nil
		}
		err = errno
	}
	unix.Close(fd)
	return nil, nil, os.NewSyscallError("ioctl", err)
}

// setSize gives the run's terminal the size of ours, if we have one. The kernel sends the run
// SIGWINCH.
func (p *pipes) setSize() {
	if p == nil || p.ours == nil {
		return
	}
	for fd := range 3 {
		size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
		if err != nil {
			continue
		}
		if conn, err := p.ours.SyscallConn(); err == nil {
			_ = conn.Control(func(fd uintptr) { _ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, size) })
		}
		return
	}
}

// openNull opens the input of jobs that have no other: /dev/null, or without /dev a pipe that
// nobody writes to.
func openNull() (*os.File, error) {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err == nil {
		return f, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make an empty input: %w", err)
	}
	return r, w.Close()
}
