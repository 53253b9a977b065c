package supervisor

import (
	"fmt"
	"time"

	"github.com/cginit/cginit/init/config"
)

// hooks are the steps of one kind, and what they are called.
func (j *job) hooks(kind role) (steps []config.Hook, name string) {
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

// nextHook runs the next step of a kind, or goes on with what comes after the last.
func (s *Supervisor) nextHook(j *job, kind role) {
	steps, name := j.hooks(kind)
	if j.hooked == len(steps) {
		s.hooksDone(j, kind)
		return
	}
	step := steps[j.hooked]
	r := s.attendant(j, kind, name, &config.Spec{
		Args: step.Args, Env: step.Env, Dir: step.Dir, Identity: config.Identity{User: s.userOf(j, step.User)}, Timeout: step.Timeout,
		Output: config.Output{Log: j.spec.Log},
	})
	if kind == rolePreStart { // nothing of the job runs yet that it could be inside of
		r.owner, r.spec.Name, r.spec.Resources = nil, j.spec.Name+".pre_start", j.spec.Resources
	}
	j.hook = r
	s.begin(r)
}

// attendant makes a run that belongs to a job's present one: a step or a probe.
func (s *Supervisor) attendant(j *job, kind role, name string, spec *config.Spec) *run {
	spec.Name, spec.KillMode, spec.Leftovers = name, config.Mixed, config.LeftoversKill
	j.attended++
	r := newRun(spec)
	r.name = j.spec.Name + "/" + name
	r.job, r.role, r.owner, r.number, r.level = j, kind, j.run, j.attended, s.home.level
	return r
}

// hookEnded is told that a step has ended.
func (s *Supervisor) hookEnded(r *run, receipt *Receipt) {
	j, ok := r.job, receipt.ExitStatus == 0
	if j.hook != r {
		return
	}
	j.hook = nil
	_, name := j.hooks(r.role)
	switch {
	case r.role == rolePostStart && r.owner.isOver(): // it was killed because of that
	case r.role == rolePreStart && (j.state != jobPreparing || !ok):
		j.ok, j.last = false, receipt
		if j.state == jobPreparing {
			j.bad = fmt.Sprintf("its %s step %d failed: %s", name, j.hooked+1, receipt.end())
		}
		s.later(j, jvEnded)
	case r.role == rolePostStart && !ok && j.state == jobUp:
		j.bad = fmt.Sprintf("its %s step %d failed: %s", name, j.hooked+1, receipt.end())
		s.later(j, jvBad)
	case r.role == rolePreStop && r.owner.isGoing(): // what is left of the steps comes too late
		s.stopMain(j)
	case r.role == rolePreStop && !ok:
		s.log.printf("%s: its %s step %d failed: %s", j.spec.Name, name, j.hooked+1, receipt.end())
		fallthrough
	default:
		j.hooked++
		s.nextHook(j, r.role)
	}
}

func (s *Supervisor) hooksDone(j *job, kind role) {
	switch kind {
	case rolePreStart:
		s.later(j, jvPrepared)
	case rolePreStop:
		s.stopMain(j)
	case rolePostStart:
		s.changed = true // the start waited for it
	case roleMain, roleHealth:
	}
}

// stopRun begins the end of the job's run: its pre_stop steps, then the stop signal. It is
// called again when those take too long.
func (s *Supervisor) stopRun(j *job) {
	first := j.stopBy.IsZero()
	if first {
		grace := j.spec.GracePeriod
		if j.grace != nil {
			grace, j.grace = *j.grace, nil
		}
		j.stopBy = s.now().Add(grace)
		if j.run != nil {
			s.thawPaused(j.run)
		}
	}
	j.health.next = time.Time{}
	if h := j.hook; h != nil {
		if h.role == rolePreStart { // there is nothing else
			h.grace = j.stopBy.Sub(s.now())
			s.feed(h, evStop)
			return
		}
		j.hook = nil // what it was for is over
		s.feed(h, evKill)
	}
	if first && j.ready && len(j.spec.PreStop) > 0 && !j.run.isStopping() {
		j.hooked, j.deadline = 0, j.stopBy
		s.nextHook(j, rolePreStop)
		return
	}
	s.stopMain(j)
}

// stopMain asks the run itself to stop; what the pre_stop steps took of the grace period is gone.
func (s *Supervisor) stopMain(j *job) {
	r := j.run
	j.deadline = time.Time{}
	if r == nil || r.state == ended { // it was between two steps, or its end is about to be told
		s.later(j, jvEnded)
		return
	}
	if r.grace = j.stopBy.Sub(s.now()); r.grace < 0 {
		r.grace = 0
	}
	if j.bad != "" {
		r.reason = failing
	}
	s.feed(r, evStop)
}
