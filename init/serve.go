package supervisor

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
)

// listen binds the control socket. One that was asked for and cannot be had fails the start;
// without the default one, which a container may have no place for, everything else goes on.
func (s *Supervisor) listen() error {
	if !s.takesCalls() {
		return nil
	}
	c := control.Config{Path: s.config.Socket, Version: s.config.Version}
	if f := s.config.File; f != nil {
		c.UIDs, c.GIDs = f.AllowUIDs, f.AllowGIDs
	}
	server, err := control.Listen(c)
	switch {
	case err == nil:
		s.server = server
	case s.config.SocketRequired:
		return err
	default:
		s.log.printf("no control socket: %v", err)
	}
	return nil
}

// takesCalls tells whether there is to be a control socket.
func (s *Supervisor) takesCalls() bool { return s.config.Socket != "" && s.config.Socket != "none" }

// calls is where requests arrive; nil, from which nothing ever comes, without a server.
func (s *Supervisor) calls() <-chan control.Message {
	if s.server == nil {
		return nil
	}
	return s.server.Messages()
}

// served handles what the server tells.
func (s *Supervisor) served(m control.Message) {
	switch {
	case m.Call != nil:
		s.serve(m.Call)
	case m.Conn != nil:
		s.hungUp(m.Conn)
	default:
		s.complain("accept connections on the control socket", m.Err)
	}
}

// serve answers a call, now or when what it waits for has come.
func (s *Supervisor) serve(c *control.Call) {
	if s.phase == ending && changesSomething(c.Method) {
		c.Fail(control.ShuttingDown{})
		return
	}
	switch p := c.Params.(type) {
	case *control.ListParams:
		s.serveList(c, p)
	case *control.StatusParams:
		s.withJobs(c, []string{p.Job}, func(jobs []*job) { s.serveStatus(c, jobs[0]) })
	case *control.StartParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveStart(c, jobs, jvStart, p.NoWait) })
	case *control.RestartParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveStart(c, jobs, jvRestart, p.NoWait) })
	case *control.StopParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveStop(c, jobs, p) })
	case *control.KillParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveKill(c, jobs, p.NoWait) })
	case *control.SignalParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveSignal(c, jobs, p) })
	case *control.FreezeParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveFreeze(c, jobs) })
	case *control.ThawParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveThaw(c, jobs) })
	case *control.RunParams:
		s.runCommand(c, p)
	case *control.WaitParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveWait(c, jobs, p) })
	case *control.EventsParams:
		s.follow(c, p)
	case *control.ReloadParams:
		s.serveReload(c)
	case *control.ShutdownParams:
		c.Reply(control.ShutdownReply{})
		s.log.printf("asked over the control socket: every job is stopped")
		s.shutdownAll()
	case *control.HealthParams:
		c.Reply(s.healthReply())
	default:
		c.Fail(fmt.Errorf("%s is not served", c.Method))
	}
}

// changesSomething tells of the calls that make no sense once everything ends.
func changesSomething(method string) bool {
	return slices.Contains([]string{control.MethodStart, control.MethodRestart, control.MethodRun, control.MethodReload, control.MethodFreeze}, method)
}

// withJobs looks jobs up by name: a scaled one by that of a replica or of all.
func (s *Supervisor) withJobs(c *control.Call, names []string, do func([]*job)) {
	var jobs []*job
	for _, name := range names {
		found := slices.DeleteFunc(slices.Clone(s.jobs), func(j *job) bool { return j.spec.Name != name && j.spec.Scaled != name })
		if len(found) == 0 {
			c.Fail(control.NotFound{Job: name})
			return
		}
		jobs = append(jobs, found...)
	}
	if len(jobs) == 0 {
		c.Fail(control.InvalidValue{Parameter: "jobs", Reason: "it names none"})
		return
	}
	do(jobs)
}

func (s *Supervisor) showAll(jobs []*job) []control.Job {
	shown := make([]control.Job, len(jobs))
	for i, j := range jobs {
		shown[i] = s.show(j, false)
	}
	return shown
}

func (s *Supervisor) serveList(c *control.Call, p *control.ListParams) {
	list := func(jobs []*job) {
		reply := control.ListReply{Jobs: []control.Job{}}
		for _, j := range jobs {
			reply.Jobs = append(reply.Jobs, s.show(j, p.Processes))
		}
		c.Reply(reply)
	}
	if len(p.Jobs) == 0 {
		list(s.jobs)
		return
	}
	s.withJobs(c, p.Jobs, list)
}

func (s *Supervisor) serveStatus(c *control.Call, j *job) {
	reply := control.StatusReply{Job: s.show(j, true)}
	if j.last != nil {
		reply.Receipt = &j.last.Receipt
	}
	c.Reply(reply)
}

// serveStart starts jobs, or starts them anew, and first what they depend on.
func (s *Supervisor) serveStart(c *control.Call, jobs []*job, ev jobEvent, noWait bool) {
	for _, j := range jobs {
		if j.spec.ScheduleOnly {
			c.Fail(control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "it is started by its schedule only (triggers.manual: false)"})
			return
		}
	}
	for _, j := range jobs {
		s.startNeeded(j)
		s.later(j, ev)
		if j.next.IsZero() {
			s.schedule(j) // a stop has taken it off
		}
		if ev == jvRestart {
			s.restartDependents(j)
		}
	}
	reply := func() { c.Reply(control.StartReply{Jobs: s.showAll(jobs)}) }
	if noWait {
		s.settle()
		reply()
		return
	}
	s.await(&waiter{call: c, jobs: jobs, done: func(j *job) bool {
		return j.state == jobUp || j.state == jobDone
	}, broken: s.neverReady, reply: reply})
}

// neverReady tells why waiting for a job to be ready is in vain.
func (s *Supervisor) neverReady(j *job) error {
	switch j.state {
	case jobFailed, jobDown, jobDelayed:
		return control.Failed{Job: j.spec.Name, Reason: j.why()}
	case jobBlocked:
		if _, never := s.dependencies(j); never != "" {
			return control.Failed{Job: j.spec.Name, Reason: never}
		}
	case jobPreparing, jobStarting, jobUp, jobStopping, jobDone:
	}
	return nil
}

// startNeeded starts what a job depends on, as far as it is down.
func (s *Supervisor) startNeeded(j *job) {
	for _, d := range j.spec.After {
		on := s.named[d.Job]
		if on == nil || on.satisfies(d.Condition) || !on.isIdle() {
			continue
		}
		s.startNeeded(on)
		s.later(on, jvStart)
	}
}

// restartDependents restarts what wants to be when this is (depends_on: restart: true).
func (s *Supervisor) restartDependents(j *job) {
	for _, other := range s.jobs {
		for _, d := range other.spec.After {
			if d.Job == j.spec.Name && d.Restart && other.isLive() && !other.gone {
				s.later(other, jvRestart)
			}
		}
	}
}

// serveStop stops jobs, and before them those that depend on them. The schedules of the jobs are
// off until they are started; those of the dependents go on.
func (s *Supervisor) serveStop(c *control.Call, jobs []*job, p *control.StopParams) {
	all := s.withDependents(jobs)
	for i, j := range all {
		if i < len(jobs) {
			j.next = time.Time{}
		}
		if p.GracePeriod != nil && j.isLive() {
			s.shorten(j, time.Duration(*p.GracePeriod)*time.Millisecond)
		}
		s.end(j)
	}
	s.awaitEnd(c, all, p.NoWait)
}

// shorten gives a job's stop another grace period: that which is to come, or that under way, which
// does not become longer.
func (s *Supervisor) shorten(j *job, grace time.Duration) {
	if j.state != jobStopping {
		j.grace = &grace
		return
	}
	by := s.now().Add(grace)
	earlier := func(t *time.Time) {
		if by.Before(*t) {
			*t = by
		}
	}
	earlier(&j.stopBy)
	earlier(&j.deadline) // of its pre_stop steps
	if r := j.run; r != nil && (r.state == stopping || r.state == leaving) {
		earlier(&r.deadline)
	}
}

// end has a job stopped as soon as nothing that lives depends on it.
func (s *Supervisor) end(j *job) {
	j.queued, s.changed = false, true
	if j.isLive() && j.state != jobStopping {
		j.ending = true
		return
	}
	s.later(j, jvStop)
}

// withDependents adds to jobs all that depend on them, and so on.
func (s *Supervisor) withDependents(jobs []*job) []*job {
	all := slices.Clone(jobs)
	for i := 0; i < len(all); i++ {
		for _, other := range s.jobs {
			depends := slices.ContainsFunc(other.spec.After, func(d config.Dependency) bool { return d.Job == all[i].spec.Name })
			if depends && !slices.Contains(all, other) {
				all = append(all, other)
			}
		}
	}
	return all
}

func (s *Supervisor) serveKill(c *control.Call, jobs []*job, noWait bool) {
	for _, j := range jobs {
		j.queued = false
		s.later(j, jvStop)
	}
	for _, r := range s.liveRuns() { // before the stop, which would ask first
		if slices.Contains(jobs, r.job) {
			s.feed(r, evKill)
		}
	}
	s.settle()
	s.awaitEnd(c, jobs, noWait)
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
	if r == nil || r.main.pid == 0 || r.state == removing || r.state == ended {
		return control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "nothing of it runs that could be signalled"}
	}
	if all {
		return r.signal(sig)
	}
	s.forward(r, sig)
	return nil
}

// healthReply tells whether all is well.
func (s *Supervisor) healthReply() control.HealthReply {
	reply := control.HealthReply{Reasons: []string{}}
	switch s.phase {
	case booting:
		reply.Reasons = append(reply.Reasons, "it is starting")
	case ending:
		reply.Reasons = append(reply.Reasons, "it is shutting down")
	case up:
	}
	for _, j := range s.jobs {
		switch {
		case j.lease != nil || !j.spec.Service || j.spec.Manual && !j.want:
		case j.state != jobUp:
			reply.Reasons = append(reply.Reasons, fmt.Sprintf("%s is %s", j.spec.Name, j.shown()))
		case j.health.status == unhealthy:
			reply.Reasons = append(reply.Reasons, j.spec.Name+" is unhealthy")
		}
	}
	reply.Healthy = len(reply.Reasons) == 0
	return reply
}
