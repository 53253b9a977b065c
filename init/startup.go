package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/cginit/cginit/init/life"
)

// boot starts the jobs that start by themselves, and sets the schedules of the others.
func (s *Supervisor) boot() {
	for _, j := range s.jobs.all {
		j.SetBooting(s.jobs.single == nil && j.startsItself())
		s.startOrSchedule(j)
	}
	s.queue.changed = true
}

// startOrSchedule starts a job, or sets its schedule if it does not start by itself.
func (s *Supervisor) startOrSchedule(j *job) {
	if j.startsItself() {
		s.queue.add(j, life.EvJobStart)
	} else {
		s.schedule(j)
	}
}

// isReady begins the health checks and the post_start steps of a job that has become ready.
func (s *Supervisor) isReady(j *job) {
	if s.jobs.single == nil && s.config.Verbose {
		s.log.Printf("%s: ready", j.spec.Name)
	}
	j.health = newHealth(j.spec.Health, time.Now())
	s.alarm.Set(j.health.next)
	if len(j.spec.PostStart) > 0 {
		s.beginSteps(j, rolePostStart)
	}
}

// checkUp ends the start when every job that starts by itself is there: each service ready, and
// healthy if it has a check, and each one-shot job ready or done. Jobs stopped by request during
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
	if s.config.Settled != nil {
		s.config.Settled()
	}
}

// sayUp reports that the start has succeeded: to our manager, to followers of events, to --detach,
// and with Verbose to the log.
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

// atRest handles that a job has ended and will not be restarted. If it is essential, or fails the
// start, everything is stopped.
func (s *Supervisor) atRest(j *job) {
	failed := j.State() == life.JobFailed
	switch {
	case s.phase == phaseEnding:
	case j == s.jobs.single:
		s.stopAll() // also the runs that clients have started beside it
	case j.spec.Essential && (j.HasBeenReady() || !j.IsBooting() || !j.spec.Service):
		s.verdict.decisive = j
		s.log.Printf("%s has ended, and it is essential: all the others are stopped", j.spec.Name)
		s.stopAll()
	case failed && j.IsBooting():
		s.failStart(j)
	case failed && j.lease == nil:
		s.log.Printf("%s has failed and is not started again %s%s", j.spec.Name, j.untilWhen(), j.reason())
		if v := &s.verdict; v.decisive == nil && v.failedJob == nil && !j.spec.Service {
			v.failedJob = j
		}
	}
}

// failStart ends a start that cannot succeed, because of job j.
func (s *Supervisor) failStart(j *job) {
	v := &s.verdict
	v.decisive = j
	v.badStart = fmt.Errorf("cannot start %s: %s", j.spec.Name, j.why())
	v.failure = v.badStart
	s.log.Printf("%v%s", v.badStart, j.lastWords())
	s.stopAll()
}
