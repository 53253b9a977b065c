package hold

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/priority"
	"github.com/cginit/cginit/init/status"
	"github.com/cginit/cginit/internal/rawfile"
	"golang.org/x/sys/unix"
)

// guardianName is argv[0] of the guardian. The kernel kills everything when a process 1 dies; the
// guardian does the same for the jobs of a supervisor that is not process 1.
const guardianName = "cginit-guardian"

// guardian is the supervisor's side of the guardian, a fork of ours that waits in a read of a pipe.
// It has its own session, so that a signal to our process group does not kill it too. Only we hold
// the writing end of the pipe, and the kernel closes it however we die. Then the guardian kills the
// jobs, and executes our binary again to make sure and to remove the cgroups. Until then it costs
// next to nothing.
type guardian struct {
	home  *Home
	life  *os.File      // the writing end of the pipe
	pid   int           // 0 while it is lost
	retry time.Time     // when it is started again; zero: it lives
	delay time.Duration // how long the next loss delays that
}

// guardianDelay is the delay before a lost guardian is replaced. It doubles with each loss up to
// guardianDelayMost.
const guardianDelay, guardianDelayMost = 100 * time.Millisecond, 30 * time.Second

// Guard starts the guardian if one is needed: if cgroups hold the jobs and we are not process 1.
func (h *Home) Guard() error {
	if h.level != Cgroup || h.isPid1 {
		return nil
	}
	g := &guardian{home: h, delay: guardianDelay}
	if err := g.start(); err != nil {
		return fmt.Errorf("cannot start the guardian: %w", err)
	}
	h.guardian = g
	return nil
}

// Deadline returns when the caller must call Expire; zero means never.
func (h *Home) Deadline() time.Time {
	if h.guardian == nil {
		return time.Time{}
	}
	return h.guardian.retry
}

// Expire replaces a lost guardian once its delay has passed.
func (h *Home) Expire(now time.Time) {
	g := h.guardian
	if g == nil || g.retry.IsZero() || now.Before(g.retry) {
		return
	}
	err := g.start()
	if err != nil {
		g.lost(now)
	}
	h.complain("start the guardian", err)
}

// start forks the guardian and gives it a new pipe.
func (g *guardian) start() error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("cannot make a pipe: %w", err)
	}
	defer unix.Close(pipe[0])
	life := os.NewFile(uintptr(pipe[1]), "guardian's pipe")
	pid, err := g.fork(pipe)
	if err != nil {
		life.Close()
		return err
	}
	if g.life != nil {
		g.life.Close()
	}
	g.life, g.pid, g.retry = life, pid, time.Time{}
	return nil
}

// fork forks the guardian and returns its pid.
func (g *guardian) fork(pipe [2]int) (int, error) {
	path, err := syscall.BytePtrFromString(child.SelfExe)
	if err != nil {
		return 0, err
	}
	argv, err := syscall.SlicePtrFromStrings(append([]string{guardianName}, g.home.args()...))
	if err != nil {
		return 0, err
	}
	events, err := rawfile.Open(string(g.home.jobs)+"/cgroup.events", unix.O_RDONLY)
	if err != nil {
		return 0, fmt.Errorf("cannot open cgroup.events: %w", err)
	}
	defer unix.Close(events)
	kill, err := rawfile.Open(string(g.home.jobs)+"/cgroup.kill", unix.O_WRONLY)
	if err == nil {
		defer unix.Close(kill)
	} else {
		kill = -1 // before Linux 5.14 the guardian executes our binary, which kills by pid
	}
	v := &vigil{life: pipe[0], ours: pipe[1], kill: kill, events: events, path: path, argv: &argv[0], wishes: priority.Wishes()}
	v.keepOnly(pipe[0], kill, events, g.home.mount)
	if m := g.home.mount; m >= 0 {
		_, _ = unix.FcntlInt(uintptr(m), unix.F_SETFD, 0) // the paths in the guardian's arguments lead through it
		defer unix.CloseOnExec(m)
	}
	pid, err := v.fork()
	if err != nil {
		return 0, fmt.Errorf("cannot fork: %w", err)
	}
	return pid, nil
}

// lost records that the guardian has died before us.
func (g *guardian) lost(now time.Time) {
	g.pid, g.retry = 0, now.Add(g.delay)
	g.delay = min(2*g.delay, guardianDelayMost)
}

// DismissGuardian ends the guardian once there is nothing left to guard.
func (h *Home) DismissGuardian() {
	if h.guardian != nil && h.guardian.pid != 0 {
		endChild(h.guardian.pid)
	}
}

// endChild kills a child of ours and waits for it.
func endChild(pid int) {
	_ = unix.Kill(pid, unix.SIGKILL)
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

// RunGuardian does the work of a guardian whose supervisor has died, if argv[0] says that this
// process is one. It kills the jobs until the kernel reports none, removes the cgroups, and returns
// the exit status; is tells whether this process is a guardian.
func RunGuardian(args []string) (exitStatus int, is bool) {
	if args[0] != guardianName {
		return 0, false
	}
	h, ok := homeFromArgs(args[1:])
	if !ok {
		fmt.Fprintln(os.Stderr, "cginit: "+guardianName+" is cginit's own")
		return status.Failed, true
	}
	err := killAll(h.jobs)
	if err == nil {
		err = h.Close()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "cginit: the supervisor was killed, and its guardian %d cannot end its jobs: %v\n", os.Getpid(), err)
		return status.Failed, true
	}
	return 0, true
}

// killAll kills the processes of the cgroup until it is empty, and removes it. It blocks.
func killAll(jobs cgroup.Dir) error {
	file, err := os.Open(string(jobs) + "/cgroup.events")
	if err != nil {
		return err
	}
	poll := []unix.PollFd{{Fd: int32(file.Fd()), Events: unix.POLLPRI}}
	var events [256]byte
	for wait := closeRetry; ; wait = min(2*wait, time.Second) {
		_, _ = unix.Pread(int(file.Fd()), events[:], 0) // poll reports only changes after this read
		_ = jobs.Freeze()                               // without cgroup.kill, so that nothing forks meanwhile
		err := jobs.Kill()
		if errors.Is(err, unix.EPERM) { // by pid, before Linux 5.14; the next line does more
			err = nil
		}
		if err := errors.Join(err, jobs.KillEach(deliver.Signal)); err != nil {
			return err
		}
		if e, err := jobs.Events(); err == nil && !e.Populated && jobs.Remove() == nil {
			return nil
		}
		if _, err := unix.Poll(poll, int(wait.Milliseconds())); err != nil && err != unix.EINTR {
			return fmt.Errorf("cannot wait for %s: %w", strconv.Quote(string(jobs)), err)
		}
	}
}
