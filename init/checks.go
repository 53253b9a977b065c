package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/life"
)

// check runs one health check inside the job's run, so that its cgroup and its limits hold the check
// too.
func (s *Supervisor) check(j *job) {
	h := j.spec.Health
	j.health.next = time.Time{}   // until this check has ended
	if h != nil && j.run.paused { // nothing can be started where everything stands still
		j.health.next = time.Now().Add(h.Interval)
		return
	}
	if h == nil || j.State() != life.JobUp || j.run.IsOver() {
		return
	}
	spec := &config.Spec{Args: h.Args, Env: j.spec.Env, Dir: j.spec.Dir, Identity: j.run.spec.Identity, Timeout: h.Timeout}
	r := s.attendant(j, roleHealth, "health", spec)
	if len(h.Args) == 0 {
		r.isProbe, spec.Args = true, child.ProbeArgs(h.HTTP, h.TCP)
	}
	s.begin(r)
}

// checkEnded handles that a check has ended.
func (s *Supervisor) checkEnded(r *run, receipt *Receipt) {
	j := r.job
	if j.run != r.owner || j.State() != life.JobUp || r.owner.IsOver() {
		return
	}
	before := j.health.status
	j.health.said = r.said
	now := time.Now()
	j.health.checked(j.spec.Health, receipt.ExitStatus == 0, now.Sub(j.ReadyAt()), now)
	if j.health.status != before {
		s.healthChanged(j, receipt)
	}
}

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
