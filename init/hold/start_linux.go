package hold

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cginit/cginit/cgroup"
	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/spawn"
	"github.com/cginit/cginit/internal/rawfile"
	"github.com/cginit/cginit/internal/self"
	"golang.org/x/sys/unix"
)

// IsBusy tells whether a start that failed with this error may succeed a little later.
func IsBusy(err error) bool {
	// EPIPE means that the holder ended before it could read its order.
	return child.IsBusy(err) || errors.Is(err, errHolderEnded) || errors.Is(err, unix.EPIPE)
}

// execWait is how long the loop waits for an exec. Nearly all of them are done by then. While some are not,
// but fewer than execsMost, the loop waits for no other. From then on it waits again, so that there are not
// ever more of them: each holds a thread, which Go's runtime keeps.
const execWait, execsMost = 5 * time.Millisecond, 4

// birthWait is how long the first start waits for a sign that a process can be born in a cgroup here.
const birthWait = time.Second

// birthplace is where a main process is born.
type birthplace struct {
	cgroup, join int // see [spawn.Program]; -1: none
}

// anywhere is the place of a main process that has no cgroup.
var anywhere = birthplace{-1, -1}

// forkMain forks the main process, which executes the command or becomes the exec helper. It is the only
// place where cginit itself forks a process of a job.
func (b *base) forkMain(o *Order, at birthplace) (Progress, error) {
	p := &spawn.Program{
		Path: o.Path, Args: o.Args, Env: o.Env, Dir: o.Dir, Files: o.Files, Keep: o.Inherited,
		NewSession: o.NewSession, NewGroup: !o.SharesGroup && !o.NewSession,
		OOMScoreAdj: raisedOOMScore(b.home.oomMore), Cgroup: at.cgroup, Join: at.join,
		Copies: slices.Contains(b.home.granted, "memory"),
	}
	if !o.needsHelper() {
		if u := o.Identity.User; u != nil {
			p.User = &spawn.User{UID: u.UID, GID: u.GID, Groups: u.Groups}
		}
		progress, err := b.fork(p, func(err error) { b.listener.ExecEnded(execFailure(o, err)) })
		return progress, execFailure(o, err)
	}
	h := &helperSetup{Order: o, number: func(f *os.File) int {
		p.Keep = append(p.Keep, int(f.Fd()))
		return int(f.Fd())
	}}
	defer h.close()
	report, args, err := h.pack()
	if err == nil {
		p.Path, p.Args = self.Exe(), args
		// The helper has something to report only once it is executed itself.
		hear := func(err error) {
			if err == nil {
				b.hearHelper(report, func() bool { return true }, b.listener.ExecEnded)
				return
			}
			report.Close()
			b.listener.ExecEnded(helperFailure(true, err))
		}
		var progress Progress
		if progress, err = b.fork(p, hear); err == nil {
			if progress == Executed {
				hear(nil)
			}
			return Forked, nil
		}
	}
	if report != nil {
		report.Close()
	}
	return 0, helperFailure(true, err)
}

// errNoClone is the error of the first start if a process cannot be born in a cgroup here.
var errNoClone = errors.New("a process cannot be born in its cgroup")

// endStart ends a process that did not execute its program, if there is one.
func endStart(process *spawn.Process) {
	if process != nil {
		endChild(process.Pid)
	}
}

// launch starts a main process once the guardian stands, and waits at most as long as patience for its exec.
func (h *Home) launch(p *spawn.Program, patience time.Duration) (process *spawn.Process, known bool, err error) {
	if err := h.guardian.stand(); err != nil {
		return nil, true, err
	}
	if process, err = spawn.Begin(p); err != nil {
		return nil, true, err
	}
	h.doMeanwhile()
	known, err = process.Executed(patience)
	return process, known, err
}

// fork forks the main process and returns Executed, or Forked if its exec takes longer. Then the loop
// calls late with the outcome.
func (b *base) fork(p *spawn.Program, late func(error)) (Progress, error) {
	patience := execWait
	if b.home.execs > 0 && b.home.execs < execsMost {
		patience = 0
	}
	process, known, err := b.home.launch(p, patience)
	isFirst := p.Cgroup >= 0 && !b.home.hasCloned
	// On a busy machine it takes a while until the first one has shown that it lives.
	for begun := time.Now(); isFirst && !known && !process.HasRun() && time.Since(begun) < birthWait; {
		known, err = process.Executed(execWait)
	}
	var step *spawn.Error
	hasRun := err == nil || errors.As(err, &step)
	switch {
	case isFirst && !hasRun && !IsBusy(err):
		endStart(process)
		return 0, errNoClone
	case hasRun:
		b.home.hasCloned = b.home.hasCloned || p.Cgroup >= 0
	}
	switch {
	case err != nil && !errors.Is(err, spawn.ErrStillborn): // somebody has killed it then
		endStart(process) // it is about to exit, unless somebody has frozen it
		return 0, err
	case known:
		b.started(process.Pid, p.NewSession)
		return Executed, nil
	}
	b.started(process.Pid, p.NewSession)
	b.home.execs++
	go func() {
		err := process.Await()
		b.home.post(func() {
			b.home.execs--
			if errors.Is(err, spawn.ErrStillborn) { // its status tells
				err = nil
			}
			late(err)
		})
	}()
	return Forked, nil
}

// execFailure returns the error of a fork or exec that failed: a temporary one, a missing right of
// cginit, or a [*child.ExecError] if the command itself is the reason. It returns nil for nil.
func execFailure(o *Order, err error) error {
	var step *spawn.Error
	isStep := errors.As(err, &step)
	switch u := o.Identity.User; {
	case err == nil:
		return nil
	case child.IsBusy(err):
		return fmt.Errorf("cannot start %s: %w", o.Path, err)
	case isStep && step.Step == "":
		return &child.ExecError{Path: o.Path, Err: step.Err}
	case isStep && step.Step == spawn.EnterDir:
		return &child.ExecError{What: step.Step, Path: o.Dir, Err: step.Err}
	case errors.Is(err, unix.EPERM) && u != nil:
		return fmt.Errorf("cannot run %s as uid %d: %w (cginit needs CAP_SETUID and CAP_SETGID for that)", o.Path, u.UID, err)
	}
	return fmt.Errorf("cannot start %s: %w", o.Path, err)
}

// helperFailure adds to an error that it was the exec helper that could not be started, if one was
// used.
func helperFailure(isUsed bool, err error) error {
	if !isUsed {
		return err
	}
	return fmt.Errorf("cannot start the exec helper: %w", self.Explain(err))
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
func (h *helperSetup) pack() (report *os.File, args []string, err error) {
	setup := child.Setup{
		Path: h.Path, Terminal: -1, Ready: -1,
		Identity: h.Identity, ListenPid: h.ListenPid, OwnTerminal: h.NewSession,
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

// raisedOOMScore returns our oom_score_adj plus a number, at most 1000, for a child to set before it
// executes anything, so that no process that it forks can lack it. A higher score needs no privilege. It
// returns "" if ours cannot be read.
func raisedOOMScore(by int) string {
	var buf [16]byte
	data, err := rawfile.Read("/proc/self/oom_score_adj", buf[:])
	if err != nil {
		return ""
	}
	ours, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return ""
	}
	return strconv.Itoa(min(ours+by, 1000))
}

// probeClone tells whether a process can be forked into a cgroup below dir, see [cgroupRun.Start]. The child
// of the probe must fail at its exec; any other result is a no.
func probeClone(dir cgroup.Dir) bool {
	fd, err := rawfile.Open(string(dir), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	nothing := &spawn.Program{Path: "/proc/self/nothing", Files: [3]int{fd, fd, fd}, Cgroup: fd, Join: -1}
	process, err := spawn.Begin(nothing)
	if err != nil {
		return false
	}
	known, err := process.Executed(guardianWait)
	endStart(process)
	return known && errors.Is(err, unix.ENOENT)
}
