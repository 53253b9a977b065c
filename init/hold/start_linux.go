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
	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// IsBusy tells whether a start that failed with this error may succeed a little later.
func IsBusy(err error) bool {
	// EPIPE means that the holder ended before it could read its order.
	return child.IsBusy(err) || errors.Is(err, errHolderEnded) || errors.Is(err, unix.EPIPE)
}

// sysProcAttr returns what the fork does for the order.
func (o *Order) sysProcAttr() *syscall.SysProcAttr {
	sys := &syscall.SysProcAttr{Setpgid: !o.SharesGroup && !o.NewSession, Setsid: o.NewSession}
	if u := o.Identity.User; u != nil {
		sys.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	return sys
}

// forkCommand forks the main process, which executes the command without a helper.
func (b *base) forkCommand(o *Order, sys *syscall.SysProcAttr) error {
	err := b.fork(o, o.Path, o.Args, sys)
	if errors.Is(err, unix.ENOEXEC) { // like execvp(3), give a script without "#!" to the shell
		err = b.fork(o, "/bin/sh", append([]string{"sh", o.Path}, o.Args[1:]...), sys)
	}
	return err
}

// execFailure returns the error of a fork or exec that failed: a temporary one, a missing right of
// cginit, or a [*child.ExecError] if the command itself is the reason.
func execFailure(o *Order, err error) error {
	switch u := o.Identity.User; {
	case child.IsBusy(err):
		return fmt.Errorf("cannot start %s: %w", o.Path, err)
	case errors.Is(err, unix.EPERM) && u != nil:
		return fmt.Errorf("cannot run %s as uid %d: %w (cginit needs CAP_SETUID and CAP_SETGID for that)", o.Path, u.UID, err)
	}
	return &child.ExecError{Path: o.Path, Err: err}
}

// fork makes the main process of a run. It is the only place where cginit itself forks a process of
// a job.
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

// passOn makes the next fork inherit these descriptors. The caller calls restore after the fork.
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

// forkHelper forks the exec helper, which becomes the main process. join is the cgroup.procs file
// of the cgroup that the helper enters, or nil. forkHelper closes it.
func (b *base) forkHelper(o *Order, join *os.File) (Progress, error) {
	h := &helperSetup{Order: o}
	defer h.close()
	// Without close-on-exec a descriptor keeps its number in the helper, which sets the flag again.
	h.number = func(f *os.File) int {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETFD, 0)
		return int(f.Fd())
	}
	report, args, err := h.pack(join)
	if err == nil {
		sys := o.sysProcAttr()
		sys.Credential = nil // the helper changes the user
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

// helperFailure adds to an error that it was the exec helper that could not be started, if one was
// used.
func helperFailure(isUsed bool, err error) error {
	if !isUsed {
		return err
	}
	return fmt.Errorf("cannot start the exec helper: %w", err)
}

// hearHelper reads the report of the exec helper in a goroutine. The loop then calls then with its
// error, or nil after a successful exec, if the start that the helper belongs to is still the
// present one.
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

// helperSetup is what the exec helper has to do for an order, and the descriptors that it needs for
// that.
type helperSetup struct {
	*Order
	// number returns the number that a descriptor has in the helper.
	number func(*os.File) int
	// handed are our copies of the helper's descriptors.
	handed []*os.File
}

// hand gives a descriptor to the helper and returns its number there.
func (h *helperSetup) hand(f *os.File) int {
	h.handed = append(h.handed, f)
	return h.number(f)
}

// close closes our copies of the helper's descriptors.
func (h *helperSetup) close() {
	for _, f := range h.handed {
		f.Close()
	}
}

// pack returns the arguments of the helper, and our end of the pipe for its report: an error, or
// the end of the pipe once the command is executed. report can be non-nil with an error; the caller
// closes it.
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

// handCopy gives the helper a copy of a descriptor that we keep, and returns its number there; -1
// for -1.
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

// raiseOOMScore raises our oom_score_adj, which the next child inherits. The caller calls restore
// after the fork. Neither needs a privilege. The child has the score from birth, so no process that
// it forks can lack it.
func raiseOOMScore(by int) (restore func()) {
	const file = "/proc/self/oom_score_adj"
	var buf [16]byte
	data, err := rawfile.Read(file, buf[:])
	if err != nil {
		return func() {}
	}
	ours, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return func() {}
	}
	write := func(n int) { rawfile.Write(file, strconv.AppendInt(nil, int64(n), 10)) } // after an error it is as before
	write(min(ours+by, 1000))
	return func() { write(ours) }
}

// probeClone tells whether a process can be forked into a cgroup below dir (CLONE_INTO_CGROUP,
// Linux 5.7). Without CAP_SYS_ADMIN the default seccomp profiles of Docker and containerd answer
// ENOSYS to clone3. Linux 6.14 to 7.2 kill such a child at birth if our own cgroup was ever killed.
// The child of the probe must fail at its exec; any other result is a no.
func probeClone(dir cgroup.Dir) bool {
	fd, err := rawfile.Open(string(dir), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	pid, err := syscall.ForkExec("/proc/self/nothing", nil, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd},
	})
	if err == nil { // killed at birth: the child has executed nothing, but must be reaped
		_, _ = syscall.Wait4(pid, nil, 0, nil)
	}
	return err == unix.ENOENT
}
