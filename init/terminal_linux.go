package supervisor

import (
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/proc"
	catching "github.com/cginit/cginit/internal/catch"
	"golang.org/x/sys/unix"
)

// terminal is our controlling terminal; nil if we have none. The command finds it as it would
// without us:
//
//   - If we are in the foreground with stdin and stdout on the terminal, the command's process group
//     takes our place there. The kernel sends it Ctrl-C, Ctrl-Z and window changes directly.
//   - If we are in the foreground as part of a pipeline, the pipeline shares our process group. The
//     command joins that group too; otherwise the rest of the pipeline would be in the background.
//   - If we are in the background, the command gets a background group of its own.
type terminal struct {
	file    *os.File
	session int
	given   bool // the command's group takes our place in the foreground
	shared  bool // the command is in our process group
	// swallow holds the signals that surrender provokes; the first of each is not passed on.
	swallow map[unix.Signal]bool
}

// openTerminal returns nil where there is no terminal.
//
// The session can be one that our PID namespace does not know (unshare --pid). Its number is 0 then,
// and so are those of our group and of the foreground group: we count as being in the foreground. The
// command shares our group, because a group without a number cannot be put back in the foreground
// after the command. A holder cannot put the command there, so below one it has no terminal.
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
		t.given = session != 0 && (session == os.Getpid() || isTerminal(0) && isTerminal(1))
		t.shared = !t.given
	}
	return t
}

// isTerminal tells whether a descriptor is a terminal.
func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// front returns the foreground process group of the terminal, 0 if it is unknown.
func (t *terminal) front() int {
	group, err := unix.IoctlGetInt(int(t.file.Fd()), unix.TIOCGPGRP)
	if err != nil {
		return 0
	}
	return group
}

// give makes a process group the foreground group. It ignores an error: the terminal has hung up
// then.
func (t *terminal) give(group int) { _ = child.SetForeground(int(t.file.Fd()), group) }

// takeBack makes our group the foreground group if the command's is. If neither is, a shell has
// given the foreground to another group.
func (t *terminal) takeBack(main int) {
	if main > 0 && t.front() == main {
		t.give(unix.Getpgrp())
	}
}

// surrender gives up our controlling terminal, so that a command which leads its own session can
// take it. Only the leader of the terminal's session can do that; otherwise surrender returns nil
// and the terminal stays with that session. The kernel sends us SIGHUP and SIGCONT for it, which
// the command must not get.
func (t *terminal) surrender() (*terminal, error) {
	if t.session != os.Getpid() {
		return nil, nil
	}
	t.swallow = map[unix.Signal]bool{unix.SIGHUP: true, unix.SIGCONT: true}
	return t, unix.IoctlSetInt(int(t.file.Fd()), unix.TIOCNOTTY, 0)
}

// swallows tells whether the kernel sent a signal because of our own surrender. It returns true
// once for each. t may be nil.
func (t *terminal) swallows(sig syscall.Signal) bool {
	if t == nil || !t.swallow[sig] {
		return false
	}
	delete(t.swallow, sig)
	return true
}

// suspended handles that the main process was stopped, by Ctrl-Z or by a read from the background.
// Under a shell with job control our whole group stops too, as the command would have without us,
// and the shell continues us. Without such a shell nobody could continue us. The kernel would not
// have stopped the command then either, so it is continued at once. A shell that our PID namespace does
// not know cannot be seen; if it continues anything, it continues the group that the command shares.
func (t *terminal) suspended(main int) {
	if t.session == 0 {
		return
	}
	if inFront := t.front() == unix.Getpgrp(); !t.shared && inFront || !t.hasShell() {
		t.carryOn(main)
		return
	}
	t.takeBack(main)
	_ = unix.Kill(0, unix.SIGSTOP)
}

// carryOn continues the command, and puts it in the foreground if we are there.
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

// hasShell tells whether one of our ancestors is in our session but not in our process group, and
// so can continue us. The kernel tests a process group for being orphaned in the same way.
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

// sentFromKeyboard tells whether the kernel has already sent this signal to the command, because
// the command shares our foreground group. t may be nil.
func (t *terminal) sentFromKeyboard(sig unix.Signal) bool {
	keyboard := sig == unix.SIGINT || sig == unix.SIGQUIT || sig == unix.SIGTSTP || sig == unix.SIGWINCH
	return keyboard && t != nil && t.shared
}

// leave takes the terminal back when the command has ended. main is the pid that its main process
// had. If Ctrl-C has ended the command, leave sends SIGINT to us, and to the script around us if
// the command had its own group. Without us the script would have got it as well; otherwise a loop
// in it would go on.
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
	catching.Reset(unix.SIGINT)
	_ = unix.Kill(target, unix.SIGINT)
	<-time.After(time.Second) // SIGINT ends us before that
}
