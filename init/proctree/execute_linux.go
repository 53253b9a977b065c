package proctree

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// execute starts the main process and returns its pid. The calling goroutine must be locked to its
// thread: no_new_privs (since Linux 3.5) is set for this thread alone, and the child inherits it.
func (o *Order) execute() (pid int, err error) {
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
	defer raiseOOMScore(o.OOMMore)()
	pid, err = syscall.ForkExec(o.Path, o.Args, attr)
	if err == unix.ENOEXEC && len(o.Args) > 0 {
		// The shell runs a script that does not begin with #!, as with execvp(3).
		return syscall.ForkExec("/bin/sh", append([]string{"sh", o.Path}, o.Args[1:]...), attr)
	}
	return pid, err
}

// raiseOOMScore raises our oom_score_adj by a number, up to 1000, for the child to inherit. It
// returns a function that restores the value from before. If the value cannot be read or written,
// it stays as it is.
func raiseOOMScore(by int) (restore func()) {
	const file = "/proc/self/oom_score_adj"
	if by == 0 {
		return func() {}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return func() {}
	}
	ours, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return func() {}
	}
	write := func(n int) { _ = os.WriteFile(file, strconv.AppendInt(nil, int64(n), 10), 0) }
	write(min(ours+by, 1000))
	return func() { write(ours) }
}
