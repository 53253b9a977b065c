package supervisor

import (
	"slices"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/life"
)

// serveStart starts jobs, or starts them anew, and first what they depend on.
func (s *Supervisor) serveStart(c *control.Call, jobs []*job, ev life.JobEventKind, noWait bool) {
	for _, j := range jobs {
		if j.spec.ScheduleOnly {
			c.Fail(control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "it is started by its schedule only (triggers.manual: false)"})
			return
		}
	}
	for _, j := range jobs {
		s.startNeeded(j)
		s.queue.add(j, ev)
		if j.next.IsZero() {
			s.schedule(j) // a stop has taken it off
		}
		if ev == life.EvJobRestart {
			s.restartDependents(j)
		}
	}
	reply := func() { c.Reply(control.StartReply{Jobs: s.jobs.views(jobs)}) }
	if noWait {
		s.settle()
		reply()
		return
	}
	s.await(&waiter{call: c, jobs: jobs, done: func(j *job) bool {
		return j.State() == life.JobUp || j.State() == life.JobDone
	}, broken: s.jobs.neverReady, reply: reply})
}

// neverReady says why waiting for a job to be ready is in vain; nil if it is not.
func (t *table) neverReady(j *job) error {
	switch j.State() {
	case life.JobFailed, life.JobDown, life.JobDelayed:
		return control.Failed{Job: j.spec.Name, Reason: j.why()}
	case life.JobBlocked:
		if _, never := t.dependencies(j); never != "" {
			return control.Failed{Job: j.spec.Name, Reason: never}
		}
	case life.JobPreparing, life.JobStarting, life.JobUp, life.JobStopping, life.JobDone:
	}
	return nil
}

// startNeeded starts what a job depends on, as far as it is down.
func (s *Supervisor) startNeeded(j *job) {
	for _, d := range j.spec.After {
		on := s.jobs.named[d.Job]
		if on == nil || on.satisfies(d.Condition) || !on.IsIdle() {
			continue
		}
		s.startNeeded(on)
		s.queue.add(on, life.EvJobStart)
	}
}

// restartDependents restarts what wants to be restarted when this job is (depends_on: restart: true).
func (s *Supervisor) restartDependents(j *job) {
	for _, other := range s.jobs.all {
		for _, d := range other.spec.After {
			if d.Job == j.spec.Name && d.Restart && other.IsLive() && !other.gone {
				s.queue.add(other, life.EvJobRestart)
			}
		}
	}
}

// serveStop stops jobs, and before them those that depend on them. The schedules of the jobs are off
// until they are started; those of the dependents go on.
func (s *Supervisor) serveStop(c *control.Call, jobs []*job, p *control.StopParams) {
	all := s.jobs.withDependents(jobs)
	for i, j := range all {
		if i < len(jobs) {
			j.next = time.Time{}
		}
		if p.GracePeriod != nil && j.IsLive() {
			s.shorten(j, time.Duration(*p.GracePeriod)*time.Millisecond)
		}
		s.end(j)
	}
	s.awaitEnd(c, all, p.NoWait)
}

// shorten gives a job's stop another grace period: the stop to come, or the one under way, whose grace
// period does not become longer.
func (s *Supervisor) shorten(j *job, grace time.Duration) {
	if j.State() != life.JobStopping {
		j.grace = &grace
		return
	}
	by := time.Now().Add(grace)
	j.ShortenStop(by)
	if j.run != nil {
		j.run.ShortenGrace(by)
	}
}

// end has a job stopped as soon as nothing that lives depends on it.
func (s *Supervisor) end(j *job) {
	j.queued, s.queue.changed = false, true
	if !j.EndWhenFree() {
		s.queue.add(j, life.EvJobStop)
	}
}

func (s *Supervisor) serveKill(c *control.Call, jobs []*job, noWait bool) {
	for _, j := range jobs {
		j.queued = false
		s.queue.add(j, life.EvJobStop)
	}
	for _, r := range s.live.clone() { // before the stop, which would ask first
		if slices.Contains(jobs, r.job) {
			s.feed(r, life.EvKill)
		}
	}
	s.settle()
	s.awaitEnd(c, jobs, noWait)
}

// awaitEnd answers a Stop or Kill when nothing of the jobs is left, with the receipts of the runs that
// were ended for it.
func (s *Supervisor) awaitEnd(c *control.Call, jobs []*job, noWait bool) {
	if noWait {
		c.Reply(control.StopReply{Receipts: []control.Receipt{}})
		return
	}
	runs := map[*job]int{}
	for _, j := range jobs {
		if j.IsLive() {
			runs[j] = j.runs
		}
	}
	reply := func() {
		reply := control.StopReply{Receipts: []control.Receipt{}}
		for _, j := range jobs {
			if n, ok := runs[j]; ok && j.last != nil && j.last.Run == n {
				reply.Receipts = append(reply.Receipts, j.last.Receipt)
			}
		}
		c.Reply(reply)
	}
	s.await(&waiter{call: c, jobs: jobs, reply: reply, broken: cannotEnd, done: func(j *job) bool {
		n, ran := runs[j]
		return !j.IsEnding() && (!j.IsLive() || ran && j.runs > n) // somebody may have had it started again
	}})
}

func (s *Supervisor) serveSignal(c *control.Call, jobs []*job, p *control.SignalParams) {
	sig, err := config.ParseSignal(p.Signal)
	if err != nil {
		c.Fail(control.InvalidValue{Parameter: "signal", Reason: err.Error()})
		return
	}
	for _, j := range jobs {
		if err := s.signalJob(j, sig, p.All); err != nil {
			c.Fail(err)
			return
		}
	}
	c.Reply(control.SignalReply{})
}

func (s *Supervisor) signalJob(j *job, sig syscall.Signal, all bool) error {
	r := j.run
	if r.pid() == 0 || r.State() == life.RunRemoving || r.State() == life.RunEnded {
		return control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "nothing of it runs that could be signalled"}
	}
	if all {
		return r.held.Signal(sig)
	}
	s.forward(r, sig)
	return nil
}

// freezePatience bounds the wait for a freeze, which a process in state D can hold up for ever.
const freezePatience = 10 * time.Second

// serveFreeze has every process of jobs stand still. Whatever asks them to end lets them go on.
func (s *Supervisor) serveFreeze(c *control.Call, jobs []*job) {
	for _, j := range jobs {
		if !j.canFreeze() {
			c.Fail(control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "only what runs can be frozen"})
			return
		}
	}
	for _, j := range jobs {
		if j.run.paused {
			continue
		}
		if err := j.run.held.Freeze(); err != nil {
			c.Fail(control.Failed{Job: j.spec.Name, Reason: err.Error()})
			return
		}
		j.run.paused = true
	}
	s.await(&waiter{
		call: c, jobs: jobs, reply: func() { c.Reply(control.FreezeReply{}) }, deadline: time.Now().Add(freezePatience),
		done: func(j *job) bool { return j.run.still }, broken: notFrozen,
	})
	for _, j := range jobs {
		s.standsStill(j.run)
	}
}

func (s *Supervisor) serveThaw(c *control.Call, jobs []*job) {
	for _, j := range jobs {
		if j.run == nil || !j.run.paused {
			c.Fail(control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "it is not frozen"})
			return
		}
	}
	for _, j := range jobs {
		s.thawPaused(j.run)
	}
	c.Reply(control.ThawReply{})
}
