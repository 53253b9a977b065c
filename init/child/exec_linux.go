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

	"github.com/cginit/cginit/init/status"
	"golang.org/x/sys/unix"
)

// execName is argv[0] of the exec helper: our binary once more, between the fork and the exec of
// a command, for what Go cannot do in that place, such as joining the cgroup where clone3 is
// refused, taking the terminal, or becoming the process that LISTEN_PID names.
const execName = "cginit-exec"

// Run does the work of a process of this package if argv[0] says that this process is one, and
// returns its exit status.
func Run(args []string) (exitStatus int, is bool) {
	switch args[0] {
	case execName:
		return runExec(args), true
	case probeName:
		return runProbe(args), true
	}
	return 0, false
}

// runExec executes the command, and returns only if that fails.
func runExec(args []string) int {
	runtime.LockOSThread() // capabilities are a thread's, and this thread becomes the command
	var setup Setup
	if len(args) < 3 || json.Unmarshal([]byte(args[1]), &setup) != nil {
		fmt.Fprintln(os.Stderr, "cginit: "+execName+" is cginit's own")
		return status.Failed
	}
	for _, fd := range []int{setup.Join, setup.Terminal, setup.Status, setup.Ready} {
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
	env := os.Environ()
	if setup.ListenPid {
		env = append(withoutListenPid(env), "LISTEN_PID="+strconv.Itoa(os.Getpid()))
	}
	err = syscall.Exec(setup.Path, args[2:], env)
	if err == unix.ENOEXEC {
		err = syscall.Exec("/bin/sh", append([]string{"sh", setup.Path}, args[3:]...), env)
	}
	var errno syscall.Errno
	errors.As(err, &errno)
	fmt.Fprintf(report, "%d %s", int(errno), setup.Path)
	return ExitStatus(&ExecError{setup.Path, err})
}

func (u *Setup) prepare() error {
	if u.Join >= 0 {
		if _, err := unix.Write(u.Join, []byte("0")); err != nil {
			return fmt.Errorf("cannot join the cgroup: %w", err)
		}
	}
	if err := u.takeTerminal(); err != nil {
		return fmt.Errorf("cannot take the terminal: %w", err)
	}
	return assume(&u.Identity)
}

// placeReady gives the descriptor for readiness its number. It comes last: whatever has that
// number is not needed any more, but for the pipe for what fails, which moves away.
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
	if u.Ready == u.ReadyAs { // dup3 would refuse it
		_, err := unix.FcntlInt(uintptr(u.Ready), unix.F_SETFD, 0)
		return err
	}
	return unix.Dup3(u.Ready, u.ReadyAs, 0)
}

func (u *Setup) takeTerminal() error {
	switch {
	case u.Terminal < 0:
		return nil
	case u.OwnTerminal:
		return unix.IoctlSetInt(u.Terminal, unix.TIOCSCTTY, 0)
	}
	return SetForeground(u.Terminal, unix.Getpgrp())
}

// SetForeground makes a process group the foreground group of a terminal. From a background group
// the kernel would stop us for that with SIGTTOU, so the signal is blocked meanwhile.
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

// withoutListenPid leaves out the variable that the helper sets to the command's own pid.
func withoutListenPid(env []string) []string {
	var rest []string
	for _, kv := range env {
		if !strings.HasPrefix(kv, "LISTEN_PID=") {
			rest = append(rest, kv)
		}
	}
	return rest
}
