package supervisor

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is our controlling terminal. The command is to find it as it would without us:
//
//   - In the foreground, with stdin and stdout on it, the command's process group takes our
//     place there: Ctrl-C, Ctrl-Z and window changes reach it from the kernel, not through us.
//   - In the foreground, but as a part of a pipeline, which shares our group, the command
//     shares it too: else the rest of the pipeline would be in the background.
//   - In the background the command gets a group of its own there.
type terminal struct {
	file   *os.File
	given  bool // the command's group takes our place
	shared bool // the command is in our group
}

// openTerminal returns nil where there is no terminal, or where it is that of a session which
// our PID namespace does not know.
func openTerminal(session int) *terminal {
	if session == 0 {
		return nil
	}
	t := &terminal{}
	for fd := range 3 {
		if _, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil && t.file == nil {
			if dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err == nil {
				t.file = os.NewFile(uintptr(dup), "terminal")
			}
		}
	}
	if t.file == nil {
		fd, err := open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY)
		if err != nil {
			return nil
		}
		t.file = os.NewFile(uintptr(fd), "terminal")
	}
	if t.front() == unix.Getpgrp() {
		t.given = session == os.Getpid() || isTerminal(0) && isTerminal(1)
		t.shared = !t.given
	}
	return t
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// front is the terminal's foreground group, 0 if it cannot be had.
func (t *terminal) front() int {
	group, err := unix.IoctlGetInt(int(t.file.Fd()), unix.TIOCGPGRP)
	if err != nil {
		return 0
	}
	return group
}

// give makes a group the foreground group. It fails when the terminal has hung up, and then
// there is nothing to give.
func (t *terminal) give(group int) { _ = setForeground(int(t.file.Fd()), group) }

// takeBack puts our group where the command's is; where that is not in front it is somebody
// else's turn, and not ours to end.
func (t *terminal) takeBack(r *run) {
	if r.main.pid > 0 && t.front() == r.main.pid {
		t.give(unix.Getpgrp())
	}
}

// surrenderTerminal gives it up for a command that leads a session of its own and makes it
// that session's. Only the leader of the session that has it can. The kernel then sends us
// SIGHUP and SIGCONT, which are not for the command.
func (s *Supervisor) surrenderTerminal() error {
	if s.session != os.Getpid() {
		s.terminal = nil // it stays the terminal of whoever started us
		return nil
	}
	s.swallow = map[unix.Signal]bool{unix.SIGHUP: true, unix.SIGCONT: true}
	return unix.IoctlSetInt(int(s.terminal.file.Fd()), unix.TIOCNOTTY, 0)
}

// suspended is told that the main process has stopped: Ctrl-Z, or a read from the background.
// Under a shell with job control we stop as well, all of our group, as the command would have
// without us, and go on when the shell continues us (resumed). Where nobody could continue us
// the kernel would not have stopped the command either, and it goes on at once.
func (s *Supervisor) suspended(r *run) {
	t := s.terminal
	if t == nil || r.spec.NewSession || r.job != s.single || r.role != roleMain {
		return
	}
	if inFront := t.front() == unix.Getpgrp(); !t.shared && inFront || !s.hasShell() {
		s.carryOn(r)
		return
	}
	t.takeBack(r)
	_ = unix.Kill(0, unix.SIGSTOP)
}

// resumed is told of SIGCONT: the shell has put us in the foreground again, or not (bg).
func (s *Supervisor) resumed(r *run) {
	if s.terminal != nil && !r.spec.NewSession && r.main.pid > 0 && r.status == nil {
		s.carryOn(r)
	}
}

func (s *Supervisor) carryOn(r *run) {
	t, main := s.terminal, r.main.pid
	if t.shared {
		_ = unix.Kill(main, unix.SIGCONT)
		return
	}
	if t.front() == unix.Getpgrp() {
		t.give(main)
	}
	_ = unix.Kill(-main, unix.SIGCONT)
}

// hasShell tells whether somebody in our session but not in our group is above us, and so can
// continue us: the kernel's test for an orphaned process group.
func (s *Supervisor) hasShell() bool {
	group := unix.Getpgrp()
	for pid := os.Getppid(); pid > 0; {
		p, err := readProcess(pid)
		if err != nil || p.session != s.session {
			return false
		}
		if p.group != group {
			return true
		}
		pid = p.ppid
	}
	return false
}

// fromKeyboard tells whether the kernel has sent this signal to the command already, because
// it is in our group and that is in front.
func (s *Supervisor) fromKeyboard(sig unix.Signal) bool {
	keyboard := sig == unix.SIGINT || sig == unix.SIGQUIT || sig == unix.SIGTSTP || sig == unix.SIGWINCH
	return keyboard && s.terminal != nil && s.terminal.shared
}

// leaveTerminal gives the terminal back. If Ctrl-C has ended the command, it is as if it had
// reached us and the script around us too, which it would have without us: a shell's loop
// around us goes on otherwise.
func (s *Supervisor) leaveTerminal() {
	t := s.terminal
	if t == nil || s.single.spec.NewSession || s.pid1 || s.single.run == nil {
		return
	}
	r := s.single.run
	t.takeBack(r)
	if r.status == nil || !r.status.Signaled() || r.status.Signal() != unix.SIGINT {
		return
	}
	target := 0 // our group
	switch {
	case t.shared:
		target = os.Getpid()
	case !t.given:
		return
	}
	signal.Reset(unix.SIGINT)
	_ = unix.Kill(target, unix.SIGINT)
	<-time.After(time.Second) // it ends us
}
