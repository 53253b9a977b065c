package hold

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// tree holds a run below a holder of its own (see package proctree), where no cgroup can be written.
// The holder starts the main process and reaps it; what it says comes as messages.
type tree struct {
	base
	level  Level          // Tree or UID
	holder *proctree.Tree // nil until the main process is to be started
	order  *Order         // what the holder was told to start

	// The end of a holder is noticed twice: its socket ends, and wait4 returns the holder.
	silent, dead bool
	// gone says that the holder has ended and that its end has been handled.
	gone bool
	// helper is what is known of the exec helper below the holder.
	helper helperState
}

// helperState is what an exec helper has said.
type helperState struct {
	isUsed bool
	isDone bool  // it has said something, or executed the command
	err    error // what it found wrong
}

func (t *tree) Level() Level { return t.level }

// Start has the holder start the main process.
func (t *tree) Start(o *Order) (Progress, error) {
	h := &helperSetup{Order: o}
	defer h.close()
	order := t.holderOrder(o)
	var report *os.File
	t.helper = helperState{isUsed: o.needsHelper()}
	if t.helper.isUsed {
		h.number = func(f *os.File) int { // a holder passes descriptors on in this order
			order.Files = append(order.Files, int(f.Fd()))
			return len(order.Files) - 1
		}
		var err error
		report, order.Args, err = h.pack(nil)
		if err != nil {
			return 0, t.helperError(report, err)
		}
		order.Path, order.User = child.SelfExe, nil // the helper sees to the user
	}
	holder, err := t.home.holderFor(order, proctree.Place{SameSession: o.SharesSession})
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

// helperError closes the report of an exec helper that could not be started, if there was to be one,
// and says so.
func (t *tree) helperError(report *os.File, err error) error {
	if report != nil {
		report.Close()
	}
	return helperFailure(t.helper.isUsed, err)
}

// holderOrder is the order in the words of the holder.
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

// Abandon kills a holder that is stuck in the start of the main process. What comes of that is told
// by its end, and, while something that it has left outlives it, asked for again.
func (t *tree) Abandon() error {
	if t.dead {
		t.holderEnded()
		return nil
	}
	return unix.Kill(t.holder.Pid, unix.SIGKILL)
}

// Adopter is the holder, as long as there is one.
func (t *tree) Adopter() int {
	if t.isHeld() {
		return t.holder.Pid
	}
	return t.base.Adopter()
}

// isHeld tells whether the holder is the parent of the main process, and not we.
func (t *tree) isHeld() bool { return t.holder != nil && !t.gone }

// isLost tells whether somebody has killed the holder, and left what it held to us.
func (t *tree) isLost() bool { return t.holder != nil && t.gone && t.holder.Lost() }

func (t *tree) Owns(pid int) bool {
	holder := 0
	if t.isHeld() {
		holder = t.holder.Pid
	}
	return descends(pid, t.main.Pid, holder)
}

func (t *tree) Procs() ([]int, error) {
	if t.holder == nil {
		return nil, nil
	}
	list := t.holder.Procs
	if t.isLost() || t.dead && !t.gone { // its pid may be another's

		list = func() ([]int, error) { return t.home.orphans(0) }
	}
	begun := time.Now()
	pids, err := list()
	there, slow := proc.Alive(pids, t.holder.Frozen, begun)
	return there, errors.Join(err, slow)
}

// SignalMain has the holder signal the main process: nobody else knows that its pid is not
// another's by now.
func (t *tree) SignalMain(sig syscall.Signal, group bool) error {
	if !group && t.isHeld() {
		return t.holder.SignalMain(sig)
	}
	return t.base.SignalMain(sig, group)
}

func (t *tree) Signal(sig syscall.Signal) error { return t.holder.Signal(sig) }

func (t *tree) Freeze() error { return t.holder.Freeze() }

func (t *tree) Thaw() error { return t.holder.Thaw() }

func (t *tree) Frozen() bool { return t.holder != nil && t.holder.Frozen }

// HasStopped cannot tell: Freeze stops the processes too.
func (t *tree) HasStopped(proc.Process) bool { return false }

// Kill kills ourselves what a lost holder has left. A holder that is too busy to hear more has heard
// of an earlier kill, and kills until nothing is left.
func (t *tree) Kill() error {
	if t.isLost() {
		_, err := t.home.orphans(unix.SIGKILL)
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
		left, err := t.home.orphans(unix.SIGKILL)
		return err == nil && len(left) == 0
	}
	return t.holder == nil || t.holder.Empty || t.gone
}

func (t *tree) Usage() Usage {
	if t.holder == nil || !t.holder.Empty {
		return Usage{}
	}
	used := t.holder.Used.User + t.holder.Used.System
	return Usage{CPU: &used}
}

// Remove gives the holder up. It ends by itself once nothing is left.
func (t *tree) Remove() error {
	if t.holder == nil {
		return nil
	}
	return t.holder.Close()
}
