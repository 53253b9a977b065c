package supervisor

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/cginit/cginit/cgroup"
	"golang.org/x/sys/unix"
)

// guardianName is argv[0] of the guardian: what does for a supervisor that is not process 1
// what the kernel does for one that is: when it dies, its jobs die.
const guardianName = "cginit-guardian"

// guardian is the supervisor's side of it. The guardian is a fork of ours that waits in a read
// of a pipe, in a session of its own, so that what kills our process group does not kill it
// too. Only we hold the end that writes, and the kernel closes it however we die: then the
// guardian kills, and then becomes our binary once more, to make sure and to remove the
// cgroups. Until then it costs next to nothing.
type guardian struct {
	home  *home
	life  *os.File
	pid   int
	retry time.Time // when to start it again; zero: it lives
	delay time.Duration
}

// guardianDelay is the first delay before a lost guardian is replaced; it doubles up to the
// second.
const guardianDelay, guardianDelayMost = 100 * time.Millisecond, 30 * time.Second

func startGuardian(h *home) (*guardian, error) {
	g := &guardian{home: h, delay: guardianDelay}
	return g, g.start()
}

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

func (g *guardian) fork(pipe [2]int) (int, error) {
	path, err := syscall.BytePtrFromString(selfExe)
	if err != nil {
		return 0, err
	}
	argv, err := syscall.SlicePtrFromStrings(append([]string{guardianName}, g.home.args()...))
	if err != nil {
		return 0, err
	}
	events, err := open(string(g.home.jobs)+"/cgroup.events", unix.O_RDONLY)
	if err != nil {
		return 0, fmt.Errorf("cannot open cgroup.events: %w", err)
	}
	defer unix.Close(events)
	kill, err := open(string(g.home.jobs)+"/cgroup.kill", unix.O_WRONLY)
	if err == nil {
		defer unix.Close(kill)
	} else {
		kill = -1 // before Linux 5.14: it kills by pid, once it is executed
	}
	v := &vigil{life: pipe[0], ours: pipe[1], kill: kill, events: events, path: path, argv: &argv[0]}
	v.keepOnly(pipe[0], kill, events, g.home.mount)
	if m := g.home.mount; m >= 0 {
		_, _ = unix.FcntlInt(uintptr(m), unix.F_SETFD, 0) // its paths lead through it, once it is executed
		defer unix.CloseOnExec(m)
	}
	pid, err := v.fork()
	if err != nil {
		return 0, fmt.Errorf("cannot fork: %w", err)
	}
	return pid, nil
}

// lost is told that the guardian has died before us.
func (g *guardian) lost(now time.Time) {
	g.pid, g.retry = 0, now.Add(g.delay)
	g.delay = min(2*g.delay, guardianDelayMost)
}

// dismiss ends the guardian: there is nothing left to guard.
func (g *guardian) dismiss() {
	if g.pid != 0 {
		endChild(g.pid)
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

// runGuardian is what the guardian does when its supervisor has died: it kills the jobs until
// the kernel says that none is left, and removes their cgroups.
func runGuardian(args []string) int {
	h, ok := homeFromArgs(args[1:])
	if !ok {
		fmt.Fprintln(os.Stderr, "cginit: "+guardianName+" is cginit's own")
		return StatusFailed
	}
	err := killAll(h.jobs)
	if err == nil {
		err = h.close()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "cginit: the supervisor was killed, and its guardian %d cannot end its jobs: %v\n", os.Getpid(), err)
		return StatusFailed
	}
	return 0
}

// killAll kills until the cgroup is empty, and removes it.
func killAll(jobs cgroup.Dir) error {
	file, err := os.Open(string(jobs) + "/cgroup.events")
	if err != nil {
		return err
	}
	poll := []unix.PollFd{{Fd: int32(file.Fd()), Events: unix.POLLPRI}}
	var events [256]byte
	for wait := killRetry; ; wait = min(2*wait, time.Second) {
		_, _ = unix.Pread(int(file.Fd()), events[:], 0) // only what changes after that wakes us
		_ = jobs.Freeze()                               // for kernels without cgroup.kill: nobody forks meanwhile
		if err := jobs.Kill(); err != nil {
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
