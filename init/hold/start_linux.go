package hold

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/child"
	"golang.org/x/sys/unix"
)

// IsBusy tells whether a start that failed with this error may go well a little later.
func IsBusy(err error) bool {
	// EPIPE: the holder could not even be told what to start.
	return child.IsBusy(err) || errors.Is(err, errHolderEnded) || errors.Is(err, unix.EPIPE)
}

// sysProcAttr is what the fork does for the order.
func (o *Order) sysProcAttr() *syscall.SysProcAttr {
	sys := &syscall.SysProcAttr{Setpgid: !o.SharesGroup && !o.NewSession, Setsid: o.NewSession}
	if u := o.Identity.User; u != nil {
		sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	return sys
}

// forkCommand forks the main process, which executes the command itself.
func (b *base) forkCommand(o *Order, sys *syscall.SysProcAttr) error {
	err := b.fork(o, o.Path, o.Args, sys)
	if errors.Is(err, unix.ENOEXEC) { // a script without a first line is the shell's: execvp(3)
		err = b.fork(o, "/bin/sh", append([]string{"sh", o.Path}, o.Args[1:]...), sys)
	}
	return err
}

// execFailure says why the fork or the exec of the command has failed, and whose fault it is.
func execFailure(o *Order, err error) error {
	switch u := o.Identity.User; {
	case child.IsBusy(err):
		return fmt.Errorf("cannot start %s: %w", o.Path, err)
	case errors.Is(err, unix.EPERM) && u != nil:
		return fmt.Errorf("cannot run %s as uid %d: %w (cginit needs CAP_SETUID and CAP_SETGID for that)", o.Path, u.UID, err)
	}
	return &child.ExecError{Path: o.Path, Err: err}
}

// fork is the one place where a process of a job is made by cginit itself.
func (b *base) fork(o *Order, path string, args []string, sys *syscall.SysProcAttr) error {
	defer passOn(o.Inherited)()
	defer raiseOOMScore(b.home.oomMore)()
	pid, err := syscall.ForkExec(path, args, &syscall.ProcAttr{
		Dir: o.Dir, Env: o.Env, Sys: sys,
		Files: []uintptr{uintptr(o.Files[0]), uintptr(o.Files[1]), uintptr(o.Files[2])},
	})
	if err != nil {
		return err
	}
	b.started(pid, sys.Setsid)
	return nil
}

// passOn lets the next fork inherit descriptors, and returns what ends that.
func passOn(fds []int) (restore func()) {
	for _, fd := range fds {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
	}
	return func() {
		for _, fd := range fds {
			unix.CloseOnExec(fd)
		}
	}
}

// forkHelper forks the exec helper, which becomes the main process. join is cgroup.procs of the
// cgroup that the helper enters, nil for none; it is closed.
func (b *base) forkHelper(o *Order, join *os.File) (Progress, error) {
	h := &helperSetup{Order: o}
	defer h.close()
	// Without close-on-exec a descriptor keeps its number in the helper, which sets it again.
	h.number = func(f *os.File) int {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETFD, 0)
		return int(f.Fd())
	}
	report, args, err := h.pack(join)
	if err == nil {
		sys := o.sysProcAttr()
		sys.Credential = nil // the helper sees to it
		err = b.fork(o, child.SelfExe, args, sys)
	}
	if err != nil {
		if report != nil {
			report.Close()
		}
		return 0, helperFailure(true, err)
	}
	b.hearHelper(report, func() bool { return true }, b.listener.ExecEnded)
	return Forked, nil
}

// helperFailure says whether it was the exec helper that could not be started.
func helperFailure(isUsed bool, err error) error {
	if !isUsed {
		return err
	}
	return fmt.Errorf("cannot start the exec helper: %w", err)
}

// hearHelper reads what the exec helper says, and tells it to then, in the loop, if the start that
// it belongs to is still the one under way.
func (b *base) hearHelper(report *os.File, isCurrent func() bool, then func(error)) {
	go func() {
		text, _ := io.ReadAll(io.LimitReader(report, 4096))
		report.Close()
		err := child.Failure(string(text))
		b.home.post(func() {
			if isCurrent() {
				then(err)
			}
		})
	}()
}

// helperSetup is what the exec helper is to do for an order, and the descriptors that it needs.
type helperSetup struct {
	*Order
	// number says which number a descriptor has in the helper.
	number func(*os.File) int
	handed []*os.File
}

func (h *helperSetup) hand(f *os.File) int {
	h.handed = append(h.handed, f)
	return h.number(f)
}

// close closes our copies of what the helper was handed.
func (h *helperSetup) close() {
	for _, f := range h.handed {
		f.Close()
	}
}

// pack returns the arguments of the helper, and the end of the pipe on which it says what it found
// wrong, or, by closing it, that the command is executed.
func (h *helperSetup) pack(join *os.File) (report *os.File, args []string, err error) {
	setup := child.Setup{
		Path: h.Path, Join: -1, Terminal: -1, Ready: -1,
		Identity: h.Identity, ListenPid: h.ListenPid, OwnTerminal: h.NewSession,
	}
	if join != nil {
		setup.Join = h.hand(join)
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("cannot make a pipe: %w", err)
	}
	_ = unix.SetNonblock(pipe[0], true)
	report = os.NewFile(uintptr(pipe[0]), "helper's report")
	setup.Status = h.hand(os.NewFile(uintptr(pipe[1]), "helper's report"))
	if setup.Terminal, err = h.handCopy(h.Terminal, "terminal"); err != nil {
		return report, nil, err
	}
	if h.Ready != nil {
		if setup.Ready, err = h.handCopy(int(h.Ready.Fd()), "ready"); err != nil {
			return report, nil, err
		}
		setup.ReadyAs = h.ReadyAs
	}
	args, err = setup.Args(h.Args)
	return report, args, err
}

// handCopy hands on a descriptor that we keep; -1 stays -1.
func (h *helperSetup) handCopy(fd int, name string) (int, error) {
	if fd < 0 {
		return -1, nil
	}
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return -1, err
	}
	return h.hand(os.NewFile(uintptr(dup), name)), nil
}

// raiseOOMScore raises our oom_score_adj, which a child inherits, and returns what puts it back.
// Neither needs a privilege. The child has it from birth, so nothing that it forks can be without.
func raiseOOMScore(by int) (restore func()) {
	const file = "/proc/self/oom_score_adj"
	var buf [16]byte
	data, err := readFile(file, buf[:])
	if err != nil {
		return func() {}
	}
	ours, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return func() {}
	}
	write := func(n int) { writeFile(file, strconv.AppendInt(nil, int64(n), 10)) } // a failure leaves it equal
	write(min(ours+by, 1000))
	return func() { write(ours) }
}

// probeClone tells whether a process can be born in a cgroup below dir (CLONE_INTO_CGROUP, Linux
// 5.7). The default seccomp profiles of Docker and containerd answer ENOSYS to clone3 without
// CAP_SYS_ADMIN, and Linux 6.14 to 7.2 kill such a child at birth where our own cgroup was ever
// killed. The child here must fail at its exec: anything else is a no.
func probeClone(dir cgroup.Dir) bool {
	fd, err := open(string(dir), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	pid, err := syscall.ForkExec("/proc/self/nothing", nil, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd},
	})
	if err == nil { // killed at birth: nothing was executed, yet it has to be reaped
		_, _ = syscall.Wait4(pid, nil, 0, nil)
	}
	return err == unix.ENOENT
}
