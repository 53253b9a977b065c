package supervisor

import (
	"slices"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/life"
)

// serveStart starts or restarts jobs, after the jobs that they depend on. It replies when all of
// them are ready or done, or at once with noWait. A job that only its schedule may start fails the
// call.
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
			s.schedule(j) // a stop has switched its schedule off
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

// neverReady returns the reason why a job will not become ready; nil if it still can.
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

// startNeeded starts the idle jobs whose condition a job still waits for, and what those depend on
// in turn.
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

// restartDependents restarts the live jobs that ask to be restarted with this one (depends_on:
// restart: true).
func (s *Supervisor) restartDependents(j *job) {
	for _, other := range s.jobs.all {
		for _, d := range other.spec.After {
			if d.Job == j.spec.Name && d.Restart && other.IsLive() && !other.gone {
				s.queue.add(other, life.EvJobRestart)
			}
		}
	}
}

// serveStop stops jobs, after the jobs that depend on them. It switches off the schedules of the
// jobs that were named until they are started again. The schedules of dependents stay on.
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

// shorten sets another grace period for a job's stop. A stop that is under way can only become
// shorter.
func (s *Supervisor) shorten(j *job, grace time.Duration) {
	if !j.IsBeingStopped() {
		j.grace = &grace
		return
	}
	by := time.Now().Add(grace)
	j.ShortenStop(by)
	if j.run != nil {
		j.run.ShortenGrace(by)
	}
}

// end stops a job as soon as no living job depends on it.
func (s *Supervisor) end(j *job) {
	j.queued, s.queue.changed = false, true
	if !j.EndWhenFree() {
		s.queue.add(j, life.EvJobStop)
	}
}

// serveKill kills the runs of jobs at once, without asking, and leaves the jobs down.
func (s *Supervisor) serveKill(c *control.Call, jobs []*job, noWait bool) {
	for _, j := range jobs {
		j.queued = false
		s.queue.add(j, life.EvJobStop)
	}
	for _, r := range s.live.clone() { // before the queued stop is handled, which would ask first
		if slices.Contains(jobs, r.job) {
			s.feed(r, life.EvKill)
		}
	}
	s.settle()
	s.awaitEnd(c, jobs, noWait)
}

// awaitEnd replies to a Stop or Kill when nothing of the jobs is left. The reply holds the receipts
// of the runs that this call has ended. With noWait it replies at once, without receipts.
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
		return !j.IsEnding() && (!j.IsLive() || ran && j.runs > n) // another call may have started it again
	}})
}

// serveSignal sends a signal to the main process of each job, or with All to all of its processes.
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

// signalJob sends a signal to the job's present run. It returns an error if no process of it is
// running.
func (s *Supervisor) signalJob(j *job, sig syscall.Signal, all bool) error {
	r := j.run
	if r.pid() == 0 || r.State() == life.RunRemoving || r.State() == life.RunEnded {
		return control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "it has no running process"}
	}
	if all {
		return r.held.Signal(sig)
	}
	if err := s.forward(r, sig); err != nil {
		return control.Failed{Job: j.spec.Name, Reason: "cannot signal it: " + err.Error()}
	}
	return nil
}

// serveReloadJobs sends each of the jobs its reload signal. It replies when each has reloaded, or does not say
// when it has, and fails the call when one ends instead.
func serveReloadJobs(s *Supervisor, c *control.Call, jobs []*job, p *control.ReloadJobsParams) {
	for _, j := range jobs {
		if reason := j.cannotReload(); reason != "" {
			c.Fail(control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: reason})
			return
		}
	}
	all := map[*job]*told{}
	reply := control.ReloadJobsReply{Reloaded: []string{}, Signalled: []string{}}
	w := &waiter{call: c, done: func(j *job) bool { return all[j].look(j) }, broken: func(j *job) error { return all[j].failed(j) }}
	w.reply = func() {
		for _, j := range w.jobs {
			if all[j].reloaded {
				reply.Reloaded = append(reply.Reloaded, j.spec.Name)
			} else {
				reply.Signalled = append(reply.Signalled, j.spec.Name)
			}
		}
		c.Reply(reply)
	}
	for _, j := range jobs {
		if all[j] != nil { // it is named twice
			continue
		}
		s.hear(j, heardAtTheEnd) // what it has said until now is not about this reload
		if err := tellToReload(s, j); err != nil {
			c.Fail(control.Failed{Job: j.spec.Name, Reason: "cannot signal it: " + err.Error()})
			return
		}
		all[j] = &told{run: j.run, before: j.reloading.begun}
		w.jobs = append(w.jobs, j)
		j.reloading.silent = time.Now().Add(reloadSilence)
		s.alarm.Set(j.reloading.silent)
	}
	if p.Timeout != nil {
		w.deadline = time.Now().Add(time.Duration(*p.Timeout) * time.Millisecond)
	}
	s.await(w)
}

// tellToReload sends the job its reload signal: to its main process, or to its daemon.
func tellToReload(s *Supervisor, j *job) error {
	if j.run.IsDaemon() {
		return deliver.Signal(j.run.shownPid(), j.reloadSignal())
	}
	return s.forward(j.run, j.reloadSignal())
}

// failed returns an error if the job has ended instead of reloading.
func (t *told) failed(j *job) error {
	if t.run.State() != life.RunEnded && !t.run.isStuck() {
		return nil
	}
	return control.Failed{Job: j.spec.Name, Reason: "it has ended instead of reloading: " + j.last.end()}
}

// freezePatience bounds how long a Freeze call waits: a process in state D can hold up a freeze for
// ever.
const freezePatience = 10 * time.Second

// serveFreeze freezes every process of the jobs, and replies when all of them stand still. A later
// stop or kill thaws them.
func (s *Supervisor) serveFreeze(c *control.Call, jobs []*job) {
	for _, j := range jobs {
		if !j.canFreeze() {
			c.Fail(control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "only a running job can be frozen"})
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

// serveThaw thaws jobs that were frozen by serveFreeze. It fails the call if one of them is not
// frozen.
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
