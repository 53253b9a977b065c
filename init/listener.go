package supervisor

import (
	"syscall"
	"time"

	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
)

// listener is told by a run's containment what becomes of the run; see [hold.Listener].
type listener struct {
	s *Supervisor
	r *run
}

// Started gives the run the outcome of a start that was pending.
func (l listener) Started(p hold.Progress, err error) { l.s.feed(l.r, l.s.spawned(l.r, p, err)) }

// ExecEnded handles what the exec helper has said.
func (l listener) ExecEnded(err error) {
	if err != nil {
		l.r.book.err, l.r.failed = err, true
	} else {
		l.s.executed(l.r)
	}
	l.s.inspect(l.r)
}

// MainEnded handles the end of the main process. What else runs inside its run ends with it.
func (l listener) MainEnded(ws syscall.WaitStatus) {
	l.r.Run.MainEnded(ws)
	l.s.killAttendants(l.r)
	l.s.inspect(l.r)
}

// MainStopped handles that the main process was stopped: at the terminal that concerns us too.
func (l listener) MainStopped() {
	t := l.s.terminal
	if t == nil || l.r.spec.NewSession || l.r.job != l.s.jobs.single || l.r.role != roleMain {
		return
	}
	t.suspended(l.r.pid())
}

// Changed has the run looked at again.
func (l listener) Changed() { l.s.inspect(l.r) }

// AwaitsOrphans has what a lost holder has left outlive nobody: the end of a run that is to end is
// not told before theirs.
func (l listener) AwaitsOrphans() bool {
	if l.r.Cause() == "" {
		return false
	}
	l.r.RetryAt(time.Now().Add(orphansRetry))
	return true
}

// HolderLost says what has happened, and to whom.
func (l listener) HolderLost() {
	l.s.log.Printf("%s: its holder was killed, by a process of the job's own uid or from outside; what it held is killed as far as it can be found", l.r.name)
}

// MustKill kills what a lost holder has left.
func (l listener) MustKill() { l.s.feed(l.r, life.EvKill) }
