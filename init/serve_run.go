package supervisor

import (
	"fmt"
	"time"

	"github.com/cginit/cginit/init/child"
	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/status"
)

// detachedKept is how many detached runs that have ended are kept, for clients that ask later.
const detachedKept = 64

// serveRun starts a command as a job of its own. Without a name it gets the next free one (run-1).
// A name that is in use fails the call, unless its run has ended.
func (s *Supervisor) serveRun(c *control.Call, p *control.RunParams) {
	name := p.Name
	if name != "" && !config.IsName(name) {
		c.Fail(control.InvalidValue{Parameter: "name", Reason: config.NameRule})
		return
	}
	for name == "" || p.Name == "" && s.jobs.named[name] != nil {
		s.calls.commands++
		name = fmt.Sprintf("run-%d", s.calls.commands)
	}
	if old := s.jobs.named[name]; old != nil {
		if old.lease == nil || !old.IsIdle() {
			c.Fail(control.AlreadyExists{Job: name})
			return
		}
		s.drop(old)
	}
	spec, err := runSpec(name, p)
	if err == nil {
		err = s.allowRun(spec)
	}
	if err != nil {
		c.Fail(err)
		return
	}
	j := s.jobs.add(spec)
	j.lease = &lease{conn: c.Conn, call: c, files: c.Files, terminal: p.Process.Terminal, detached: p.Detach, report: p.Report}
	s.queue.add(j, life.EvJobStart)
	s.queue.changed = true
}

// allowRun returns an error of the wire if the job cannot have its uid or its limits.
func (s *Supervisor) allowRun(spec *config.Spec) error {
	if err := s.allow(spec); err != nil {
		return control.NotSupported{Reason: err.Error()}
	}
	return nil
}

// runSpec returns the spec of the job that a Run call asks for, or an error that names the wrong
// parameter.
func runSpec(name string, p *control.RunParams) (*config.Spec, error) {
	o := &p.Process
	spec := &config.Spec{
		Name: name, Args: o.Args, Env: o.Env, Dir: o.Cwd, Resources: p.Resources,
		GracePeriod: config.DefaultGracePeriod, Timeout: time.Duration(p.Timeout) * time.Millisecond,
		KillMode: config.Mixed, Leftovers: config.LeftoversStop,
		Identity: config.Identity{Rlimits: o.Rlimits, NoNewPrivileges: o.NoNewPrivileges, OOMScoreAdj: o.OOMScoreAdj, Capabilities: o.Capabilities, Seal: p.Seal},
		Output:   config.Output{StdinOpen: false},
	}
	if len(spec.Env) == 0 {
		spec.Env = []string{"PATH=" + child.DefaultPath}
	}
	if spec.Dir == "" {
		spec.Dir = "/"
	}
	spec.User, spec.Umask = runUser(p)
	if p.GracePeriod != nil {
		spec.GracePeriod = time.Duration(*p.GracePeriod) * time.Millisecond
	}
	return spec, lifecycleOf(spec, p)
}

// runUser returns the user and the umask of a Run call; nil where the call does not set them.
func runUser(p *control.RunParams) (*config.User, *uint32) {
	if p.AutoUser {
		return &config.User{Auto: true, Home: "/"}, nil
	}
	u := p.Process.User
	if u == nil {
		return nil, nil
	}
	return &config.User{UID: u.UID, GID: u.GID, Groups: u.AdditionalGids, Home: "/"}, u.Umask
}

// lifecycleOf sets the parts of a spec that the OCI process of a Run call does not have: stop
// signal, kill mode and leftovers. It returns an error that names the wrong parameter.
func lifecycleOf(spec *config.Spec, p *control.RunParams) error {
	if spec.GracePeriod < 0 || spec.Timeout < 0 {
		return control.InvalidValue{Parameter: "timeout_ms", Reason: "a time cannot be negative"}
	}
	if p.StopSignal != "" {
		if err := (*config.StopSignalValue)(&spec.StopSignal).Set(p.StopSignal); err != nil {
			return control.InvalidValue{Parameter: "stop_signal", Reason: err.Error()}
		}
		spec.ConsultTable()
	}
	if p.KillMode != "" {
		if err := spec.KillMode.Set(p.KillMode); err != nil {
			return control.InvalidValue{Parameter: "kill_mode", Reason: err.Error()}
		}
	}
	if p.Leftovers != "" {
		if err := spec.Leftovers.Set(p.Leftovers); err != nil {
			return control.InvalidValue{Parameter: "leftovers", Reason: err.Error()}
		}
	}
	return nil
}

// runStarted tells the client of a Run that its command was executed. A detached Run is answered
// with that.
func (s *Supervisor) runStarted(j *job) {
	l := j.lease
	if l == nil || l.call == nil {
		return
	}
	reply := control.RunReply{State: control.Running, Job: j.spec.Name, Run: j.runs, Pid: j.run.pid()}
	l.call.CloseFiles()
	l.files = nil
	if l.detached {
		l.call.Reply(reply)
		l.call = nil
		return
	}
	l.call.Continue(reply)
}

// runOver answers a Run whose job has ended. It drops the job, but keeps the last detachedKept
// detached ones for clients that ask later.
func (s *Supervisor) runOver(j *job) {
	l := j.lease
	if l.call != nil {
		reply := control.RunReply{State: control.Ended, Job: j.spec.Name, Run: j.runs}
		exitStatus := status.Failed
		if j.last != nil {
			exitStatus, reply.Pid, reply.Error = j.last.ExitStatus, j.last.Pid, j.last.Error
			if l.report {
				reply.Receipt = &j.last.Receipt
			}
		}
		reply.ExitStatus = &exitStatus
		l.call.Reply(reply)
		l.call = nil
	}
	if !l.detached {
		s.drop(j)
		return
	}
	kept := 0
	for _, other := range s.jobs.all {
		if other.lease != nil && other.IsIdle() {
			kept++
		}
	}
	for _, other := range s.jobs.all {
		if kept > detachedKept && other.lease != nil && other.IsIdle() {
			s.drop(other)
			return
		}
	}
}

// hungUp handles the end of a connection: it stops the runs that are leased on it, and drops its
// calls.
func (s *Supervisor) hungUp(conn *control.Conn) {
	for _, j := range s.jobs.all {
		if j.lease != nil && j.lease.conn == conn && !j.lease.detached {
			if j.run != nil {
				j.run.StopBecause(life.LeaseEnded)
			}
			s.queue.add(j, life.EvJobStop)
		}
	}
	s.calls.waiters.drop(conn)
	s.calls.journal.drop(conn)
}
