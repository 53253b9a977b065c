package supervisor

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// pipes are the ends at which we read what a run writes.
//
// A run with tty: true has a pseudo-terminal of its own in their place: the controlling terminal of
// its session, and its stdin, stdout and stderr. What it writes there comes to us, and goes where its
// output is to go. What it reads is, with stdin_open, what we read, and else nothing.
type pipes struct {
	open         int      // ends that are still read
	ours, theirs *os.File // of the run's terminal; nil: it has none
}

// areDry tells whether all that was written has been read, and written on.
func (p *pipes) areDry() bool { return p == nil || p.open == 0 }

// hangUp gives up the run's end of its terminal, which we keep until nothing of the run is left: what
// is written can then be read to its end, and not before.
func (p *pipes) hangUp() {
	if p != nil && p.theirs != nil {
		p.theirs.Close()
		p.theirs = nil
	}
}

// newPipe returns a pipe whose reading end waits in Go's poller and not in a thread.
func newPipe() (read, write *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	_ = unix.SetNonblock(fds[0], true)
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// openPty makes a terminal. The second end is had from the first (TIOCGPTPEER, since Linux 4.13): its
// name would be another's where /dev/pts is not that of /dev/ptmx.
func openPty() (ours, theirs *os.File, err error) {
	// Go's poller waits for it, and no thread.
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

// setSize gives the run's terminal the size of ours, if we have one. The kernel tells the run.
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

// openNull opens what a job reads that nobody gives an input: /dev/null, or where there is no /dev a
// pipe that nobody writes to.
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
