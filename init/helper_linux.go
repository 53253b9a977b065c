package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// helperName is argv[0] of the exec helper: our binary once more, between the fork and the
// exec of a command, for what Go cannot do in that place: joining the cgroup where clone3 is
// refused, taking the terminal, becoming the process that LISTEN_PID names.
const helperName = "cginit-exec"

// helperOrder is what the helper is to do; descriptors are -1 where there is nothing to do.
type helperOrder struct {
	Path      string
	Join      int  // cgroup.procs to write ourselves into
	Terminal  int  // whose foreground group we become
	Own       bool // the terminal becomes that of the session that we lead
	Status    int  // pipe for what fails; closed by the exec
	User      *config.User
	ListenPid bool
}

// spawnByHelper starts the command through the helper. What the helper finds wrong is in the
// pipe when it has ended; see helperFailure.
func (s *Supervisor) spawnByHelper(j *job, path string, sys *syscall.SysProcAttr) error {
	order := helperOrder{
		Path: path, Join: -1, Terminal: -1, User: j.spec.User, ListenPid: s.listenPid, Own: j.spec.NewSession,
	}
	var handed []*os.File
	defer func() {
		for _, f := range handed {
			f.Close()
		}
	}()
	hand := func(f *os.File) int {
		handed = append(handed, f)
		// Without close-on-exec it keeps its number in the helper, which sets it again.
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETFD, 0)
		return int(f.Fd())
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return fmt.Errorf("cannot make a pipe: %w", err)
	}
	report := os.NewFile(uintptr(pipe[0]), "helper's report")
	defer func() {
		if j.run.helper == nil {
			report.Close()
		}
	}()
	order.Status = hand(os.NewFile(uintptr(pipe[1]), "helper's report"))
	if c, ok := j.run.containment.(*cgroupRun); ok {
		procs, err := c.dir.OpenJoin()
		if err != nil {
			return err
		}
		order.Join = hand(procs)
	}
	if t := s.terminal; t != nil && (t.given || j.spec.NewSession) {
		tty, err := s.terminal.dup()
		if err != nil {
			return err
		}
		order.Terminal = hand(tty)
	}
	text, err := json.Marshal(order)
	if err != nil {
		return err
	}
	if err := s.fork(j, selfExe, append([]string{helperName, string(text)}, j.spec.Args...), sys); err != nil {
		return fmt.Errorf("cannot start the exec helper: %w", err)
	}
	j.run.helper = report
	return nil
}

// helperFailure returns what the helper of a run that has ended found wrong, nil if it went
// on to execute the command.
func (r *run) helperFailure() error {
	if r.helper == nil {
		return nil
	}
	defer r.helper.Close()
	var report [4096]byte
	n, _ := r.helper.Read(report[:]) // its writer has ended, so this does not wait
	errno, text, ok := strings.Cut(string(report[:n]), " ")
	if !ok {
		return nil
	}
	number, err := strconv.Atoi(errno)
	if err != nil {
		return errors.New(text)
	}
	if number == 0 {
		return errors.New(text)
	}
	return &execError{text, syscall.Errno(number)}
}

// RunHelper does the work of one of the supervisor's own processes, if argv[0] says that this
// one was started for it, and returns its exit status. It is the first thing that main does.
func RunHelper(args []string) (status int, is bool) {
	switch args[0] {
	case helperName:
		return runExec(args), true
	case guardianName:
		return runGuardian(args), true
	}
	return 0, false
}

// runExec executes the command, and returns only if that fails.
func runExec(args []string) int {
	var order helperOrder
	if len(args) < 3 || json.Unmarshal([]byte(args[1]), &order) != nil {
		fmt.Fprintln(os.Stderr, "cginit: "+helperName+" is cginit's own")
		return StatusFailed
	}
	for _, fd := range []int{order.Join, order.Terminal, order.Status} {
		if fd >= 0 {
			unix.CloseOnExec(fd)
		}
	}
	report := os.NewFile(uintptr(order.Status), "status")
	if err := order.prepare(); err != nil {
		fmt.Fprintf(report, "0 %v", err)
		return StatusFailed
	}
	env := os.Environ()
	if order.ListenPid {
		env = append(withoutListenPid(env), "LISTEN_PID="+strconv.Itoa(os.Getpid()))
	}
	err := syscall.Exec(order.Path, args[2:], env)
	if err == unix.ENOEXEC {
		err = syscall.Exec("/bin/sh", append([]string{"sh", order.Path}, args[3:]...), env)
	}
	var errno syscall.Errno
	errors.As(err, &errno)
	fmt.Fprintf(report, "%d %s", int(errno), order.Path)
	return startStatus(&execError{order.Path, err})
}

func (o *helperOrder) prepare() error {
	if o.Join >= 0 {
		if _, err := unix.Write(o.Join, []byte("0")); err != nil {
			return fmt.Errorf("cannot join the cgroup: %w", err)
		}
	}
	if err := o.takeTerminal(); err != nil {
		return fmt.Errorf("cannot take the terminal: %w", err)
	}
	if u := o.User; u != nil {
		groups := make([]int, len(u.Groups))
		for i, g := range u.Groups {
			groups[i] = int(g)
		}
		err := errors.Join(syscall.Setgroups(groups), syscall.Setgid(int(u.GID)), syscall.Setuid(int(u.UID)))
		if err != nil {
			return fmt.Errorf("cannot become uid %d: %w", u.UID, err)
		}
	}
	return nil
}

func (o *helperOrder) takeTerminal() error {
	switch {
	case o.Terminal < 0:
		return nil
	case o.Own:
		return unix.IoctlSetInt(o.Terminal, unix.TIOCSCTTY, 0)
	}
	return setForeground(o.Terminal, unix.Getpgrp())
}

// setForeground makes a process group the terminal's foreground group. From a background
// group the kernel would stop us for that with SIGTTOU, unless it is blocked.
func setForeground(tty, group int) error {
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
