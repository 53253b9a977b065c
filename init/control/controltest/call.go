package controltest

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/control"
	"golang.org/x/sys/unix"
)

// call answers a call, or keeps it for settle.
func (l *loop) call(c *control.Call) {
	switch p := c.Params.(type) {
	case *control.ListParams:
		if l.has(c, p.Jobs) {
			c.Reply(control.ListReply{Jobs: l.snapshot(p.Jobs, p.Processes)})
		}
	case *control.StatusParams:
		if l.has(c, []string{p.Job}) {
			c.Reply(control.StatusReply{Job: l.snapshot([]string{p.Job}, true)[0], Receipt: l.find(p.Job).receipt})
		}
	case *control.StartParams:
		l.start(c, p.Jobs)
	case *control.RestartParams:
		l.start(c, p.Jobs)
	case *control.StopParams:
		l.stop(c, p.Jobs, "stopped", p.NoWait)
	case *control.KillParams:
		l.stop(c, p.Jobs, "killed", p.NoWait)
	case *control.SignalParams:
		l.signal(c, p)
	case *control.FreezeParams:
		l.freeze(c, p.Jobs, true)
	case *control.ThawParams:
		l.freeze(c, p.Jobs, false)
	case *control.RunParams:
		l.spawn(c, p)
	case *control.WaitParams:
		l.wait(c, p)
	case *control.EventsParams:
		l.listen(c, p)
	case *control.ReloadParams:
		c.Reply(control.ReloadReply{Added: []string{"new"}, Removed: []string{}, Changed: []string{"web"}})
	case *control.ReloadJobsParams:
		l.reload(c, p.Jobs)
	case *control.ShutdownParams:
		c.Reply(control.ShutdownReply{})
		l.quit()
	case *control.HealthParams:
		l.health(c)
	default:
		panic(fmt.Sprintf("no answer to a call of %s", c.Method))
	}
}

// has reports whether there are jobs of all these names. If not, it answers the call.
func (l *loop) has(c *control.Call, names []string) bool {
	for _, n := range names {
		if l.find(n) == nil {
			c.Fail(control.NotFound{Job: n})
			return false
		}
	}
	return true
}

// start starts jobs again, whatever their state, and answers at once.
func (l *loop) start(c *control.Call, names []string) {
	if !l.has(c, names) {
		return
	}
	for _, n := range names {
		j := l.find(n)
		if j.Kind == control.KindRun {
			c.Fail(control.InvalidState{Job: n, State: j.State, Reason: "a run is not started again"})
			return
		}
		j.Run++
		j.Pid = 3000 + j.Run
		l.enter(j, control.Starting)
		l.enter(j, control.Running)
	}
	c.Reply(control.StartReply{Jobs: l.snapshot(names, false)})
}

// stop ends jobs. settle answers the call when all have ended.
func (l *loop) stop(c *control.Call, names []string, cause string, noWait bool) {
	if !l.has(c, names) {
		return
	}
	for _, n := range names {
		j := l.find(n)
		switch {
		case reached(j, control.UntilEnded):
		case j.process != nil:
			l.end(j, cause, syscall.SIGTERM)
		default:
			l.ended(j, cause, 0)
		}
	}
	if noWait {
		c.Reply(control.StopReply{Receipts: []control.Receipt{}})
		return
	}
	l.stops[c] = names
}

// signal sends a signal to the processes of runs.
func (l *loop) signal(c *control.Call, p *control.SignalParams) {
	sig := unix.SignalNum("SIG" + strings.TrimPrefix(p.Signal, "SIG"))
	switch {
	case !l.has(c, p.Jobs):
		return
	case sig == 0:
		c.Fail(control.InvalidValue{Parameter: "signal", Reason: fmt.Sprintf("%q is not a signal", p.Signal)})
		return
	}
	for _, n := range p.Jobs {
		if j := l.find(n); j.process != nil {
			_ = j.process.Signal(sig)
		}
	}
	c.Reply(control.SignalReply{})
}

// freeze marks jobs as frozen or not.
func (l *loop) freeze(c *control.Call, names []string, frozen bool) {
	if !l.has(c, names) {
		return
	}
	for _, n := range names {
		j := l.find(n)
		j.Frozen = frozen
		l.emit(control.Event{Kind: control.EventFrozen, Job: n, Run: j.Run, Frozen: &frozen})
	}
	c.Reply(control.FreezeReply{})
}

// reload answers that the first of the jobs says when it has reloaded, and that the others do not.
func (l *loop) reload(c *control.Call, names []string) {
	if !l.has(c, names) {
		return
	}
	for _, n := range names {
		if j := l.find(n); j.State != control.Running {
			c.Fail(control.InvalidState{Job: n, State: j.State, Reason: "only a running job can be reloaded"})
			return
		}
	}
	c.Reply(control.ReloadJobsReply{Reloaded: names[:1], Signalled: names[1:]})
}

// wait keeps a call until settle answers it or its time is up.
func (l *loop) wait(c *control.Call, p *control.WaitParams) {
	if !l.has(c, p.Jobs) {
		return
	}
	l.waits[c] = p
	if p.Timeout != nil {
		time.AfterFunc(time.Duration(*p.Timeout)*time.Millisecond, func() {
			l.do(func() {
				if l.waits[c] != nil {
					delete(l.waits, c)
					c.Fail(control.TimedOut{Jobs: p.Jobs})
				}
			})
		})
	}
}

// listen answers with the events that are kept, and begins a stream if the caller wants more.
func (l *loop) listen(c *control.Call, p *control.EventsParams) {
	r := control.EventsReply{Events: []control.Event{}, Last: l.seq}
	if p.Since != nil {
		oldest := l.seq - len(l.events)
		r.Missed = max(0, oldest-*p.Since)
		for _, e := range l.events {
			if e.Seq > *p.Since && (len(p.Jobs) == 0 || slices.Contains(p.Jobs, e.Job)) {
				r.Events = append(r.Events, e)
			}
		}
	}
	if !c.More {
		c.Reply(r)
		return
	}
	if c.Continue(r) {
		l.streams = append(l.streams, c)
	}
}

// health answers that jobs are unhealthy while they are frozen.
func (l *loop) health(c *control.Call) {
	r := control.HealthReply{Healthy: true, Reasons: []string{}}
	for _, j := range l.jobs {
		if j.Health == control.Unhealthy || j.Frozen {
			r.Healthy = false
			r.Reasons = append(r.Reasons, j.Name+" is frozen")
		}
	}
	c.Reply(r)
}
