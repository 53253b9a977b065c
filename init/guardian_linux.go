package supervisor

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// guardianName is argv[0] of the guardian: our binary once more, which does for a supervisor
// that is not process 1 what the kernel does for one that is: when it dies, its jobs die.
const guardianName = "cginit-guardian"

// guardian is the supervisor's side of it. It sits in a session of its own, so that what kills
// our process group does not kill it too. The pipe tells it of our death: only we hold the
// end that writes, and the kernel closes it however we die.
type guardian struct {
	jobs  cgroup.Dir
	mount int // descriptor that jobs leads through; -1: none
	life  *os.File
	pid   int
	retry time.Time // when to start it again; zero: it lives
	delay time.Duration
}

// guardianDelay is the first delay before a lost guardian is replaced; it doubles up to the
// second.
const guardianDelay, guardianDelayMost = 100 * time.Millisecond, 30 * time.Second

func startGuardian(h *home) (*guardian, error) {
	g := &guardian{jobs: h.jobs, mount: h.mount, delay: guardianDelay}
	return g, g.start()
}

func (g *guardian) start() error {
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("cannot make a pipe: %w", err)
	}
	defer read.Close()
	files := []uintptr{0: ^uintptr(0), 1: ^uintptr(0), 2: 2, 3: read.Fd()}
	if g.mount >= 0 {
		_, _ = unix.FcntlInt(uintptr(g.mount), unix.F_SETFD, 0)
		defer unix.CloseOnExec(g.mount)
	}
	pid, err := syscall.ForkExec(selfExe, []string{guardianName, string(g.jobs)}, &syscall.ProcAttr{
		Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		write.Close()
		return err
	}
	if g.life != nil {
		g.life.Close()
	}
	g.life, g.pid, g.retry = write, pid, time.Time{}
	return nil
}

// lost is told that the guardian has died before us.
func (g *guardian) lost(now time.Time) {
	g.pid, g.retry = 0, now.Add(g.delay)
	g.delay = min(2*g.delay, guardianDelayMost)
}

// dismiss ends the guardian: there is nothing left to guard.
func (g *guardian) dismiss() {
	if g.pid == 0 {
		return
	}
	_ = unix.Kill(g.pid, unix.SIGKILL)
	for {
		if _, err := syscall.Wait4(g.pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

// runGuardian is the guardian's whole life: it waits for the supervisor's death, then kills
// the jobs until the kernel says that none is left. It never returns.
func runGuardian(args []string) {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "cginit: "+guardianName+" is cginit's own")
		os.Exit(StatusFailed)
	}
	// It ends with its supervisor and not before: it catches what would end it.
	ignored := make(chan os.Signal, 1)
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		if sig != unix.SIGURG {
			signal.Notify(ignored, sig)
		}
	}
	var b [1]byte
	for {
		// The supervisor never writes: whatever comes is the end.
		if _, err := unix.Read(3, b[:]); err != unix.EINTR {
			break
		}
	}
	jobs := cgroup.Dir(args[1])
	if err := killAll(jobs); err != nil {
		fmt.Fprintf(os.Stderr, "cginit: the supervisor was killed, and its guardian %d cannot end its jobs: %v\n", os.Getpid(), err)
		os.Exit(StatusFailed)
	}
	os.Exit(0)
}

// killAll kills until the cgroup is empty, and removes it.
func killAll(jobs cgroup.Dir) error {
	file, err := os.Open(string(jobs) + "/cgroup.events")
	if err != nil {
		return err
	}
	poll := []unix.PollFd{{Fd: int32(file.Fd()), Events: unix.POLLPRI}}
	for {
		_ = jobs.Freeze() // for kernels without cgroup.kill: nobody forks meanwhile
		if err := jobs.Kill(); err != nil {
			return err
		}
		if e, err := jobs.Events(); err == nil && !e.Populated && jobs.Remove() == nil {
			return nil
		}
		if _, err := unix.Poll(poll, int(killRetry.Milliseconds())); err != nil && err != unix.EINTR {
			return fmt.Errorf("cannot wait for %s: %w", strconv.Quote(string(jobs)), err)
		}
	}
}
