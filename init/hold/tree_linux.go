package hold

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/init/proctree"
	"github.com/cginit/cginit/internal/self"
	"golang.org/x/sys/unix"
)

// tree holds a run below its own holder (see package proctree), where no cgroup can be written. The
// holder starts the main process, reaps it, and sends us events.
type tree struct {
	base
	level  Level          // UID, Sealed, Tree or Marked
	holder *proctree.Tree // nil until the main process is to be started
	order  *Order         // what the holder was told to start

	// A lost holder is noticed twice: silent says that its socket has ended, dead that wait4 has
	// returned it.
	silent, dead bool
	// gone says that the end of the holder has been handled.
	gone bool
	// helper is the state of the exec helper below the holder.
	helper helperState
}

// helperState is what an exec helper has reported.
type helperState struct {
	isUsed bool
	isDone bool  // it has reported an error, or executed the command
	err    error // the error that it has reported; nil: none
}

func (t *tree) Level() Level { return t.level }

// Start tells the holder to start the main process and returns Pending.
func (t *tree) Start(o *Order) (Progress, error) {
	h := &helperSetup{Order: o}
	defer h.close()
	order := t.holderOrder(o)
	var report *os.File
	t.helper = helperState{isUsed: o.needsHelper()}
	if t.helper.isUsed {
		h.number = func(f *os.File) int { // a holder numbers the descriptors by their place in order.Files
			order.Files = append(order.Files, int(f.Fd()))
			return len(order.Files) - 1
		}
		var err error
		report, order.Args, err = h.pack()
		if err != nil {
			return 0, t.helperError(report, err)
		}
		order.Path, order.User = self.Exe(), nil // the helper changes the user
	}
	holder, err := t.home.holderFor(order, t.home.place(o.SharesSession))
	if err != nil {
		return 0, t.helperError(report, err)
	}
	t.holder, t.order = holder, o
	t.home.holders[holder.Pid] = t
	go t.hear(holder)
	if report != nil {
		t.hearHelper(report, func() bool { return t.holder == holder }, t.helperEnded)
	}
	return Pending, nil
}

// helperError closes the report of an exec helper that could not be started, if there is one, and
// returns the error of the start.
func (t *tree) helperError(report *os.File, err error) error {
	if report != nil {
		report.Close()
	}
	return helperFailure(t.helper.isUsed, err)
}

// holderOrder translates an order for the holder.
func (t *tree) holderOrder(o *Order) proctree.Order {
	order := proctree.Order{
		Path: o.Path, Args: o.Args, Env: o.Env, Dir: o.Dir, OOMMore: t.home.oomMore,
		Setsid:  o.NewSession || !o.SharesSession,
		Setpgid: !o.SharesGroup && !o.NewSession && o.SharesSession,
		Files:   o.Files[:],
	}
	if o.SharesGroup {
		order.Setpgid, order.Pgid = true, unix.Getpgrp()
	}
	if u := o.Identity.User; u != nil {
		order.User = &proctree.User{UID: u.UID, GID: u.GID, Groups: u.Groups}
	}
	if t.level == UID {
		order.Own = &proctree.Own{UID: o.Identity.User.UID, Killer: killerUID()}
	}
	return order
}

// Abandon kills a holder that is stuck in the start of the main process. The end of the holder
// tells the listener. If processes of the holder outlive it, the listener calls Abandon again.
func (t *tree) Abandon() error {
	if t.dead {
		t.holderEnded()
		return nil
	}
	return unix.Kill(t.holder.Pid, unix.SIGKILL)
}

// Adopter returns the pid of the holder, or our own if the holder has ended.
func (t *tree) Adopter() int {
	if t.isHeld() {
		return t.holder.Pid
	}
	return t.base.Adopter()
}

// isHeld tells whether the holder, and not cginit, is the parent of the main process.
func (t *tree) isHeld() bool { return t.holder != nil && !t.gone }

// isLost tells whether the holder was killed and its processes are our children now.
func (t *tree) isLost() bool { return t.holder != nil && t.gone && t.holder.Lost() }

func (t *tree) Owns(pid int) (owns, known bool) {
	holder := 0
	if t.isHeld() {
		holder = t.holder.Pid
	}
	if t.level == Marked && t.holder != nil && proctree.IsMarked(pid, t.holder.Pid) {
		return true, true
	}
	return descends(pid, t.main.Pid, holder)
}

func (t *tree) Procs() ([]int, error) {
	if t.holder == nil {
		return nil, nil
	}
	list := t.holder.Procs
	if t.isLost() || t.dead && !t.gone { // the holder's pid may belong to another process
		list = func() ([]int, error) { return t.orphans(0) }
	}
	begun := time.Now()
	pids, err := list()
	there, slow := proc.Alive(pids, t.holder.Frozen, begun)
	return there, errors.Join(err, slow)
}

// SignalMain lets the holder signal the main process: only its parent knows that the pid does not
// belong to another process by now.
func (t *tree) SignalMain(sig syscall.Signal, group bool) error {
	if !group && t.named == nil && t.isHeld() {
		return t.holder.SignalMain(sig)
	}
	return t.base.SignalMain(sig, group)
}

func (t *tree) SetMain(pid int) error { return t.follow(t, pid) }

func (t *tree) expect(pid int) error {
	if t.isHeld() {
		return t.holder.SetMain(pid)
	}
	t.isOrphaned, t.home.mains[pid] = true, &t.base
	return nil
}

// seek asks the holder, whose messages come in order: it has told of the end already, or says now that
// it knows nothing.
func (t *tree) seek(pid int) bool { return t.isHeld() && t.holder.SetMain(pid) == nil }

func (t *tree) Signal(sig syscall.Signal) error { return t.holder.Signal(sig) }

func (t *tree) Freeze() error { return t.holder.Freeze() }

func (t *tree) Thaw() error { return t.holder.Thaw() }

func (t *tree) Frozen() bool { return t.holder != nil && t.holder.Frozen }

// HasStopped returns false: Freeze sends SIGSTOP, so the two cannot be told apart.
func (t *tree) HasStopped(proc.Process) bool { return false }

// Kill lets the holder kill, or kills the processes of a lost holder itself. EAGAIN is not an
// error: a holder whose socket is full has got an earlier kill, and kills until nothing is left.
func (t *tree) Kill() error {
	if t.isLost() {
		_, err := t.orphans(unix.SIGKILL)
		t.killMain()
		return err
	}
	if err := t.holder.Kill(); !errors.Is(err, unix.EAGAIN) {
		return err
	}
	return nil
}

func (t *tree) Empty() bool {
	if t.isLost() {
		sig := unix.SIGKILL
		if t.level == Marked {
			sig = 0 // another process 1 may wait for them, and nobody could list them any more; Kill comes
		}
		left, err := t.orphans(sig)
		return err == nil && len(left) == 0
	}
	return t.holder == nil || t.holder.Empty || t.gone
}

func (t *tree) Unreaped() (*syscall.WaitStatus, bool) {
	return t.unreapedMain(), t.isHeld() && !t.dead && proc.ChildrenAreDead(t.holder.Pid)
}

func (t *tree) Usage() Usage {
	if t.holder == nil || !t.holder.Empty {
		return Usage{}
	}
	used := t.holder.Used.User + t.holder.Used.System
	return Usage{CPU: &used}
}

// Remove closes the socket of the holder, which ends by itself once nothing is left. A holder that still
// waits for the dead, which tracers keep from it, is killed.
func (t *tree) Remove() error {
	t.release()
	if t.holder == nil {
		return nil
	}
	if t.isHeld() && !t.holder.Empty && !t.dead {
		delete(t.home.holders, t.holder.Pid)
		_ = unix.Kill(t.holder.Pid, unix.SIGKILL)
	}
	return t.holder.Close()
}
