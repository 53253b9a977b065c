package hold

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// errHolderEnded is the error of a start whose holder ended first. The start may be tried again.
var errHolderEnded = errors.New("cannot start it: its holder ended before it could")

// hear runs in a goroutine: it posts each event of a holder to the loop.
func (t *tree) hear(h *proctree.Tree) {
	for {
		e, err := h.Read()
		t.home.post(func() { t.heard(h, e, err) })
		if err != nil {
			return
		}
	}
}

// heard handles one event of a holder. An error means that its socket has ended.
func (t *tree) heard(h *proctree.Tree, e proctree.Event, err error) {
	switch {
	case h != t.holder: // this holder could not start the main process and was given up
		delete(t.home.holders, h.Pid)
		return
	case err != nil:
		t.silent = true
		t.holderEnded()
		return
	}
	h.Note(e)
	switch e.Kind {
	case proctree.Started:
		t.startedMain(e.Pid)
		t.home.keepSpare()
	case proctree.Failed:
		t.home.complain("give up a holder", h.Close())
		t.holder = nil // the next try gets another one
		t.listener.Started(0, t.failed(e.Err))
	case proctree.Stopped:
		t.listener.MainStopped()
	case proctree.MainExited:
		t.reaped(e.Pid, e.Status)
	case proctree.MainGone:
		if e.Pid == t.main.Pid {
			t.lost()
		}
	case proctree.Frozen, proctree.Empty:
		t.listener.Changed()
	case proctree.Continued:
	}
}

// startedMain records the main process and reports the start, with what the exec helper has said so
// far.
func (t *tree) startedMain(pid int) {
	t.main = Main{Pid: pid, Session: sessionOf(pid)}
	switch h := &t.helper; {
	case !h.isUsed, h.isDone && h.err == nil:
		t.listener.Started(Executed, nil)
	case !h.isDone:
		t.listener.Started(Forked, nil)
	default:
		t.listener.Started(Forked, nil)
		t.listener.ExecEnded(h.err)
	}
}

// helperEnded records what the exec helper has said. That can come before the holder reports the
// start, and is reported after it then.
func (t *tree) helperEnded(err error) {
	t.helper.isDone, t.helper.err = true, err
	if t.main.Pid != 0 {
		t.listener.ExecEnded(err)
	}
}

// failed returns the error of a holder that could not execute the command: a temporary error as it
// is, any other as a [*child.ExecError].
func (t *tree) failed(err error) error {
	if child.IsBusy(err) {
		return fmt.Errorf("cannot start %s: %w", t.order.Path, err)
	}
	return &child.ExecError{Path: t.order.Path, Err: err}
}

// sessionOf returns the session of a process. If it has ended already, its own pid is the best
// guess.
func sessionOf(pid int) int {
	if p, err := proc.Read(pid); err == nil {
		return p.Session
	}
	return pid
}

// holderEnded handles the end of a holder, which has done its work or was killed. If it was killed,
// its processes are our children now, and cannot be told from those of other lost holders. Unless
// the holder has reported that nothing is left, its end counts only once wait4 has returned it: a
// dying process closes its files before its children get another parent.
func (t *tree) holderEnded() {
	if !t.silent || !t.holder.Empty && !t.dead {
		return
	}
	delete(t.home.holders, t.holder.Pid)
	switch {
	case t.main.Pid == 0:
		t.holderEndedEarly()
	case !t.holder.Lost():
		t.gone = true
		t.listener.Changed()
	default:
		t.takeOver()
	}
}

// holderEndedEarly handles a holder that ended before it reported the start.
func (t *tree) holderEndedEarly() {
	left, err := t.orphans(unix.SIGKILL)
	t.home.complain("kill what a holder has left", err)
	if len(left) > 0 && t.listener.AwaitsOrphans() {
		return
	}
	t.home.complain("give up a holder", t.holder.Close())
	t.holder, t.silent, t.dead = nil, false, false
	t.listener.Started(0, errHolderEnded)
}

// takeOver takes over the processes of a lost holder: the main process and the orphans are our
// children now. They cannot be told from those of other lost holders, so all children that belong
// to nobody are killed. The run has ended when none of them is left.
func (t *tree) takeOver() {
	t.gone = true
	t.listener.HolderLost()
	switch {
	case t.ended:
	case t.level == Marked && !isChild(t.main.Pid): // another process 1 waits for it: its pid says nothing from now on
		t.ended = true
		t.listener.MustKill() // lists it before it is dead
		t.listener.MainEnded(syscall.WaitStatus(unix.SIGKILL))
		return
	case unix.Kill(t.main.Pid, 0) == unix.ESRCH: // the holder has reaped it but did not report its status
		t.ended = true
		t.listener.MainEnded(syscall.WaitStatus(unix.SIGKILL))
	default:
		t.isOrphaned = true
		t.home.mains[t.main.Pid] = &t.base
	}
	t.listener.MustKill()
}

// isChild tells whether a process is a child of ours.
func isChild(pid int) bool {
	p, err := proc.Read(pid)
	return err == nil && p.PPid == os.Getpid()
}

// isHolder handles what wait4 returns for a holder. It returns false if the process is not a
// holder.
func (h *Home) isHolder(pid int, ws syscall.WaitStatus) bool {
	t := h.holders[pid]
	if t == nil {
		return false
	}
	if t.holder != nil && t.holder.Pid == pid && t.holder.Waited(ws) {
		t.dead = true
		t.holderEnded()
	}
	return true
}

// orphans signals the processes that lost holders have left to us, and returns their pids. Signal 0 only returns
// them. At level Marked the mark tells those of this holder from all others.
func (t *tree) orphans(sig syscall.Signal) ([]int, error) {
	if t.level == Marked {
		return proctree.SweepMarked(sig, t.holder.Pid)
	}
	h := t.home
	return proctree.Sweep(sig, func(pid int) bool {
		main := h.mains[pid]
		return h.isOurs(pid) || main != nil && !main.isOrphaned
	})
}
