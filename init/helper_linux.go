package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/probe"
	"github.com/cginit/cginit/init/proctree"
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
	Ready     int  // what the command writes its readiness to ...
	ReadyAs   int  // ... and the number that it has there
	Identity  config.Identity
	ListenPid bool
}

// spawnByHelper starts the command through the helper, which says by a pipe what it found
// wrong, or, by closing it, that the command is executed.
func (s *Supervisor) spawnByHelper(r *run, path string, io *stdio, sys *syscall.SysProcAttr) error {
	order := helperOrder{
		Path: path, Join: -1, Terminal: -1, Ready: -1, Identity: r.spec.Identity, ListenPid: s.listenPid, Own: r.spec.NewSession || io.tty >= 0,
	}
	var handed []*os.File
	defer func() {
		for _, f := range handed {
			f.Close()
		}
	}()
	t, held := r.containment.(*tree)
	hand := func(f *os.File) int {
		handed = append(handed, f)
		if held { // a holder passes them on in this order
			io.more = append(io.more, f.Fd())
			return 2 + len(io.more)
		}
		// Without close-on-exec it keeps its number in the helper, which sets it again.
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETFD, 0)
		return int(f.Fd())
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("cannot make a pipe: %w", err)
	}
	_ = unix.SetNonblock(pipe[0], true)
	report := os.NewFile(uintptr(pipe[0]), "helper's report")
	order.Status = hand(os.NewFile(uintptr(pipe[1]), "helper's report"))
	err := s.handOver(r, io, &order, hand)
	if err == nil {
		var text []byte
		text, err = json.Marshal(order)
		args := append([]string{helperName, string(text)}, r.spec.Args...)
		switch {
		case err != nil:
		case held:
			err = s.spawnInTree(r, t, selfExe, args, io, sys)
		default:
			err = s.fork(r, selfExe, args, io, sys)
		}
	}
	if err != nil {
		report.Close()
		return fmt.Errorf("cannot start the exec helper: %w", err)
	}
	r.helper = true
	go s.hearHelper(r, report, r.holder())
	return nil
}

// handOver gives the helper the descriptors that it needs.
func (s *Supervisor) handOver(r *run, io *stdio, order *helperOrder, hand func(*os.File) int) error {
	if c, ok := r.containment.(*cgroupRun); ok {
		procs, err := c.dir.OpenJoin()
		if err != nil {
			return err
		}
		order.Join = hand(procs)
	}
	if tty := s.terminalFor(r, io); tty >= 0 {
		fd, err := unix.FcntlInt(uintptr(tty), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return err
		}
		order.Terminal = hand(os.NewFile(uintptr(fd), "terminal"))
	}
	if io.ready != nil {
		ready, err := unix.FcntlInt(io.ready.Fd(), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return err
		}
		order.Ready, order.ReadyAs = hand(os.NewFile(uintptr(ready), "ready")), r.spec.Ready.FD
	}
	return nil
}

// hearHelper waits for what the helper says. It says it, or nothing, before it ends. Where holder
// was to start it that may have failed, and then it has said nothing either.
func (s *Supervisor) hearHelper(r *run, report *os.File, holder *proctree.Tree) {
	text, _ := io.ReadAll(io.LimitReader(report, 4096))
	report.Close()
	err := helperFailure(string(text))
	s.post(func() {
		if r.holder() != holder {
			return // of a start that has failed, and another is under way
		}
		r.helper = false
		switch {
		case err != nil:
			r.book.err = err
			r.failed = true
		case r.main.pid != 0: // else startedMain is still to be told
			s.executed(r)
		}
		s.inspect(r)
	})
}

// helperFailure parses what the helper found wrong; nil: nothing.
func helperFailure(report string) error {
	errno, text, ok := strings.Cut(report, " ")
	if !ok {
		return nil
	}
	number, err := strconv.Atoi(errno)
	if err != nil || number == 0 {
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
	case probe.Name:
		return probe.Run(args), true
	case guardianName:
		return runGuardian(args), true
	}
	return 0, false
}

// runExec executes the command, and returns only if that fails.
func runExec(args []string) int {
	runtime.LockOSThread() // capabilities are a thread's, and this one becomes the command
	var order helperOrder
	if len(args) < 3 || json.Unmarshal([]byte(args[1]), &order) != nil {
		fmt.Fprintln(os.Stderr, "cginit: "+helperName+" is cginit's own")
		return StatusFailed
	}
	for _, fd := range []int{order.Join, order.Terminal, order.Status, order.Ready} {
		if fd >= 0 {
			unix.CloseOnExec(fd)
		}
	}
	err := order.prepare()
	if e := order.placeReady(); err == nil {
		err = e
	}
	report := os.NewFile(uintptr(order.Status), "status")
	if err != nil {
		fmt.Fprintf(report, "0 %v", err)
		return StatusFailed
	}
	env := os.Environ()
	if order.ListenPid {
		env = append(withoutListenPid(env), "LISTEN_PID="+strconv.Itoa(os.Getpid()))
	}
	err = syscall.Exec(order.Path, args[2:], env)
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
	return assume(&o.Identity)
}

// placeReady gives the descriptor for readiness its number, last of all: whatever has that
// number is not needed any more but the pipe for what fails, which moves away.
func (o *helperOrder) placeReady() error {
	if o.Ready < 0 {
		return nil
	}
	if o.Status == o.ReadyAs {
		moved, err := unix.FcntlInt(uintptr(o.Status), unix.F_DUPFD_CLOEXEC, o.ReadyAs+1)
		if err != nil {
			return err
		}
		o.Status = moved
	}
	if o.Ready == o.ReadyAs { // dup3 would refuse it
		_, err := unix.FcntlInt(uintptr(o.Ready), unix.F_SETFD, 0)
		return err
	}
	return unix.Dup3(o.Ready, o.ReadyAs, 0)
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
