package supervisor

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// tree holds a run below a holder of its own (see package proctree), where no cgroup can be
// written. The holder starts the main process and reaps it; what it says comes as messages.
type tree struct {
	*proctree.Tree      // nil until the main process is to be started
	gone           bool // it has ended
	silent, dead   bool // the two signs of that: its socket has ended, it has been waited for
	orphans        func(syscall.Signal) ([]int, error)
}

func (t *tree) procs() ([]int, error) {
	if t.Tree == nil {
		return nil, nil
	}
	list := t.Procs
	if t.isLost() {
		list = func() ([]int, error) { return t.orphans(0) }
	}
	begun := time.Now()
	pids, err := list()
	there, slow := alive(pids, t.Frozen, begun)
	return there, errors.Join(err, slow)
}

func (t *tree) signal(sig syscall.Signal) error { return t.Signal(sig) }

func (t *tree) freeze() error { return t.Freeze() }

func (t *tree) thaw() error { return t.Thaw() }

func (t *tree) frozen() bool { return t.Tree != nil && t.Frozen }

// isLost: somebody has killed the holder, and left what it held to us.
func (t *tree) isLost() bool { return t.Tree != nil && t.gone && t.Lost() }

// kill: what a lost holder has left is ours to kill. One that is too busy to hear of more has
// heard of the kill, and does it until nothing is left.
func (t *tree) kill() error {
	if t.isLost() {
		_, err := t.orphans(unix.SIGKILL)
		return err
	}
	if err := t.Kill(); !errors.Is(err, unix.EAGAIN) {
		return err
	}
	return nil
}

func (t *tree) empty() bool {
	if t.isLost() {
		left, err := t.orphans(unix.SIGKILL)
		return err == nil && len(left) == 0
	}
	return t.Tree == nil || t.Empty || t.gone
}

func (t *tree) account(r *Receipt) {
	if t.Tree != nil && t.Empty {
		ms := milliseconds(t.Used.User + t.Used.System)
		r.CPU = &ms
	}
}

// remove gives the holder up. It ends by itself once nothing is left.
func (t *tree) remove() error {
	if t.Tree == nil {
		return nil
	}
	return t.Close()
}

// spawnInTree has the run's holder start the main process. Whether it could comes as an event.
func (s *Supervisor) spawnInTree(r *run, t *tree, path string, args []string, d *stdio, place *syscall.SysProcAttr) error {
	inOurs := s.terminal != nil && r.job == s.single
	order := proctree.Order{
		Path: path, Args: args, Env: d.env, Dir: r.spec.Dir, Setsid: place.Setsid || !inOurs, Setpgid: place.Setpgid && inOurs,
		OOMMore: s.home.oomMore,
	}
	for _, fd := range d.files() {
		order.Files = append(order.Files, int(fd))
	}
	if d.sharesGroup {
		order.Setpgid, order.Pgid = true, unix.Getpgrp()
	}
	if u := r.spec.User; u != nil && path != selfExe { // the exec helper sees to it otherwise
		order.User = &proctree.User{UID: u.UID, GID: u.GID, Groups: u.Groups}
	}
	if r.level == LevelUID && r.role == roleMain {
		order.Own = &proctree.Own{UID: r.spec.User.UID, Killer: killerUID()}
	}
	h, err := s.holderFor(order, proctree.Place{SameSession: inOurs})
	if err != nil {
		return err
	}
	t.Tree, r.pending = h, true
	s.holders[h.Pid] = r
	go s.hearHolder(r, h)
	return nil
}

// hearHolder turns what a holder says into messages.
func (s *Supervisor) hearHolder(r *run, h *proctree.Tree) {
	for {
		e, err := h.Read()
		s.post(func() { s.heardHolder(r, h, e, err) })
		if err != nil {
			return
		}
	}
}

// heardHolder handles one thing that a holder has said, or the end of it.
func (s *Supervisor) heardHolder(r *run, h *proctree.Tree, e proctree.Event, err error) {
	t := r.containment.(*tree)
	switch {
	case h != t.Tree: // it could not start the main process, and was given up
		delete(s.holders, h.Pid)
		return
	case err != nil:
		t.silent = true
		s.holderEnded(r, t)
		return
	}
	h.Note(e)
	switch e.Kind {
	case proctree.Started:
		r.main = process{pid: e.Pid, ppid: h.Pid, session: s.sessionOf(e.Pid)}
		s.feed(r, s.startedMain(r, nil))
		s.keepSpare()
	case proctree.Failed:
		s.complain("give up a holder", h.Close())
		t.Tree = nil // the next try has another
		s.feed(r, s.startedMain(r, failedIn(r, e.Err)))
	case proctree.Stopped:
		s.suspended(r)
	case proctree.MainExited:
		s.mainReaped(r, e.Status)
	case proctree.Frozen, proctree.Empty:
		s.inspect(r)
	case proctree.Continued:
	}
}

func (s *Supervisor) sessionOf(pid int) int {
	if p, err := readProcess(pid); err == nil {
		return p.session
	}
	return pid
}

// holderEnded: as it should, or because somebody killed it. Then what it held has been left to
// us, and is no longer told from what other lost holders held. That is so once it has been
// waited for: a process that dies closes its files before its children become its parent's.
func (s *Supervisor) holderEnded(r *run, t *tree) {
	if !t.silent || !t.Empty && !t.dead {
		return
	}
	delete(s.holders, t.Pid)
	switch {
	case r.main.pid == 0: // it could not even begin, or not say that it had
		left, err := t.orphans(unix.SIGKILL)
		s.complain("kill what a holder has left", err)
		if r.cause != "" && len(left) > 0 { // its end may not be told before theirs
			r.deadline = s.now().Add(killRetry)
			return
		}
		s.complain("give up a holder", t.Close())
		t.Tree, t.silent, t.dead = nil, false, false
		s.feed(r, s.startedMain(r, errHolderEnded))
		return
	case !t.Lost():
		t.gone = true
		s.inspect(r)
		return
	}
	s.log.printf("%s: its holder was killed, by a process of the job's own uid or from outside; what it held is killed as far as it can be found", r.name)
	s.sweep(r, t)
}

// abandon ends a holder that is stuck in the start of the main process. What comes of that is
// told by its end, and, while something that it has left outlives it, asked for again.
func (s *Supervisor) abandon(r *run) {
	t := r.containment.(*tree)
	if t.dead {
		s.holderEnded(r, t)
		return
	}
	s.list(r)
	s.complain("kill a holder", unix.Kill(t.Pid, unix.SIGKILL))
}

var errHolderEnded = errors.New("cannot start it: its holder ended before it could")

// isHolder handles what wait4 says of a holder.
func (s *Supervisor) isHolder(pid int, ws syscall.WaitStatus) bool {
	r := s.holders[pid]
	if r == nil {
		return false
	}
	if t := r.containment.(*tree); t.Tree != nil && t.Pid == pid && t.Waited(ws) {
		t.dead = true
		s.holderEnded(r, t)
	}
	return true
}

// sweep takes over from a lost holder: the main process and the orphans are our children now.
// Which of them are this run's cannot be told from those of other holders that were lost, so
// all that are nobody's are killed. The run has ended when none is left.
func (s *Supervisor) sweep(r *run, t *tree) {
	t.gone = true
	switch {
	case r.status != nil:
	case unix.Kill(r.main.pid, 0) == unix.ESRCH: // the holder has reaped it, and could not say how it ended
		ws := syscall.WaitStatus(unix.SIGKILL)
		s.mainReaped(r, ws)
	default:
		s.mains[r.main.pid] = r
	}
	s.feed(r, evKill)
}

// orphans signals what lost holders have left to us, and tells who that is.
func (s *Supervisor) orphans(sig syscall.Signal) ([]int, error) {
	return proctree.Sweep(sig, func(pid int) bool {
		r := s.mains[pid]
		return s.isOwn(pid) || r != nil && !r.isOrphaned()
	})
}

// isOwn tells whether a child is none of a job's.
func (s *Supervisor) isOwn(pid int) bool {
	return s.elders[pid] || s.holders[pid] != nil || s.spare != nil && s.spare.Pid == pid || s.guardian != nil && s.guardian.pid == pid
}

// isOrphaned tells whether the run's holder was lost.
func (r *run) isOrphaned() bool {
	t, ok := r.containment.(*tree)
	return ok && t.isLost()
}

// failedIn says why a holder could not execute the command: for want of something that may be
// there later, or because of the command.
func failedIn(r *run, err error) error {
	if isBusy(err) {
		return fmt.Errorf("cannot start %s: %w", r.program, err)
	}
	return &execError{r.program, err}
}
