package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/life"
)

// missedAfter is how late a scheduled time may be noticed and still count. A later one was missed,
// because the machine slept or its clock was set forward.
const missedAfter = time.Minute

// schedule sets the time at which the job's schedule starts it next. During the shutdown that is
// never.
func (s *Supervisor) schedule(j *job) {
	j.next = time.Time{}
	if s.phase == phaseEnding {
		return
	}
	now := wallTime()
	for _, t := range j.spec.Triggers {
		j.next = nearest(j.next, t.Next(now))
	}
	s.setClock()
}

// setClock sets the kernel's timer to the nearest time of all schedules.
func (s *Supervisor) setClock() {
	var next time.Time
	for _, j := range s.jobs.all {
		next = nearest(next, j.next)
	}
	s.log.Complain("set a timer for the schedules", s.clock.set(next, s.post, s.clockRang))
}

// clockRang starts every job whose time has come. If the clock was set, it computes all next times
// anew: set back, a time comes again; set forward, the times in between are missed.
func (s *Supervisor) clockRang(wasSet bool) {
	now := wallTime()
	for _, j := range s.jobs.all {
		if j.next.IsZero() {
			continue
		}
		isDue := !now.Before(j.next)
		switch late := now.Sub(j.next); {
		case isDue && late > missedAfter && !j.catchesUp():
			s.log.Printf("%s: its time %s was missed and is skipped", j.spec.Name, j.next.Format(time.RFC3339))
		case isDue:
			s.due(j)
		}
		if isDue || wasSet {
			s.schedule(j)
		}
	}
	s.setClock()
}

// due starts a job whose time has come. If it is still running, the time is queued or skipped,
// because runs of a job never overlap.
func (s *Supervisor) due(j *job) {
	switch {
	case j.IsIdle():
		s.queue.add(j, life.EvJobStart)
	case j.queues():
		j.queued = true
	default:
		s.log.Printf("%s: its time has come while it still runs, so it is skipped", j.spec.Name)
	}
}
