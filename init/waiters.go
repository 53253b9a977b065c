package supervisor

import (
	"slices"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/life"
)

// waiters are the calls that are answered later.
type waiters []*waiter

// waiter is a call that is answered when something has come true of all of its jobs.
type waiter struct {
	call     *control.Call
	jobs     []*job
	done     func(*job) bool
	broken   func(*job) error // says why it never will be; nil: it is always possible
	deadline time.Time        // zero: never
	reply    func()
}

// check answers those calls whose time has come.
func (w *waiters) check(named map[string]*job) {
	*w = slices.DeleteFunc(*w, func(one *waiter) bool { return one.check(named) })
}

// check answers the call if it can be, and tells whether it was.
func (w *waiter) check(named map[string]*job) (answered bool) {
	left := false
	for _, j := range w.jobs {
		if w.done(j) {
			continue
		}
		left = true
		err := error(nil)
		switch {
		case named[j.spec.Name] != j:
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
}

// expire answers those calls whose caller waits no longer.
func (w *waiters) expire(now time.Time) {
	*w = slices.DeleteFunc(*w, func(one *waiter) bool {
		if !passed(one.deadline, now) {
			return false
		}
		var names []string
		for _, j := range one.jobs {
			if !one.done(j) {
				names = append(names, j.spec.Name)
			}
		}
		one.call.Fail(control.TimedOut{Jobs: names})
		return true
	})
}

// drop forgets the calls of a connection that has ended.
func (w *waiters) drop(conn *control.Conn) {
	*w = slices.DeleteFunc(*w, func(one *waiter) bool {
		if one.call.Conn != conn {
			return false
		}
		one.call.Fail(errConnectionEnded)
		return true
	})
}

// deadline returns the nearest deadline of all; zero if there is none.
func (w waiters) deadline() (next time.Time) {
	for _, one := range w {
		next = nearest(next, one.deadline)
	}
	return next
}

// cannotEnd says why waiting for the end of a job is in vain; nil if it is not.
func cannotEnd(j *job) error {
	switch {
	case j.run.isStuck(), j.stepRun.isStuck():
		return control.Failed{Job: j.spec.Name, Reason: "something of it cannot be killed (cginitctl tree shows what)"}
	case j.IsWanted() && !j.IsEnding() && j.IsLive() && j.State() != life.JobStopping:
		return control.Failed{Job: j.spec.Name, Reason: "it was started again before it could be stopped"}
	}
	return nil
}

// hasFailed says that a job has failed for good, or was a run, and has ended; nil for a job that is
// only down, which may be started yet.
func hasFailed(j *job) error {
	if j.State() == life.JobFailed || j.over && j.IsIdle() {
		return control.Failed{Job: j.spec.Name, Reason: j.why()}
	}
	return nil
}

// notFrozen says why a job that was to stand still does not; nil if it still may.
func notFrozen(j *job) error {
	if j.run.paused || j.run.still {
		return nil
	}
	return control.Failed{Job: j.spec.Name, Reason: "it was thawed or ended meanwhile"}
}
