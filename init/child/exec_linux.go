package child

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/status"
	"github.com/cginit/cginit/internal/birth"
	"github.com/cginit/cginit/internal/self"
	"golang.org/x/sys/unix"
)

// Run does the work of the exec helper or of a probe, if the arguments say that this process is one, and
// returns its exit status. is tells whether it is one.
func Run(args []string) (exitStatus int, is bool) {
	if rest, is := self.Exec.Is(args); is {
		return runExec(rest), true
	}
	if rest, is := self.Probe.Is(args); is {
		return runProbe(rest), true
	}
	return 0, false
}

// runExec is the exec helper: our binary, executed between the fork and the exec of a command. It does what a
// bare fork cannot, such as taking the terminal, or setting LISTEN_PID to its own pid. It executes the command,
// and returns only if that fails, with the exit status, after it has written the error to the status pipe.
func runExec(args []string) int {
	runtime.LockOSThread() // capabilities belong to a thread, and this thread becomes the command
	var setup Setup
	if len(args) < 2 || json.Unmarshal([]byte(args[0]), &setup) != nil {
		fmt.Fprintln(os.Stderr, "cginit: "+self.NotForUsers)
		return status.Failed
	}
	for _, fd := range []int{setup.Terminal, setup.Status, setup.Ready} {
		if fd >= 0 {
			unix.CloseOnExec(fd)
		}
	}
	err := setup.prepare()
	if e := setup.placeReady(); err == nil {
		err = e
	}
	report := os.NewFile(uintptr(setup.Status), "status")
	if err != nil {
		fmt.Fprintf(report, "0 %v", err)
		return status.Failed
	}
	env := birth.Environ(os.Environ)
	if setup.ListenPid {
		env = append(withoutListenPid(env), "LISTEN_PID="+strconv.Itoa(os.Getpid()))
	}
	err = execute(setup.Path, args[1:], env)
	var errno syscall.Errno
	errors.As(err, &errno)
	fmt.Fprintf(report, "%d %s", int(errno), setup.Path)
	return ExitStatus(&ExecError{Path: setup.Path, Err: err})
}

// An exec that fails for now is tried again every execRetry for execGiveUp, as long as a fork is.
const execRetry, execGiveUp = 10 * time.Millisecond, time.Second

// execute executes a program, a script without "#!" by the shell as execvp(3) does. It returns only if that
// fails. Somebody may still be writing the file (ETXTBSY).
func execute(path string, args, env []string) (err error) {
	for begun := time.Now(); ; {
		err = syscall.Exec(path, args, env)
		if err == unix.ENOEXEC {
			err = syscall.Exec("/bin/sh", append([]string{"sh", path}, args[1:]...), env)
		}
		if !IsBusy(err) || time.Since(begun) > execGiveUp {
			return err
		}
		_, _ = unix.Poll(nil, int(execRetry.Milliseconds()))
	}
}

// prepare takes the terminal and takes the identity of the job.
func (u *Setup) prepare() error {
	if err := u.takeTerminal(); err != nil {
		return fmt.Errorf("cannot take the terminal: %w", err)
	}
	return assume(&u.Identity)
}

// placeReady moves the readiness descriptor to its number. It comes last, because another
// descriptor may have that number. Only the status pipe is still needed then, and moves away.
func (u *Setup) placeReady() error {
	if u.Ready < 0 {
		return nil
	}
	if u.Status == u.ReadyAs {
		moved, err := unix.FcntlInt(uintptr(u.Status), unix.F_DUPFD_CLOEXEC, u.ReadyAs+1)
		if err != nil {
			return err
		}
		u.Status = moved
	}
	if u.Ready == u.ReadyAs { // dup3 refuses two equal numbers
		_, err := unix.FcntlInt(uintptr(u.Ready), unix.F_SETFD, 0)
		return err
	}
	return unix.Dup3(u.Ready, u.ReadyAs, 0)
}

// takeTerminal makes the terminal the controlling terminal of our session, or our process group its
// foreground group.
func (u *Setup) takeTerminal() error {
	switch {
	case u.Terminal < 0:
		return nil
	case u.OwnTerminal:
		return unix.IoctlSetInt(u.Terminal, unix.TIOCSCTTY, 0)
	}
	return SetForeground(u.Terminal, unix.Getpgrp())
}

// SetForeground makes a process group the foreground group of a terminal. It blocks SIGTTOU
// meanwhile, with which the kernel would stop a background group that does this.
func SetForeground(tty, group int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var block, before unix.Sigset_t
	block.Val[0] = 1 << (unix.SIGTTOU - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &block, &before); err != nil {
		return err
	}
	err := unix.IoctlSetPointerInt(tty, unix.TIOCSPGRP, group)
	return errors.Join(err, unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil))
}

// withoutListenPid returns env without LISTEN_PID, which the helper sets to the command's own pid.
func withoutListenPid(env []string) []string {
	var rest []string
	for _, kv := range env {
		if !strings.HasPrefix(kv, "LISTEN_PID=") {
			rest = append(rest, kv)
		}
	}
	return rest
}
