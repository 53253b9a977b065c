package supervisor

import (
	"os"

	"golang.org/x/sys/unix"
)

// terminal is our controlling terminal while we are in its foreground: the job then takes our
// place there, and Ctrl-C, Ctrl-Z and window changes reach it from the kernel, not through us.
type terminal struct{ file *os.File }

// openTerminal returns nil where there is no terminal, or where we run in its background: a
// background job must not take it.
func openTerminal() *terminal {
	for fd := range 3 {
		if inForeground(fd) {
			if dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err == nil {
				return &terminal{os.NewFile(uintptr(dup), "terminal")}
			}
		}
	}
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	if !inForeground(fd) {
		unix.Close(fd)
		return nil
	}
	return &terminal{os.NewFile(uintptr(fd), "terminal")}
}

func inForeground(fd int) bool {
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

func (t *terminal) dup() (*os.File, error) {
	fd, err := unix.FcntlInt(t.file.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "terminal"), nil
}

// give makes a group the foreground group. It fails when the terminal has hung up, and then
// there is nothing to give.
func (t *terminal) give(group int) { _ = setForeground(int(t.file.Fd()), group) }

// leaveTerminal gives the terminal up, for a command that leads a session of its own and makes it
// that session's. Only the leader of the session that has it can. The kernel then sends us
// SIGHUP and SIGCONT, which are not for the command.
func (s *Supervisor) leaveTerminal() error {
	if s.session != os.Getpid() {
		s.terminal = nil // it stays the terminal of whoever started us
		return nil
	}
	s.swallow = map[unix.Signal]bool{unix.SIGHUP: true, unix.SIGCONT: true}
	return unix.IoctlSetInt(int(s.terminal.file.Fd()), unix.TIOCNOTTY, 0)
}

// suspended is told that the main process has stopped: Ctrl-Z, or a read from the background.
// Under a shell with job control we stop as well, all of our group, as the command would have
// without us, and go on when the shell continues us (resumed). Where nobody could ever
// continue us, as process 1 or as leader of our session, the command goes on at once.
func (s *Supervisor) suspended(j *job) {
	if s.terminal == nil || j.spec.NewSession {
		return
	}
	if s.pid1 || s.session == os.Getpid() {
		s.terminal.give(j.run.main.pid)
		_ = unix.Kill(-j.run.main.pid, unix.SIGCONT)
		return
	}
	s.terminal.give(unix.Getpgrp())
	_ = unix.Kill(0, unix.SIGSTOP)
}

// resumed is told of SIGCONT: the shell has put us in the foreground again, or not (bg).
func (s *Supervisor) resumed(j *job) {
	if j.run == nil || j.run.main.pid == 0 || j.run.status != nil {
		return
	}
	if s.terminal != nil && !j.spec.NewSession && inForeground(int(s.terminal.file.Fd())) {
		s.terminal.give(j.run.main.pid)
	}
	_ = unix.Kill(-j.run.main.pid, unix.SIGCONT)
}
