package hold

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/priority"
	"github.com/cginit/cginit/init/spawn"
	"github.com/cginit/cginit/init/status"
	"github.com/cginit/cginit/internal/rawfile"
	"github.com/cginit/cginit/internal/self"
	"golang.org/x/sys/unix"
)

// guardian is the supervisor's side of the guardian. The kernel kills everything when a process 1 dies; the
// guardian does the same for the jobs of a supervisor that is not process 1. It executes our binary and waits in
// a read of a pipe. Only we hold the writing end of the pipe, and the kernel closes it however we die. Then the guardian
// kills the jobs, and executes our binary again to make sure and to remove the cgroups. Until then it costs
// next to nothing: in a binary with an entry of its own (internal/birth) it waits there, in assembly.
type guardian struct {
	home  *Home
	life  int           // the writing end of the pipe
	pid   int           // 0 while it is lost
	retry time.Time     // when it is started again; zero: it lives
	delay time.Duration // how long the next loss delays that

	hasStood  bool           // a guardian has stood
	beginning *spawn.Process // the guardian that is about to stand; nil: there is none
	lent      []int          // the descriptors that it gets
}

// guardianDelay is the delay before a lost guardian is replaced. It doubles with each loss up to
// guardianDelayMost.
const guardianDelay, guardianDelayMost = 100 * time.Millisecond, 30 * time.Second

// Guard starts the guardian if one is needed: if cgroups hold the jobs and we are not process 1. The first start
// of a main process waits for it; if more than one command can run, Guard does.
func (h *Home) Guard() error {
	if h.level == h.weakest { // holders start the commands
		h.doMeanwhile()
	}
	if h.level != Cgroup || h.isPid1 {
		return nil
	}
	h.guardian = &guardian{home: h, delay: guardianDelay}
	if err := h.guardian.begin(); err != nil {
		return err
	}
	h.doMeanwhile()
	if h.isAlone {
		return nil
	}
	return h.guardian.stand()
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
	err := g.begin()
	if err == nil {
		err = g.await()
	}
	if err != nil {
		g.lost(now)
	}
	h.complain("start the guardian", err)
}

// guardianWait is how long await waits for the exec of the guardian.
const guardianWait = time.Second

// begin begins to start the guardian with a new pipe.
func (g *guardian) begin() error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("cannot start the guardian: cannot make a pipe: %w", err)
	}
	if g.life > 0 {
		unix.Close(g.life)
	}
	g.life, g.retry = pipe[1], time.Time{}
	if err := g.spawn(pipe[0]); err != nil {
		g.takeBack()
		return fmt.Errorf("cannot start the guardian: %w", err)
	}
	return nil
}

// takeBack closes the descriptors that the guardian gets.
func (g *guardian) takeBack() {
	for _, fd := range g.lent {
		unix.Close(fd)
	}
	g.lent = nil
}

// stand returns once the first guardian stands. It begins another one if the first has failed or died.
// g is nil if none is needed. A guardian that is lost later is replaced by [Home.Expire].
func (g *guardian) stand() error {
	if g == nil || g.hasStood {
		return nil
	}
	if g.beginning == nil {
		if err := g.begin(); err != nil {
			return err
		}
	}
	return g.await()
}

// await waits until the guardian that was begun stands. It returns nil if there is nothing to wait for.
func (g *guardian) await() error {
	if g == nil || g.beginning == nil {
		return nil
	}
	_, err := g.beginning.Executed(guardianWait)
	if err != nil {
		endStart(g.beginning)
		var e *spawn.Error
		if errors.As(err, &e) && e.Step == "" { // it would count as an error of the command
			err = e.Err
		}
		err = fmt.Errorf("cannot start the guardian: %w", self.Explain(err))
	} else {
		g.pid, g.hasStood = g.beginning.Pid, true
		priority.Claim(g.pid)
	}
	g.beginning = nil
	g.takeBack()
	return err
}

// spawn begins the guardian, which gets the reading end of a pipe. It leads a session and has all signals
// blocked, so that only the end of the supervisor ends it.
func (g *guardian) spawn(life int) error {
	g.lent = append(g.lent, life)
	events, err := rawfile.Open(string(g.home.jobs)+"/cgroup.events", unix.O_RDONLY)
	if err != nil {
		return fmt.Errorf("cannot open cgroup.events: %w", err)
	}
	g.lent = append(g.lent, events)
	kill, err := rawfile.Open(string(g.home.jobs)+"/cgroup.kill", unix.O_WRONLY)
	if err != nil { // before Linux 5.14 only the remover kills, by pid
		kill = life
	} else {
		g.lent = append(g.lent, kill)
	}
	exe := self.Exe()
	p := &spawn.Program{
		Path: exe, Args: self.Guardian.Args(append([]string{strconv.Itoa(events), exe}, self.Remover.Args(g.home.args()...)...)...),
		Files: [3]int{life, kill, 2}, Keep: []int{events}, Cgroup: -1, Join: -1, NewSession: true, Deaf: true,
	}
	if g.home.mount >= 0 { // the paths in the arguments lead through it
		p.Keep = append(p.Keep, g.home.mount)
	}
	g.beginning, err = spawn.Begin(p)
	return err
}

// is tells whether a child is the guardian, which may not stand yet.
func (g *guardian) is(pid int) bool {
	return g != nil && (pid == g.pid || g.beginning != nil && pid == g.beginning.Forked())
}

// lost records that the guardian has died before us.
func (g *guardian) lost(now time.Time) {
	g.beginning = nil
	g.takeBack()
	g.pid, g.retry = 0, now.Add(g.delay)
	g.delay = min(2*g.delay, guardianDelayMost)
}

// DismissGuardian ends the guardian once there is nothing left to guard. AwaitGuardian waits for its end.
func (h *Home) DismissGuardian() {
	_ = h.guardian.await()
	if h.guardian != nil && h.guardian.pid != 0 {
		_ = unix.Kill(h.guardian.pid, unix.SIGKILL)
	}
}

// AwaitGuardian waits until a guardian that was dismissed has ended.
func (h *Home) AwaitGuardian() {
	if h.guardian != nil && h.guardian.pid != 0 {
		endChild(h.guardian.pid)
	}
}

// endChild kills a child of ours and waits for it. Numbers below 1 are not a pid: kill(2) takes -1 for everybody.
func endChild(pid int) {
	if pid < 1 {
		return
	}
	_ = unix.Kill(pid, unix.SIGKILL)
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

// RunGuardian does the work of a guardian or remover, if the arguments say that this process is one. It kills the
// jobs of a supervisor that has died until the kernel reports none, removes the cgroups, and returns the exit
// status; is tells whether this process is one of the two.
func RunGuardian(args []string) (exitStatus int, is bool) {
	if rest, is := self.Guardian.Is(args); is && len(rest) > 2 { // this binary has no entry that waits
		awaitEnd(0)
		args = rest[2:]
	}
	rest, is := self.Remover.Is(args)
	if !is {
		return 0, false
	}
	h, ok := homeFromArgs(rest)
	if !ok {
		fmt.Fprintln(os.Stderr, "cginit: "+self.NotForUsers)
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

// awaitEnd returns when a pipe has ended to which nobody writes.
func awaitEnd(pipe int) {
	if name, err := unix.BytePtrFromString("cginit-guardian"); err == nil { // as people and tests look for it
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0, 0, 0)
	}
	var b [1]byte
	for {
		if _, err := unix.Read(pipe, b[:]); err != unix.EINTR {
			return
		}
	}
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
