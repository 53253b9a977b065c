package hold

import (
	"errors"
	"os"
	"syscall"

	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// named is a process that is the main process of a run because the run has named it, or that was the
// main process before. Its parent may be any process of the run.
type named struct {
	Main
	fd   int      // a pidfd, which tells of its end and reaches no other process of that pid
	file *os.File // the same descriptor
}

// openNamed returns the process with this pid.
func openNamed(pid int) (*named, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, err
	}
	return &named{Main: Main{Pid: pid, Session: sessionOf(pid)}, fd: fd, file: os.NewFile(uintptr(fd), "pidfd")}, nil
}

// hasEnded tells whether the process has ended. It may be a zombie.
func (n *named) hasEnded() bool { return rawfile.IsReadable(uintptr(n.fd)) }

// await returns nil when the process has ended, and an error when it is no longer watched.
func (n *named) await() error {
	conn, err := n.file.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Read(rawfile.IsReadable)
}

// follower is a containment whose main process can become another one.
type follower interface {
	Owns(pid int) (owns, known bool)
	Adopter() int
	// expect makes whoever waits for the run's orphans report the end of this process.
	expect(pid int) error
	// seek is called when a process has ended that expect was told of, and that is not to be seen
	// any more. It returns true if the listener is told later what is known of its end.
	seek(pid int) bool
}

// follow makes another process of the run its main process. The present one, if it lives, can become
// the main process again.
func (b *base) follow(f follower, pid int) error {
	if pid == b.main.Pid && !b.ended {
		return nil
	}
	next, err := openNamed(pid)
	if err != nil {
		return err
	}
	if owns, _ := f.Owns(pid); !owns || next.hasEnded() {
		next.file.Close()
		return errors.New("it is not a living process of the job")
	}
	if err := f.expect(pid); err != nil {
		next.file.Close()
		return err
	}
	before := b.named
	if before == nil && !b.ended { // without a pidfd it cannot become the main process again
		before, _ = openNamed(b.main.Pid)
	}
	b.forget(b.former)
	b.as, b.former, b.named, b.main, b.ended = f, before, next, next.Main, false
	go func() {
		if next.await() == nil {
			b.home.post(func() { b.namedEnded(next) })
		}
	}()
	return nil
}

// namedEnded handles the end of a process that the run has named. Unless the process is a child of the
// adopter, wait4 will not tell.
func (b *base) namedEnded(n *named) {
	if n != b.named || b.ended || b.takeBack() {
		return
	}
	p, err := proc.Read(n.Pid)
	switch {
	case err == nil && p.PPid == b.as.Adopter(): // it is waited for next
	case err == nil || !b.as.seek(n.Pid):
		b.lost()
	}
}

// takeBack makes the former main process the main process again, if it lives and the listener wants
// that. It returns false, and changes nothing, if not.
func (b *base) takeBack() bool {
	former := b.former
	if former == nil || former.hasEnded() || !b.listener.TakesBack() {
		return false
	}
	b.home.complain("return to the former main process", b.as.expect(former.Pid))
	b.forget(b.named)
	b.named, b.main, b.former = former, former.Main, nil
	b.listener.MainChanged()
	return true
}

// reaped handles that wait4 has returned a process, here or in the holder, that is or was the main
// process.
func (b *base) reaped(pid int, ws syscall.WaitStatus) (told bool) {
	if pid != b.main.Pid || b.ended || b.takeBack() {
		return false
	}
	b.ended = true
	b.listener.MainEnded(ws)
	return true
}

// lost handles that the main process has ended, and that another process of the run has waited for it.
func (b *base) lost() {
	if !b.ended && !b.takeBack() {
		b.ended = true
		b.listener.MainLost()
	}
}

// forget stops to watch a process; nil is none.
func (b *base) forget(n *named) {
	if n == nil {
		return
	}
	n.file.Close()
	if b.home.mains[n.Pid] == b {
		delete(b.home.mains, n.Pid)
	}
}

// release stops to watch the processes that the run has named.
func (b *base) release() {
	b.forget(b.named)
	b.forget(b.former)
	b.named, b.former = nil, nil
}
