package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/life"
)

// served handles a message of the control server: a call, the end of a connection, or an error.
func (s *Supervisor) served(m control.Message) {
	switch {
	case m.Call != nil:
		s.serve(m.Call)
	case m.Conn != nil:
		s.hungUp(m.Conn)
	default:
		s.log.Complain("accept connections on the control socket", m.Err)
	}
}

// serve answers a call, at once or when the state that it waits for is reached.
func (s *Supervisor) serve(c *control.Call) {
	if s.phase == phaseEnding && changesSomething(c.Method) {
		c.Fail(control.ShuttingDown{})
		return
	}
	if !onlyLooks(c.Method) && s.live.haveSealed(c.Conn.Peer.PID) {
		c.Fail(control.NotPermitted{Reason: "a sealed job may look, but change nothing"})
		return
	}
	switch p := c.Params.(type) {
	case *control.ListParams:
		s.serveList(c, p)
	case *control.StatusParams:
		s.withJobs(c, []string{p.Job}, func(jobs []*job) { s.serveStatus(c, jobs[0]) })
	case *control.StartParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveStart(c, jobs, life.EvJobStart, p.NoWait) })
	case *control.RestartParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveStart(c, jobs, life.EvJobRestart, p.NoWait) })
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
		s.serveRun(c, p)
	case *control.WaitParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { s.serveWait(c, jobs, p) })
	case *control.EventsParams:
		s.calls.journal.follow(c, p)
	case *control.ReloadParams:
		s.serveReload(c)
	case *control.ReloadJobsParams:
		s.withJobs(c, p.Jobs, func(jobs []*job) { serveReloadJobs(s, c, jobs, p) })
	case *control.ShutdownParams:
		c.Reply(control.ShutdownReply{})
		s.log.Printf("asked over the control socket: every job is stopped")
		s.stopEverything()
	case *control.HealthParams:
		c.Reply(s.jobs.health(s.phase))
	default:
		c.Fail(fmt.Errorf("%s is not served", c.Method))
	}
}

// changesSomething tells whether a call starts, freezes or reloads something. Such calls are
// refused during the shutdown.
func changesSomething(method string) bool {
	return slices.Contains([]string{
		control.MethodStart, control.MethodRestart, control.MethodRun, control.MethodReload, control.MethodReloadJobs, control.MethodFreeze,
	}, method)
}

// onlyLooks tells whether a call changes nothing.
func onlyLooks(method string) bool {
	return slices.Contains([]string{
		control.MethodList, control.MethodStatus, control.MethodWait, control.MethodEvents, control.MethodHealth,
	}, method)
}

// withJobs calls do with the jobs of these names. It fails the call if a name is unknown or if
// there are none.
func (s *Supervisor) withJobs(c *control.Call, names []string, do func([]*job)) {
	var jobs []*job
	for _, name := range names {
		found := s.jobs.find(name)
		if len(found) == 0 {
			c.Fail(control.NotFound{Job: name})
			return
		}
		jobs = append(jobs, found...)
	}
	if len(jobs) == 0 {
		c.Fail(control.InvalidValue{Parameter: "jobs", Reason: "it names no job"})
		return
	}
	do(jobs)
}

// serveList replies with the jobs that were named, or with all.
func (s *Supervisor) serveList(c *control.Call, p *control.ListParams) {
	list := func(jobs []*job) {
		reply := control.ListReply{Jobs: []control.Job{}}
		for _, j := range jobs {
			reply.Jobs = append(reply.Jobs, s.jobs.view(j, p.Processes))
		}
		c.Reply(reply)
	}
	if len(p.Jobs) == 0 {
		list(s.jobs.all)
		return
	}
	s.withJobs(c, p.Jobs, list)
}

// serveStatus replies with one job, its processes and its last receipt.
func (s *Supervisor) serveStatus(c *control.Call, j *job) {
	reply := control.StatusReply{Job: s.jobs.view(j, true)}
	if j.last != nil {
		reply.Receipt = &j.last.Receipt
	}
	c.Reply(reply)
}

// serveReload reloads the file and replies with what has changed.
func (s *Supervisor) serveReload(c *control.Call) {
	s.readAgain(func(reply *control.ReloadReply, err error) {
		if err != nil {
			c.Fail(control.Failed{Reason: err.Error()})
			return
		}
		c.Reply(*reply)
	})
}

// await keeps a call until it can be answered.
func (s *Supervisor) await(w *waiter) {
	s.calls.waiters = append(s.calls.waiters, w)
	s.queue.changed = true
}

// serveWait replies when all jobs have reached the state that the client waits for, and fails the
// call after its timeout.
func (s *Supervisor) serveWait(c *control.Call, jobs []*job, p *control.WaitParams) {
	w := &waiter{call: c, jobs: jobs, reply: func() { c.Reply(control.WaitReply{Jobs: s.jobs.views(jobs)}) }}
	switch p.Until {
	case control.UntilStarted:
		w.done = func(j *job) bool { return j.run.isStarted() || j.State() == life.JobDone }
		w.broken = hasFailed
	case control.UntilReady:
		w.done = func(j *job) bool { return j.State() == life.JobUp || j.State() == life.JobDone }
		w.broken = hasFailed
	case control.UntilHealthy:
		w.done = func(j *job) bool {
			return j.State() == life.JobUp && (j.health.status == healthy || j.spec.Health == nil)
		}
		w.broken = hasFailed
	case control.UntilEnded:
		w.done = func(j *job) bool { return j.IsIdle() }
	default:
		c.Fail(control.InvalidValue{Parameter: "until", Reason: "it is one of started, ready, healthy, ended"})
		return
	}
	if p.Timeout != nil {
		w.deadline = time.Now().Add(time.Duration(*p.Timeout) * time.Millisecond)
	}
	s.await(w)
}
