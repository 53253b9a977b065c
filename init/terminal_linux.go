package supervisor

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// terminal is our controlling terminal. The command is to find it as it would without us:
//
//   - In the foreground, with stdin and stdout on the terminal, the command's process group takes our
//     place there: Ctrl-C, Ctrl-Z and window changes reach it from the kernel, not through us.
//   - In the foreground, but as a part of a pipeline, which shares our group, the command shares it
//     too: else the rest of the pipeline would be in the background.
//   - In the background the command gets a group of its own there.
//
// A nil terminal is none.
type terminal struct {
	file    *os.File
	session int
	given   bool // the command's group takes our place
	shared  bool // the command is in our group
	// swallow has the signals that the surrender provokes, once each.
	swallow map[unix.Signal]bool
}

// openTerminal returns nil where there is no terminal.
//
// The session can be one that our PID namespace does not know (unshare --pid), whose number is 0. The
// numbers of our group and of the foreground group are 0 then too, so we count as being in the
// foreground. Without our group's number the command cannot be put into it.
func openTerminal() *terminal {
	session, _ := unix.Getsid(0)
	t := &terminal{session: session}
	for fd := range 3 {
		if _, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil && t.file == nil {
			if dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err == nil {
				t.file = os.NewFile(uintptr(dup), "terminal")
			}
		}
	}
	if t.file == nil {
		file, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			return nil
		}
		t.file = file
	}
	if t.front() == unix.Getpgrp() {
		t.given = session == os.Getpid() || isTerminal(0) && isTerminal(1)
		t.shared = !t.given
	}
	if session == 0 && !t.given {
		return nil
	}
	return t
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// front returns the terminal's foreground group, 0 if it cannot be had.
func (t *terminal) front() int {
	group, err := unix.IoctlGetInt(int(t.file.Fd()), unix.TIOCGPGRP)
	if err != nil {
		return 0
	}
	return group
}

// give makes a group the foreground group. It fails when the terminal has hung up, and then there is
// nothing to give.
func (t *terminal) give(group int) { _ = child.SetForeground(int(t.file.Fd()), group) }

// takeBack puts our group where the command's is. Where that is not in front it is somebody else's
// turn, and not ours to end.
func (t *terminal) takeBack(main int) {
	if main > 0 && t.front() == main {
		t.give(unix.Getpgrp())
	}
}

// surrender gives the terminal up for a command that leads a session of its own and makes the
// terminal that session's. Only the leader of the session that has it can. The kernel then sends us
// SIGHUP and SIGCONT, which are not for the command. It returns nil if the terminal stays that of
// whoever started us.
func (t *terminal) surrender() (*terminal, error) {
	if t.session != os.Getpid() {
		return nil, nil
	}
	t.swallow = map[unix.Signal]bool{unix.SIGHUP: true, unix.SIGCONT: true}
	return t, unix.IoctlSetInt(int(t.file.Fd()), unix.TIOCNOTTY, 0)
}

// swallows tells whether a signal is one that our own surrender has provoked.
func (t *terminal) swallows(sig syscall.Signal) bool {
	if t == nil || !t.swallow[sig] {
		return false
	}
	delete(t.swallow, sig)
	return true
}

// suspended handles that the main process has stopped: Ctrl-Z, or a read from the background. Under a
// shell with job control we stop as well, all of our group, as the command would have without us, and
// go on when the shell continues us. Where nobody could continue us the kernel would not have stopped
// the command either, and it goes on at once.
func (t *terminal) suspended(main int) {
	if inFront := t.front() == unix.Getpgrp(); !t.shared && inFront || !t.hasShell() {
		t.carryOn(main)
		return
	}
	t.takeBack(main)
	_ = unix.Kill(0, unix.SIGSTOP)
}

// carryOn continues the command, in the foreground if we are there.
func (t *terminal) carryOn(main int) {
	if t.shared {
		_ = unix.Kill(main, unix.SIGCONT)
		return
	}
	if t.front() == unix.Getpgrp() {
		t.give(main)
	}
	_ = unix.Kill(-main, unix.SIGCONT)
}

// hasShell tells whether a process in our session but not in our group is above us, and so can
// continue us: the kernel's test for an orphaned process group.
func (t *terminal) hasShell() bool {
	group := unix.Getpgrp()
	for pid := os.Getppid(); pid > 0; {
		p, err := proc.Read(pid)
		if err != nil || p.Session != t.session {
			return false
		}
		if p.Group != group {
			return true
		}
		pid = p.PPid
	}
	return false
}

// sentFromKeyboard tells whether the kernel has sent this signal to the command already, because the
// command is in our group and that is in front.
func (t *terminal) sentFromKeyboard(sig unix.Signal) bool {
	keyboard := sig == unix.SIGINT || sig == unix.SIGQUIT || sig == unix.SIGTSTP || sig == unix.SIGWINCH
	return keyboard && t != nil && t.shared
}

// leave gives the terminal back, when the command, whose main process had this pid, has ended. If
// Ctrl-C has ended it, it is as if that had reached us and the script around us too, which it would
// have without us: a shell's loop around us goes on otherwise.
func (t *terminal) leave(main int, ws *syscall.WaitStatus) {
	t.takeBack(main)
	if ws == nil || !ws.Signaled() || ws.Signal() != unix.SIGINT {
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
