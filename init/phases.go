package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/cginit/cginit/init/config"
)

// killReserve is the last part of a shutdown's budget: what has not left by then is killed,
// so that the receipts are written before whoever stops us loses patience.
const killReserve = time.Second

// boot starts all that starts by itself.
func (s *Supervisor) boot() {
	for _, j := range s.jobs {
		j.boot = s.single == nil && j.startsItself()
		if j.startsItself() {
			s.later(j, jvStart)
		} else {
			s.schedule(j)
		}
	}
	s.changed = true
}

func (j *job) startsItself() bool { return !j.spec.Manual && len(j.spec.Triggers) == 0 }

// checkUp tells when the start is over: every service is ready, and healthy where it has a
// check, and no job that started by itself has failed or waits for another. What somebody has
// stopped meanwhile is not waited for.
func (s *Supervisor) checkUp() {
	if s.phase != booting {
		return
	}
	for _, j := range s.jobs {
		if j.lease == nil && j.startsItself() && !j.isThere() {
			return
		}
	}
	s.phase = up
	for _, j := range s.jobs {
		j.boot = false
	}
	s.sayUp()
}

// isThere tells whether the start need not wait for the job.
func (j *job) isThere() bool {
	switch {
	case j.state != jobUp:
		return j.state == jobDone || j.state == jobDown
	case j.hook != nil: // a post_start step, which can fail
		return false
	case j.run.isOver() && j.run.state != waiting: // its end is about to be told
		return false
	}
	return j.spec.Health == nil || !j.spec.Service || j.health.status == healthy
}

// atRest is told that a job has ended for good. It may be what everything stands or falls with.
func (s *Supervisor) atRest(j *job) {
	switch {
	case s.phase == ending:
	case j == s.single:
		s.shutdown() // of what was started beside it, over the control socket
	case j.spec.Essential && (j.ready || !j.boot || !j.spec.Service):
		s.decisive = j
		s.log.printf("%s has ended, and it is essential: all the others are stopped", j.spec.Name)
		s.shutdown()
	case j.state == jobFailed && j.boot:
		s.failStart(j)
	case j.state == jobFailed && j.lease == nil:
		s.log.printf("%s has failed and is not started again %s%s", j.spec.Name, j.untilWhen(), j.reason())
		if s.decisive == nil && !j.spec.Service {
			s.failedJob = j
		}
	}
}

// untilWhen says what has to come before a job that has failed is started again.
func (j *job) untilWhen() string {
	if len(j.spec.Triggers) > 0 {
		return "before its next time"
	}
	return "by itself"
}

// failStart ends a start that cannot succeed.
func (s *Supervisor) failStart(j *job) {
	s.decisive = j
	s.badStart = fmt.Errorf("cannot start %s: %s", j.spec.Name, j.why())
	s.failure = s.badStart
	s.log.printf("%v%s", s.badStart, s.lastWords(j))
	s.shutdown()
}

// why tells in a few words how the job came to its end.
func (j *job) why() string {
	switch {
	case j.bad != "":
		return j.bad
	case j.last == nil:
		return "it was not started"
	case j.last.Cause == startFailed:
		return j.last.Error
	}
	return j.last.end()
}

// reason is why, for the end of a line.
func (j *job) reason() string {
	if why := j.why(); why != "" {
		return ": " + why
	}
	return ""
}

// shutdownAll is shutdown, of the command of the command line too.
func (s *Supervisor) shutdownAll() {
	s.shutdown()
	if s.single != nil {
		s.later(s.single, jvStop)
	}
}

// shutdown begins the end: every job is stopped, those first that nothing depends on.
func (s *Supervisor) shutdown() {
	if s.phase == ending {
		return
	}
	s.phase, s.changed = ending, true
	s.sayStopping()
	if budget := s.config.GracePeriod; s.single == nil {
		s.killAt = s.now().Add(max(budget-killReserve, budget/2))
	}
	for _, j := range s.jobs {
		j.next, j.queued = time.Time{}, false
		if !j.isLive() || j.state == jobStopping {
			s.later(j, jvStop)
		}
	}
}

// hurry cuts the shutdown's grace short.
func (s *Supervisor) hurry() {
	s.log.printf("asked again to end: what is left is killed now")
	s.killRest()
}

// killRest kills whatever is left.
func (s *Supervisor) killRest() {
	s.killing = true
	for _, r := range s.liveRuns() {
		s.feed(r, evKill)
	}
}

// stopNext stops those of the jobs that are to end which no living job depends on.
func (s *Supervisor) stopNext() {
	for _, j := range s.jobs {
		if (s.phase == ending || j.ending) && j.isLive() && j.state != jobStopping && !s.isNeeded(j) {
			s.later(j, jvStop)
		}
	}
}

// isNeeded tells whether something that depends on the job is not down yet.
func (s *Supervisor) isNeeded(j *job) bool {
	return slices.ContainsFunc(s.jobs, func(other *job) bool {
		return other != j && other.isLive() && slices.ContainsFunc(other.spec.After, func(d config.Dependency) bool {
			return d.Job == j.spec.Name
		})
	})
}

// isOver tells whether nothing is left to do: all that is wanted has ended, or cannot be.
func (s *Supervisor) isOver() bool {
	last := s.phase == ending || s.single != nil
	if len(s.live) > 0 && (!last || !s.onlyStuck()) {
		return false
	}
	if last {
		return len(s.pending) == 0
	}
	for _, j := range s.jobs {
		// What somebody has stopped, somebody may start again, unless it was a run of its own.
		if j.over {
			continue
		}
		if j.state != jobDone && j.state != jobFailed || !j.next.IsZero() || j.spec.Manual {
			return false
		}
	}
	return true
}

// status is what we answer in the end, and whether anything was started.
func (s *Supervisor) status() (status int, started bool) {
	if s.single != nil {
		last := s.single.last
		return last.ExitStatus, last.Cause != startFailed
	}
	j := s.decisive
	switch {
	case s.isStuck():
		return StatusFailed, true
	case j == nil && s.phase != ending: // all work is done, and some of it not well
		j = s.failedJob
	}
	switch {
	case j == nil:
		return 0, true
	case j.last == nil || j.last.ExitStatus == 0 && s.badStart != nil:
		return StatusFailed, true
	}
	return j.last.ExitStatus, true
}
