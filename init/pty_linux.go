package supervisor

import (
	"fmt"
	"io"
	"os"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// A job with tty: true has a pseudo-terminal of its own: the controlling terminal of its
// session, and its stdin, stdout and stderr. What it writes there comes to us, and goes where
// its output is to go. What it reads is, with stdin_open, what we read, and else nothing.

// connectPty gives a run a new terminal.
func (s *Supervisor) connectPty(r *run, d *stdio) error {
	ours, theirs, err := openPty()
	if err != nil {
		return fmt.Errorf("cannot make a terminal (is there a /dev/pts?): %w", err)
	}
	if u := r.spec.User; u != nil { // it may open /dev/stdout again
		_ = theirs.Chown(int(u.UID), -1)
	}
	d.tty = int(theirs.Fd())
	d.fds = [3]int{d.tty, d.tty, d.tty}
	r.pump.hangUp() // of a start that failed for now
	p := &pump{open: 1, ours: ours, theirs: theirs}
	r.pump = p
	s.setPtySize(p)
	switch r.spec.Log {
	case config.LogPrefix, config.LogJSON:
		go s.pump(r, p, ours, newLineWriter(r, "stdout", os.Stdout))
	case config.LogInherit:
		go s.copyPty(r, p, shared{os.Stdout})
	case config.LogNone:
		go s.copyPty(r, p, io.Discard)
	}
	if r.spec.StdinOpen {
		s.hearInput()
	}
	return nil
}

// openPty makes a terminal. The second end is had from the first (TIOCGPTPEER, since Linux
// 4.13): its name would be another's where /dev/pts is not that of /dev/ptmx.
func openPty() (ours, theirs *os.File, err error) {
	// Go's poller waits for it, and no thread.
	fd, err := open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK)
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

// copyPty passes on what a job writes on its terminal, as it is.
func (s *Supervisor) copyPty(r *run, p *pump, to io.Writer) {
	defer p.ours.Close()
	b := make([]byte, pumpRoom)
	for {
		n, err := p.ours.Read(b)
		if n > 0 {
			s.output <- struct{}{}
			_, _ = to.Write(b[:n])
			<-s.output
		}
		if err != nil { // EIO: nobody has the other end any more
			break
		}
	}
	s.post(func() { s.dried(r, p) })
}

// hangUp gives up the job's end of its terminal, which we keep until nothing of the job is
// left: what is written can then be read to its end, and not before.
func (p *pump) hangUp() {
	if p != nil && p.theirs != nil {
		p.theirs.Close()
		p.theirs = nil
	}
}

// setPtySize gives a job's terminal the size of ours, if we have one.
func (s *Supervisor) setPtySize(p *pump) {
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

// resizePtys is told that our terminal has another size. The kernel tells the jobs.
func (s *Supervisor) resizePtys() {
	for _, r := range s.live {
		if r.pump != nil && r.pump.ours != nil {
			s.setPtySize(r.pump)
		}
	}
}
