package hold

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/proc"
	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

var errHolderEnded = errors.New("cannot start it: its holder ended before it could")

// hear turns what a holder says into messages.
func (t *tree) hear(h *proctree.Tree) {
	for {
		e, err := h.Read()
		t.home.post(func() { t.heard(h, e, err) })
		if err != nil {
			return
		}
	}
}

// heard handles one thing that a holder has said, or with an error the end of its socket.
func (t *tree) heard(h *proctree.Tree, e proctree.Event, err error) {
	switch {
	case h != t.holder: // it could not start the main process, and was given up
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
		t.holder = nil // the next try has another
		t.listener.Started(0, t.failed(e.Err))
	case proctree.Stopped:
		t.listener.MainStopped()
	case proctree.MainExited:
		t.ended = true
		t.listener.MainEnded(e.Status)
	case proctree.Frozen, proctree.Empty:
		t.listener.Changed()
	case proctree.Continued:
	}
}

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

// helperEnded takes what the exec helper has said. The holder may not have told of its start yet.
func (t *tree) helperEnded(err error) {
	t.helper.isDone, t.helper.err = true, err
	if t.main.Pid != 0 {
		t.listener.ExecEnded(err)
	}
}

// failed says why the holder could not execute the command: for want of something that may be there
// later, or because of the command.
func (t *tree) failed(err error) error {
	if child.IsBusy(err) {
		return fmt.Errorf("cannot start %s: %w", t.order.Path, err)
	}
	return &child.ExecError{Path: t.order.Path, Err: err}
}

func sessionOf(pid int) int {
	if p, err := proc.Read(pid); err == nil {
		return p.Session
	}
	return pid
}

// holderEnded handles the end of a holder: it has done its work, or somebody has killed it. In the
// second case what it held has been left to us, and can no longer be told from what other lost
// holders held. That is so once the holder has been waited for: a process that dies closes its files
// before its children become its parent's.
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

// holderEndedEarly is for a holder that could not begin, or not say that it had.
func (t *tree) holderEndedEarly() {
	left, err := t.home.orphans(unix.SIGKILL)
	t.home.complain("kill what a holder has left", err)
	if len(left) > 0 && t.listener.AwaitsOrphans() {
		return
	}
	t.home.complain("give up a holder", t.holder.Close())
	t.holder, t.silent, t.dead = nil, false, false
	t.listener.Started(0, errHolderEnded)
}

// takeOver takes over from a lost holder: the main process and the orphans are our children now.
// Which of them are this run's cannot be told from those of other holders that were lost, so all
// that are nobody's are killed. The run has ended when none is left.
func (t *tree) takeOver() {
	t.gone = true
	t.listener.HolderLost()
	switch {
	case t.ended:
	case unix.Kill(t.main.Pid, 0) == unix.ESRCH: // the holder has reaped it, and could not say how it ended
		t.ended = true
		t.listener.MainEnded(syscall.WaitStatus(unix.SIGKILL))
	default:
		t.isOrphaned = true
		t.home.mains[t.main.Pid] = &t.base
	}
	t.listener.MustKill()
}

// isHolder handles what wait4 says of a holder; it returns false if the process is none.
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

// orphans signals what lost holders have left to us, and returns who that is. Signal 0 is none.
func (h *Home) orphans(sig syscall.Signal) ([]int, error) {
	return proctree.Sweep(sig, func(pid int) bool {
		main := h.mains[pid]
		return h.isOurs(pid) || main != nil && !main.isOrphaned
	})
}
