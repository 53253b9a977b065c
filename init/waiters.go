package supervisor

import (
	"slices"
	"time"

	"github.com/cginit/cginit/init/control"
	"github.com/cginit/cginit/init/life"
)

// waiters are the calls that are answered later.
type waiters []*waiter

// waiter is a call that is answered when all of its jobs have reached a state.
type waiter struct {
	call     *control.Call
	jobs     []*job
	done     func(*job) bool  // tells whether a job has reached the state
	broken   func(*job) error // returns why a job can no longer reach it, or nil; may be nil itself
	deadline time.Time        // when the call fails; zero: never
	reply    func()           // answers the call
}

// check answers the calls that can be answered now, and removes them.
func (w *waiters) check(named map[string]*job) {
	*w = slices.DeleteFunc(*w, func(one *waiter) bool { return one.check(named) })
}

// check answers the call if it can be answered or has to fail, and tells whether it did. named
// holds the jobs that are still there.
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

// expire fails the calls whose deadline has passed.
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

// drop fails and removes the calls of a connection that has ended.
func (w *waiters) drop(conn *control.Conn) {
	*w = slices.DeleteFunc(*w, func(one *waiter) bool {
		if one.call.Conn != conn {
			return false
		}
		one.call.Fail(errConnectionEnded)
		return true
	})
}

// deadline returns the nearest deadline of all calls; zero if there is none.
func (w waiters) deadline() (next time.Time) {
	for _, one := range w {
		next = nearest(next, one.deadline)
	}
	return next
}

// cannotEnd returns the reason why the end of a job will not come; nil if it still can.
func cannotEnd(j *job) error {
	switch {
	case j.run.isStuck(), j.stepRun.isStuck():
		return control.Failed{Job: j.spec.Name, Reason: "something of it cannot be killed (cginitctl tree shows what)"}
	case j.IsWanted() && !j.IsEnding() && j.IsLive() && j.State() != life.JobStopping:
		return control.Failed{Job: j.spec.Name, Reason: "it was started again before it could be stopped"}
	}
	return nil
}

// hasFailed returns an error for a job that has failed for good, and for a leased run that has
// ended. It returns nil for a job that is down, because that can still be started.
func hasFailed(j *job) error {
	if j.State() == life.JobFailed || j.over && j.IsIdle() {
		return control.Failed{Job: j.spec.Name, Reason: j.why()}
	}
	return nil
}

// notFrozen returns the reason why a job that was to be frozen will not be; nil if it still can.
func notFrozen(j *job) error {
	if j.run.paused || j.run.still {
		return nil
	}
	return control.Failed{Job: j.spec.Name, Reason: "it was thawed or ended meanwhile"}
}
