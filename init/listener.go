package supervisor

import (
	"syscall"
	"time"

	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/status"
)

// listener passes what a run's containment reports on to the supervisor; see [hold.Listener].
type listener struct {
	s *Supervisor
	r *run
}

// Started handles the outcome of a start that was pending.
func (l listener) Started(p hold.Progress, err error) { l.s.feed(l.r, l.s.spawned(l.r, p, err)) }

// ExecEnded handles the outcome of an exec, of the command or, by its report, of the exec helper.
func (l listener) ExecEnded(err error) {
	if err != nil {
		l.r.book.err, l.r.failed = err, true
	} else {
		l.s.executed(l.r)
	}
	l.s.inspect(l.r)
}

// MainEnded handles the end of the main process. The steps and probes of the run end with it.
func (l listener) MainEnded(ws syscall.WaitStatus) {
	if !l.hasSuccessor() {
		l.ended(ws)
	}
}

// MainLost handles the end of a main process of which nobody here knows how it has ended. It counts as a
// failure.
func (l listener) MainLost() {
	if l.hasSuccessor() {
		return
	}
	l.s.log.Printf("%s: its main process %d has ended, and only another process could learn how", l.r.name, l.r.pid())
	l.r.book.lost = true
	l.ended(syscall.WaitStatus(status.Failed << 8))
}

// hasSuccessor hears what the main process has said before its end, and tells whether that has named
// another main process.
func (l listener) hasSuccessor() bool {
	main := l.r.held.Main()
	if l.r.role == roleMain {
		l.s.hear(l.r.job, heardAtTheEnd)
	}
	return l.r.held.Main() != main
}

// ended records the end of the main process.
func (l listener) ended(ws syscall.WaitStatus) {
	l.r.Run.MainEnded(ws)
	l.s.killAttendants(l.r)
	l.s.inspect(l.r)
}

// unreapedPatience is how long the dead may stay unreaped before we stop to wait for them. Among thousands
// it takes a while until wait4 has returned each.
const unreapedPatience = 400 * time.Millisecond

// unreaped ends a run of which only the dead are left that wait4 does not return: the tracer of a process
// has to wait for it first. It returns true if it has done so, and looks again later if it may have to.
func (l listener) unreaped() bool {
	p, now := l.r.patient(), time.Now()
	main, is := l.r.held.Unreaped()
	switch {
	case !is:
		p.onlyDead = time.Time{}
		return false
	case p.onlyDead.IsZero():
		p.onlyDead = now
		time.AfterFunc(unreapedPatience, func() { l.s.post(l.Changed) })
		return false
	case now.Sub(p.onlyDead) < unreapedPatience:
		return false
	}
	l.s.log.Printf("%s: its processes are dead, but a debugger that traces one has not collected it (main process %d); cginit goes on without", l.r.name, l.r.pid())
	l.r.unreaped = true
	switch {
	case l.r.Status() != nil:
		l.s.inspect(l.r)
	case main != nil:
		l.MainEnded(*main)
	default:
		l.MainLost()
	}
	return true
}

// TakesBack returns true as long as nobody has asked for the end of the run.
func (l listener) TakesBack() bool { return !l.r.IsStopping() }

// MainChanged tells that the main process has ended and that the one before is it again.
func (l listener) MainChanged() {
	l.s.log.Printf("%s: the main process that it has named (MAINPID) has ended; process %d is it again", l.r.name, l.r.pid())
	l.s.calls.journal.addState(l.r.job)
}

// MainStopped handles that a signal has stopped the main process. That concerns us only if the
// command shares our terminal: then Ctrl-Z has to stop us too.
func (l listener) MainStopped() {
	t := l.s.terminal
	if t == nil || l.r.spec.NewSession || l.r.job != l.s.jobs.single || l.r.role != roleMain {
		return
	}
	t.suspended(l.r.pid())
}

// Changed looks at the run again.
func (l listener) Changed() { l.s.inspect(l.r) }

// AwaitsOrphans returns true if the run is to end. Its end then waits for the processes that the
// lost holder has left: the holder is abandoned again after orphansRetry.
func (l listener) AwaitsOrphans() bool {
	if l.r.Cause() == "" {
		return false
	}
	l.r.RetryAt(time.Now().Add(orphansRetry))
	return true
}

// HolderLost logs that a run's holder was killed.
func (l listener) HolderLost() {
	l.s.log.Printf("%s: its holder was killed, by a process of the job's own uid or from outside; what it held is killed as far as it can be found", l.r.name)
}

// MustKill kills the processes that a lost holder has left.
func (l listener) MustKill() { l.s.feed(l.r, life.EvKill) }
