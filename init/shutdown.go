package supervisor

import (
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/life"
)

// stopEverything begins the shutdown, and stops the command of the command line too.
func (s *Supervisor) stopEverything() {
	s.shutdown.askedAt = time.Now()
	s.stopAll()
	if s.jobs.single != nil {
		s.queue.add(s.jobs.single, life.EvJobStop)
	}
}

// stopAll begins the shutdown. Jobs of the file are stopped in the reverse order of their
// dependencies.
func (s *Supervisor) stopAll() {
	if s.phase == phaseEnding {
		return
	}
	s.phase, s.queue.changed = phaseEnding, true
	s.home.KeepSpares(false)
	s.calls.journal.addPhase("stopping")
	if s.jobs.single == nil {
		s.log.Complain("notify", notifyManager("STOPPING=1"))
		s.shutdown.killAt = time.Now().Add(s.config.GracePeriod)
	}
	for _, r := range s.live {
		s.shutdown.bound(r)
	}
	for _, j := range s.jobs.all {
		j.next, j.queued = time.Time{}, false
		if !j.IsLive() || j.IsBeingStopped() {
			s.queue.add(j, life.EvJobStop)
		}
	}
}

// sameRequest is how long a repeated request to end counts as the same one: Ctrl-C below npm and the
// signal proxy of docker run arrive twice.
const sameRequest = 500 * time.Millisecond

// askedToEnd handles a signal that asks all jobs to end. A second such signal kills them at once, unless
// it comes so soon that it is the same request.
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

// killRest kills everything that is left.
func (s *Supervisor) killRest() {
	s.shutdown.isKilling = true
	for _, r := range s.live.clone() {
		s.feed(r, life.EvKill)
	}
}

// stopNext stops the jobs that are to end and that no living job depends on.
func (s *Supervisor) stopNext() {
	for _, j := range s.jobs.all {
		isToEnd := s.phase == phaseEnding || j.IsEnding()
		if isToEnd && j.IsLive() && !j.IsBeingStopped() && j.needed == 0 {
			s.queue.add(j, life.EvJobStop)
		}
	}
}

// isOver tells whether no work is left: every run has ended or, in the shutdown, cannot be killed,
// and no job will start again.
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
		// A job that was stopped on request may be started again, but a leased run may not.
		if j.over {
			continue
		}
		if j.State() != life.JobDone && j.State() != life.JobFailed || !j.next.IsZero() || j.spec.Manual {
			return false
		}
	}
	return true
}
