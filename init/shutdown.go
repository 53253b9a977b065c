package supervisor

import (
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/life"
)

// killReserve is the last part of a shutdown's budget: what has not left by then is killed, so that
// the receipts are written before whoever stops us loses patience.
const killReserve = time.Second

// stopEverything is stopAll on request, for the command of the command line too.
func (s *Supervisor) stopEverything() {
	s.shutdown.askedAt = time.Now()
	s.stopAll()
	if s.jobs.single != nil {
		s.queue.add(s.jobs.single, life.EvJobStop)
	}
}

// stopAll begins the shutdown: every job of the file is stopped, those first that nothing depends on.
func (s *Supervisor) stopAll() {
	if s.phase == phaseEnding {
		return
	}
	s.phase, s.queue.changed = phaseEnding, true
	s.home.KeepSpares(false)
	s.calls.journal.addPhase("stopping")
	if s.jobs.single == nil {
		s.log.Complain("notify", notifyManager("STOPPING=1"))
		budget := s.config.GracePeriod
		s.shutdown.killAt = time.Now().Add(max(budget-killReserve, budget/2))
	}
	for _, j := range s.jobs.all {
		j.next, j.queued = time.Time{}, false
		if !j.IsLive() || j.State() == life.JobStopping {
			s.queue.add(j, life.EvJobStop)
		}
	}
}

// sameRequest is how long a repeated request to end counts as the same one: Ctrl-C below npm and the
// signal proxy of docker run arrive twice.
const sameRequest = 500 * time.Millisecond

// askedToEnd handles a signal that asks all jobs to end. A second request cuts the grace short.
func (s *Supervisor) askedToEnd(sig syscall.Signal) {
	switch d := &s.shutdown; {
	case s.phase != phaseEnding:
		s.log.Printf("%s: every job is stopped", config.SignalName(sig))
		d.askedAt = time.Now()
		s.stopAll()
	case time.Since(d.askedAt) < sameRequest, d.isKilling:
	default:
		s.log.Printf("asked again to end: what is left is killed now")
		s.killRest()
	}
}

// killRest kills whatever is left.
func (s *Supervisor) killRest() {
	s.shutdown.isKilling = true
	for _, r := range s.live.clone() {
		s.feed(r, life.EvKill)
	}
}

// stopNext stops those of the jobs that are to end which no living job depends on.
func (s *Supervisor) stopNext() {
	for _, j := range s.jobs.all {
		isToEnd := s.phase == phaseEnding || j.IsEnding()
		if isToEnd && j.IsLive() && j.State() != life.JobStopping && !s.jobs.isNeeded(j) {
			s.queue.add(j, life.EvJobStop)
		}
	}
}

// isOver tells whether nothing is left to do: all that is wanted has ended, or cannot end.
func (s *Supervisor) isOver() bool {
	last := s.phase == phaseEnding || s.jobs.single != nil
	if len(s.live) > 0 && (!last || !s.live.areStuck()) {
		return false
	}
	if last {
		return s.queue.isEmpty()
	}
	if s.reload.isReading {
		return false
	}
	for _, j := range s.jobs.all {
		// What somebody has stopped, somebody may start again, unless it was a run of its own.
		if j.over {
			continue
		}
		if j.State() != life.JobDone && j.State() != life.JobFailed || !j.next.IsZero() || j.spec.Manual {
			return false
		}
	}
	return true
}
