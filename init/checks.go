package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/life"
)

// check starts one health check inside the job's run, so that the run's cgroup and limits hold the
// check too. It does nothing if the job is not up, and waits for another interval if it is frozen.
func (s *Supervisor) check(j *job) {
	h := j.spec.Health
	j.health.next = time.Time{}   // until this check has ended
	if h != nil && j.run.paused { // a check would be frozen with the job
		j.health.next = time.Now().Add(h.Interval)
		s.alarm.Set(j.health.next)
		return
	}
	if h == nil || j.State() != life.JobUp || j.run.IsOver() {
		return
	}
	spec := &config.Spec{Args: h.Args, Env: j.spec.Env, Dir: j.spec.Dir, Identity: j.run.spec.Identity, Timeout: h.Timeout}
	spec.Seal = false // it may signal the job, as a step may
	r := s.attendant(j, roleHealth, "health", spec)
	if len(h.Args) == 0 {
		r.isProbe, spec.Args = true, child.ProbeArgs(h.HTTP, h.TCP)
	}
	s.begin(r)
}

// checkEnded records the result of a check. It ignores the check of a run that has ended meanwhile.
func (s *Supervisor) checkEnded(r *run, receipt *Receipt) {
	j := r.job
	if j.run != r.owner || j.State() != life.JobUp || r.owner.IsOver() {
		return
	}
	before := j.health.status
	j.health.said = r.said
	now := time.Now()
	j.health.checked(j.spec.Health, receipt.ExitStatus == 0, now.Sub(j.ReadyAt()), now)
	s.alarm.Set(j.health.next)
	if j.health.status != before {
		s.healthChanged(j, receipt)
	}
}

// healthChanged tells followers of a new health status. An unhealthy job is stopped as bad while
// the supervisor boots and with "on_unhealthy: restart"; otherwise it is only logged.
func (s *Supervisor) healthChanged(j *job, receipt *Receipt) {
	s.queue.changed = true
	s.calls.journal.addHealth(j)
	if j.health.status != unhealthy {
		return
	}
	why := "it is unhealthy: its check " + receipt.end()
	if j.health.said != "" {
		why += ": " + j.health.said
	}
	if j.IsBooting() || j.spec.OnUnhealthy == config.UnhealthyRestart {
		s.queue.addEvent(j, life.JobEvent{Kind: life.EvJobBad, Why: why})
		return
	}
	s.log.Printf("%s: %s", j.spec.Name, why)
}
