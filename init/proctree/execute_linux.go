package proctree

import (
	"strconv"
	"strings"
	"syscall"

	"github.com/cginit/cginit/internal/self"
	"golang.org/x/sys/unix"
)

// execute starts the main process and returns its pid. The calling goroutine must be locked to its
// thread: no_new_privs (since Linux 3.5) is set for this thread alone, and the child inherits it.
func (o *Order) execute(ours score) (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: o.Dir, Env: o.Env, Sys: &syscall.SysProcAttr{
		Setsid: o.Setsid, Setpgid: o.Setpgid, Pgid: o.Pgid,
	}}
	for _, fd := range o.Files {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	if u := o.User; u != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	if o.NoNewPrivs {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return 0, err
		}
	}
	defer ours.raise(o.OOMMore)()
	pid, err = syscall.ForkExec(o.Path, o.Args, attr)
	if err == unix.ENOEXEC && len(o.Args) > 0 && o.Path != self.Exe() {
		// The shell runs a script that does not begin with #!, as with execvp(3).
		return syscall.ForkExec("/bin/sh", append([]string{"sh", o.Path}, o.Args[1:]...), attr)
	}
	return pid, err
}

// score is our oom_score_adj. It is opened before the holder is shielded: afterwards the file is root's.
type score struct{ fd int }

// openScore returns the score with a descriptor that is closed at an exec. Without /proc it has none.
func openScore() score {
	fd, err := unix.Open("/proc/self/oom_score_adj", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return score{-1}
	}
	return score{fd}
}

// raise raises the score by a number, up to 1000, for the next child to inherit. It returns a function that
// restores the value from before. If the value cannot be read or written, it stays as it is.
func (s score) raise(by int) (restore func()) {
	var buf [16]byte
	n, err := unix.Pread(s.fd, buf[:], 0)
	if err != nil {
		return func() {}
	}
	ours, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil {
		return func() {}
	}
	write := func(n int) { _, _ = unix.Pwrite(s.fd, strconv.AppendInt(nil, int64(n), 10), 0) }
	write(min(ours+by, 1000))
	return func() { write(ours) }
}

// close closes the descriptor. The score can no longer be raised then.
func (s score) close() { unix.Close(s.fd) }
