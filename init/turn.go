package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/life"
)

// turnMost bounds the events of jobs that one turn of the loop handles. When hundreds of jobs start
// at once, signals and calls do not have to wait for the last of them.
const turnMost = 16

// settle handles the queued events of jobs, and those that follow from them, until nothing changes.
func (s *Supervisor) settle() {
	for s.settleSome() {
	}
}

// settleSome does a bounded part of settle, and tells whether there is more to do.
func (s *Supervisor) settleSome() (more bool) {
	for range turnMost {
		n, ok := s.queue.take()
		if !ok {
			break
		}
		s.advance(n.job, n.event)
	}
	if s.queue.isEmpty() && s.queue.changed {
		s.queue.changed = false
		s.unblock()
		s.stopNext()
		s.checkUp()
		s.calls.waiters.check(s.jobs.named)
	}
	return !s.queue.isEmpty() || s.queue.changed
}

// advance gives a job an event and performs the actions that Step returns.
func (s *Supervisor) advance(j *job, ev life.JobEvent) {
	before := j.State()
	actions := j.Step(ev, time.Now())
	s.trace.job(j, ev, before, actions)
	for _, a := range actions {
		s.actOnJob(j, ev, a)
	}
	if j.State() != before {
		s.jobs.moved(j, before)
		s.calls.journal.addState(j)
	}
	s.settleJob(j)
}

// actOnJob performs one action for a job, which follows from an event.
func (s *Supervisor) actOnJob(j *job, ev life.JobEvent, a life.JobAction) {
	switch a {
	case life.DoJobTell:
		s.queue.changed = true
	case life.DoJobPrepare:
		s.beginSteps(j, rolePreStart)
	case life.DoJobLaunch:
		s.launch(j)
	case life.DoJobReady:
		s.isReady(j)
	case life.DoJobStopRun:
		s.stopRun(j)
	case life.DoJobOwnStop:
		j.health.stop()
		s.thawPaused(j.run)
		s.feed(j.run, life.EvOwnStop)
	case life.DoJobExtend:
		j.extend(ev.Until)
	case life.DoJobRest:
		s.atRest(j)
	}
}

// settleJob does what had to wait until nothing of the job runs: it sets a new spec, drops the job,
// answers its Run call, or starts its next run.
func (s *Supervisor) settleJob(j *job) {
	if j.IsLive() {
		return
	}
	if j.replacement != nil {
		j.setSpec(j.replacement)
		j.replacement = nil
		s.schedule(j)
	}
	switch {
	case j.gone && j.IsIdle():
		s.drop(j)
	case j.lease != nil && j.IsIdle() && !j.over:
		j.over = true
		s.runOver(j)
	case j.queued && j.IsIdle():
		j.queued = false
		s.queue.add(j, life.EvJobStart)
	}
}

// drop removes a job from the table, and lets waiting calls see that it is gone.
func (s *Supervisor) drop(j *job) {
	s.jobs.remove(j)
	s.queue.changed = true
}

// unblock tells each blocked job whether its dependencies are met or can never be met.
func (s *Supervisor) unblock() {
	if s.phase == phaseEnding || s.jobs.states[life.JobBlocked] == 0 {
		return
	}
	for _, j := range s.jobs.all {
		if j.State() != life.JobBlocked {
			continue
		}
		met, never := s.jobs.dependencies(j)
		switch {
		case met:
			s.queue.add(j, life.EvJobMet)
		case never != "":
			s.queue.addEvent(j, life.JobEvent{Kind: life.EvJobImpossible, Why: never})
		}
	}
}
