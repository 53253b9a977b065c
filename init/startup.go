package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/cginit/cginit/init/life"
)

// boot starts all that starts by itself.
func (s *Supervisor) boot() {
	for _, j := range s.jobs.all {
		j.SetBooting(s.jobs.single == nil && j.startsItself())
		s.startOrSchedule(j)
	}
	s.queue.changed = true
}

func (s *Supervisor) startOrSchedule(j *job) {
	if j.startsItself() {
		s.queue.add(j, life.EvJobStart)
	} else {
		s.schedule(j)
	}
}

// isReady does what is to be done when a job has become ready.
func (s *Supervisor) isReady(j *job) {
	if s.jobs.single == nil && s.config.Verbose {
		s.log.Printf("%s: ready", j.spec.Name)
	}
	j.health = newHealth(j.spec.Health, time.Now())
	if len(j.spec.PostStart) > 0 {
		s.beginSteps(j, rolePostStart)
	}
}

// checkUp tells when the start is over: every service is ready, and healthy where it has a check, and
// no job that started by itself has failed or waits for another. Jobs stopped by request during
// start-up do not delay "up".
func (s *Supervisor) checkUp() {
	if s.phase != phaseBooting {
		return
	}
	if slices.ContainsFunc(s.jobs.all, (*job).isAwaited) {
		return
	}
	s.phase = phaseUp
	for _, j := range s.jobs.all {
		j.SetBooting(false)
	}
	s.sayUp()
}

// sayUp tells the world that all that can fail has gone well.
func (s *Supervisor) sayUp() {
	if s.jobs.single != nil {
		return
	}
	s.log.Complain("notify", notifyManager("READY=1"))
	s.calls.journal.addPhase("up")
	if s.config.Up != nil {
		_, _ = s.config.Up.WriteString("up\n")
		s.config.Up.Close()
	}
	if s.config.Verbose {
		s.log.Printf("up")
	}
}

// atRest handles that a job has ended for good. Everything may stand or fall with it.
func (s *Supervisor) atRest(j *job) {
	failed := j.State() == life.JobFailed
	switch {
	case s.phase == phaseEnding:
	case j == s.jobs.single:
		s.stopAll() // what was started beside it, over the control socket
	case j.spec.Essential && (j.HasBeenReady() || !j.IsBooting() || !j.spec.Service):
		s.verdict.decisive = j
		s.log.Printf("%s has ended, and it is essential: all the others are stopped", j.spec.Name)
		s.stopAll()
	case failed && j.IsBooting():
		s.failStart(j)
	case failed && j.lease == nil:
		s.log.Printf("%s has failed and is not started again %s%s", j.spec.Name, j.untilWhen(), j.reason())
		if s.verdict.decisive == nil && !j.spec.Service {
			s.verdict.failedJob = j
		}
	}
}

// failStart ends a start that cannot succeed.
func (s *Supervisor) failStart(j *job) {
	v := &s.verdict
	v.decisive = j
	v.badStart = fmt.Errorf("cannot start %s: %s", j.spec.Name, j.why())
	v.failure = v.badStart
	s.log.Printf("%v%s", v.badStart, j.lastWords())
	s.stopAll()
}
