package supervisor

import (
	"slices"
	"time"

	"github.com/cginit/cginit/init/control"
)

// waiter is a call that is answered when something has come true of all of its jobs.
type waiter struct {
	call     *control.Call
	jobs     []*job
	done     func(*job) bool
	broken   func(*job) error // why it never will be; nil: always possible
	deadline time.Time        // zero: never
	reply    func()
}

// await begins to wait.
func (s *Supervisor) await(w *waiter) {
	s.waiters = append(s.waiters, w)
	s.changed = true
}

// checkWaiters answers those calls whose time has come.
func (s *Supervisor) checkWaiters() {
	s.waiters = slices.DeleteFunc(s.waiters, func(w *waiter) bool {
		left := false
		for _, j := range w.jobs {
			if w.done(j) {
				continue
			}
			left = true
			err := error(nil)
			switch {
			case s.named[j.spec.Name] != j:
				err = control.Failed{Job: j.spec.Name, Reason: "it is gone"}
			case w.broken != nil:
				err = w.broken(j)
			}
			if err != nil {
				w.call.Fail(err)
				return true
			}
		}
		if !left {
			w.reply()
		}
		return !left
	})
}

// lateWaiters answers those calls whose caller waits no longer.
func (s *Supervisor) lateWaiters(now time.Time) {
	s.waiters = slices.DeleteFunc(s.waiters, func(w *waiter) bool {
		if !passed(w.deadline, now) {
			return false
		}
		var names []string
		for _, j := range w.jobs {
			if !w.done(j) {
				names = append(names, j.spec.Name)
			}
		}
		w.call.Fail(control.TimedOut{Jobs: names})
		return true
	})
}

// dropWaiters forgets the calls and followers of a connection that has ended.
func (s *Supervisor) dropWaiters(conn *control.Conn) {
	s.waiters = slices.DeleteFunc(s.waiters, func(w *waiter) bool {
		if w.call.Conn != conn {
			return false
		}
		w.call.Fail(control.Failed{Reason: "the connection has ended"})
		return true
	})
	s.journal.followers = slices.DeleteFunc(s.journal.followers, func(f *follower) bool {
		if f.call.Conn != conn {
			return false
		}
		f.call.Fail(control.Failed{Reason: "the connection has ended"})
		return true
	})
}

// awaitEnd answers a Stop or Kill when nothing of the jobs is left, with the receipts of the
// runs that were ended for it.
func (s *Supervisor) awaitEnd(c *control.Call, jobs []*job, noWait bool) {
	runs := map[*job]int{}
	for _, j := range jobs {
		if j.isLive() {
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
	if noWait {
		c.Reply(control.StopReply{Receipts: []control.Receipt{}})
		return
	}
	s.await(&waiter{call: c, jobs: jobs, reply: reply, broken: cannotEnd, done: func(j *job) bool {
		n, ran := runs[j]
		return !j.ending && (!j.isLive() || ran && j.runs > n) // somebody may have had it started again
	}})
}

// cannotEnd tells why waiting for the end of a job is in vain.
func cannotEnd(j *job) error {
	isStuck := func(r *run) bool { return r != nil && r.state == stuck }
	switch {
	case isStuck(j.run), isStuck(j.hook):
		return control.Failed{Job: j.spec.Name, Reason: "something of it cannot be killed (cginitctl tree shows what)"}
	case j.want && !j.ending && j.isLive() && j.state != jobStopping:
		return control.Failed{Job: j.spec.Name, Reason: "it was started again before it could be stopped"}
	}
	return nil
}

// serveWait answers when jobs have come as far as somebody waits for.
func (s *Supervisor) serveWait(c *control.Call, jobs []*job, p *control.WaitParams) {
	w := &waiter{call: c, jobs: jobs, reply: func() { c.Reply(control.WaitReply{Jobs: s.showAll(jobs)}) }}
	switch p.Until {
	case control.UntilStarted:
		w.done = func(j *job) bool { return j.run.isStarted() || j.state == jobDone }
		w.broken = failedFor
	case control.UntilReady:
		w.done = func(j *job) bool { return j.state == jobUp || j.state == jobDone }
		w.broken = failedFor
	case control.UntilHealthy:
		w.done = func(j *job) bool { return j.state == jobUp && (j.health.status == healthy || j.spec.Health == nil) }
		w.broken = failedFor
	case control.UntilEnded:
		w.done = func(j *job) bool { return j.isIdle() }
	default:
		c.Fail(control.InvalidValue{Parameter: "until", Reason: "it is one of started, ready, healthy, ended"})
		return
	}
	if p.Timeout != nil {
		w.deadline = s.now().Add(time.Duration(*p.Timeout) * time.Millisecond)
	}
	s.await(w)
}

// failedFor tells that a job has failed for good, or was a run, and has ended; one that is only down
// may be started yet.
func failedFor(j *job) error {
	if j.state == jobFailed || j.over && j.isIdle() {
		return control.Failed{Job: j.spec.Name, Reason: j.why()}
	}
	return nil
}
