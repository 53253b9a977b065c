package supervisor

import (
	"fmt"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/life"
)

// stepsOf returns the steps of one kind, and the key that they have in the file.
func (j *job) stepsOf(kind role) (steps []config.Hook, name string) {
	switch kind {
	case rolePreStart:
		return j.spec.PreStart, "pre_start"
	case rolePostStart:
		return j.spec.PostStart, "post_start"
	case rolePreStop:
		return j.spec.PreStop, "pre_stop"
	case roleMain, roleHealth:
	}
	return nil, ""
}

// beginSteps runs the steps of one kind, one after the other.
func (s *Supervisor) beginSteps(j *job, kind role) {
	j.stepsRun = 0
	if kind == rolePreStart {
		j.notify.forget()
	}
	s.nextStep(j, kind)
}

// nextStep runs the next step of a kind. After the last it calls stepsDone.
func (s *Supervisor) nextStep(j *job, kind role) {
	steps, name := j.stepsOf(kind)
	if j.stepsRun == len(steps) {
		s.stepsDone(j, kind)
		return
	}
	step := steps[j.stepsRun]
	r := s.attendant(j, kind, name, &config.Spec{
		Args: step.Args, Env: step.Env, Dir: step.Dir, Timeout: step.Timeout,
		Identity: config.Identity{User: s.jobs.userOf(j, step.User), Seal: step.Seal}, Output: config.Output{Log: j.spec.Log},
	})
	if kind == rolePreStart { // the job has no run yet that could hold the step
		r.owner, r.spec.Name, r.spec.Resources = nil, j.spec.Name+".pre_start", j.spec.Resources
	}
	j.stepRun = r
	s.begin(r)
}

// stepEnded handles the end of a step: it runs the next one, or handles the failure.
func (s *Supervisor) stepEnded(r *run, receipt *Receipt) {
	j, ok := r.job, receipt.ExitStatus == 0
	if j.stepRun != r {
		return
	}
	j.stepRun = nil
	_, name := j.stepsOf(r.role)
	failure := fmt.Sprintf("its %s step %d failed: %s", name, j.stepsRun+1, receipt.end())
	switch {
	case r.role == rolePostStart && r.owner.IsGoing(): // the step was killed with its run, or would come too late
	case r.role == rolePreStart && (j.State() != life.JobPreparing || !ok):
		j.last = receipt
		ev := life.JobEvent{Kind: life.EvJobEnded}
		if j.State() == life.JobPreparing {
			ev.Why = failure
		}
		s.queue.addEvent(j, ev)
	case r.role == rolePostStart && !ok && j.State() == life.JobUp:
		s.queue.addEvent(j, life.JobEvent{Kind: life.EvJobBad, Why: failure})
	case r.role == rolePreStop && r.owner.IsGoing(): // the other steps would come too late
		s.stopMain(j)
	case r.role == rolePreStop && !ok:
		s.log.Printf("%s: %s", j.spec.Name, failure)
		fallthrough
	default:
		j.stepsRun++
		s.nextStep(j, r.role)
	}
}

// stepsDone goes on with the job after the last step of a kind.
func (s *Supervisor) stepsDone(j *job, kind role) {
	switch kind {
	case rolePreStart:
		s.queue.add(j, life.EvJobPrepared)
	case rolePreStop:
		s.stopMain(j)
	case rolePostStart:
		s.queue.changed = true // "up" waits for these steps
	case roleMain, roleHealth:
	}
}

// stopRun begins the stop of the job's run: first its pre_stop steps, then the stop signal. It is
// called again when the steps have used up the grace period.
func (s *Supervisor) stopRun(j *job) {
	grace, most := j.spec.GracePeriod, s.config.GracePeriod
	if j.grace != nil { // whoever asked for the stop wants exactly that
		grace, most = *j.grace, 0
	}
	first := j.BeginStop(grace, most, time.Now())
	if first {
		j.grace = nil
		s.thawPaused(j.run)
	}
	j.health.stop()
	if step := j.stepRun; step != nil {
		if step.role == rolePreStart { // the step is all that runs
			step.StopIn(j.GraceLeft(time.Now()))
			s.feed(step, life.EvStop)
			return
		}
		j.stepRun = nil // its result no longer matters
		s.feed(step, life.EvKill)
	}
	if first && j.HasBeenReady() && len(j.spec.PreStop) > 0 && !j.run.IsStopping() {
		j.AwaitSteps()
		s.beginSteps(j, rolePreStop)
		return
	}
	s.stopMain(j)
}

// stopMain stops the run itself, with what the pre_stop steps have left of the grace period.
func (s *Supervisor) stopMain(j *job) {
	r := j.run
	j.StepsOver()
	if r == nil || r.State() == life.RunEnded { // between two pre_start steps, or its end is still to be handled
		s.queue.add(j, life.EvJobEnded)
		return
	}
	r.StopIn(j.GraceLeft(time.Now()))
	r.StopAtMost(j.StopsAtMost())
	if j.Bad() != "" {
		r.StopBecause(life.Failing)
	}
	s.feed(r, life.EvStop)
	s.shutdown.bound(r)
}
