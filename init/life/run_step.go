package life

import (
	"time"

	"github.com/cginit/cginit/init/config"
)

// Step changes the run for an event and returns the actions that follow. It changes nothing but r and
// the alarm of r, so that the tests can run every event in every state.
func (r *Run) Step(ev RunEvent, now time.Time) []RunAction {
	switch ev {
	case EvStart:
		switch r.state {
		case RunIdle:
			return r.enter(RunStarting, now, time.Time{}, DoSpawn)
		case RunStarting, RunRunning, RunAsking, RunStopping, RunWaiting, RunLeaving, RunFreezing, RunKilling, RunStuck, RunRemoving, RunEnded:
		}
	case EvPending:
		switch r.state {
		case RunStarting:
			r.pending = true
		case RunIdle, RunRunning, RunAsking, RunStopping, RunWaiting, RunLeaving, RunFreezing, RunKilling, RunStuck, RunRemoving, RunEnded:
		}
	case EvSpawned:
		r.pending = false
		switch r.state {
		case RunStarting:
			r.runBy = r.timeout(now)
			switch {
			case r.cause != "": // a stop or a kill came while the start was pending
				return r.ask(r.cause, now)
			case r.own: // it has said so before the holder said that it lives
				return r.ownStop(now)
			}
			return r.enter(RunRunning, now, r.runBy)
		case RunIdle, RunRunning, RunAsking, RunStopping, RunWaiting, RunLeaving, RunFreezing, RunKilling, RunStuck, RunRemoving, RunEnded:
		}
	case EvSpawnBusy:
		r.pending = false
		switch r.state {
		case RunStarting:
			if r.cause != "" {
				return r.end(r.cause, now)
			}
			r.until(now.Add(min(spawnRetry<<r.tries, spawnRetryMost)))
			r.tries = min(r.tries+1, 16)
		case RunIdle, RunRunning, RunAsking, RunStopping, RunWaiting, RunLeaving, RunFreezing, RunKilling, RunStuck, RunRemoving, RunEnded:
		}
	case EvSpawnFailed:
		r.pending = false
		switch r.state {
		case RunStarting:
			return r.end(StartFailed, now)
		case RunRunning, RunAsking, RunStopping, RunWaiting, RunLeaving, RunFreezing, RunKilling, RunStuck:
			r.mainGone = true // the exec helper found that the command cannot be executed
			return r.end(StartFailed, now)
		case RunIdle, RunRemoving, RunEnded:
		}
	case EvStop:
		switch r.state {
		case RunIdle, RunStarting:
			if r.pending {
				return r.abandonIn(max(r.because(r.why()).grace, freezeWait), now)
			}
			return r.end(r.why(), now)
		case RunRunning:
			return r.ask(r.why(), now)
		case RunWaiting:
			if r.IsDaemon() {
				return r.ask(r.why(), now)
			}
			r.cause = r.why() // replaces Exited: the leftovers were still at work
			return r.enter(RunLeaving, now, now.Add(r.grace), DoAskRest)
		case RunStopping:
			if r.own { // nobody has sent it a signal yet
				r.endBy = r.deadline
				return r.overrule().ask(r.why(), now)
			}
		case RunAsking, RunLeaving, RunFreezing, RunKilling, RunStuck, RunRemoving, RunEnded:
		}
	case EvKill:
		switch r.state {
		case RunIdle, RunStarting:
			if r.pending {
				r.because(Killed).grace = 0
				return r.abandonIn(freezeWait, now)
			}
			return r.end(Killed, now)
		case RunRunning, RunAsking, RunStopping, RunWaiting, RunLeaving, RunStuck:
			return r.overrule().because(Killed).standStill(now)
		case RunFreezing, RunKilling, RunRemoving, RunEnded:
		}
	case EvOwnStop:
		switch r.state {
		case RunStarting: // EvSpawned is still to come
			r.own = true
		case RunRunning:
			return r.ownStop(now)
		case RunWaiting:
			if r.IsDaemon() {
				return r.ownStop(now)
			}
		case RunIdle, RunAsking, RunStopping, RunLeaving, RunFreezing, RunKilling, RunStuck, RunRemoving, RunEnded:
		}
	case EvMainExit:
		return r.mainExit(now)
	case EvEmpty:
		switch r.state {
		case RunRunning, RunAsking, RunStopping, RunWaiting, RunLeaving, RunFreezing, RunKilling, RunStuck:
			r.mainGone = true
			return r.because(Exited).enter(RunRemoving, now, time.Time{}, DoRemove)
		case RunIdle, RunStarting, RunRemoving, RunEnded:
		}
	case EvFrozen:
		switch r.state {
		case RunAsking:
			return r.asked(now)
		case RunFreezing:
			return r.enter(RunKilling, now, now.Add(killRetry), DoList, DoKill)
		case RunIdle, RunStarting, RunRunning, RunStopping, RunWaiting, RunLeaving, RunKilling, RunStuck, RunRemoving, RunEnded:
		}
	case EvUnkillable:
		switch r.state {
		case RunKilling:
			return r.enter(RunStuck, now, time.Time{}, DoReport)
		case RunIdle, RunStarting, RunRunning, RunAsking, RunStopping, RunWaiting, RunLeaving, RunFreezing, RunStuck, RunRemoving, RunEnded:
		}
	case EvRemoved:
		switch r.state {
		case RunRemoving:
			return r.enter(RunEnded, now, time.Time{}, DoReport)
		case RunIdle, RunStarting, RunRunning, RunAsking, RunStopping, RunWaiting, RunLeaving, RunFreezing, RunKilling, RunStuck, RunEnded:
		}
	case EvDeadline:
		return r.timeUp(now)
	}
	return nil
}

// mainExit is Step for EvMainExit: it applies the policy for the leftovers.
func (r *Run) mainExit(now time.Time) []RunAction {
	r.mainGone = true
	switch r.state {
	case RunRunning:
		if r.IsDaemon() { // the process that it has forked is the job now
			return r.enter(RunWaiting, now, r.runBy)
		}
		return r.because(Exited).leave(now.Add(r.grace), now)
	case RunStopping:
		switch {
		case r.own: // as if it had not said so before, but within one grace period
			r.own = false
			return r.leave(r.deadline, now)
		case r.spec.KillMode == config.Process:
			return r.standStill(now)
		}
		rest := DoAskRest
		if r.pressed { // a second SIGTERM makes some programs give up what they are doing
			rest = DoAskOthers
		}
		return r.enter(RunLeaving, now, r.deadline, rest)
	case RunIdle, RunStarting, RunAsking, RunWaiting, RunLeaving, RunFreezing, RunKilling, RunStuck, RunRemoving, RunEnded:
	}
	return nil
}

// timeUp is Step for EvDeadline. In each state the deadline has one meaning.
func (r *Run) timeUp(now time.Time) []RunAction {
	switch r.state {
	case RunStarting:
		if r.pending {
			r.until(time.Time{})
			return []RunAction{DoAbandon}
		}
		return r.enter(RunStarting, now, time.Time{}, DoSpawn)
	case RunRunning:
		return r.ask(TimedOut, now)
	case RunWaiting:
		r.cause = TimedOut
		return r.enter(RunLeaving, now, now.Add(r.grace), DoAskRest)
	case RunAsking: // some processes do not freeze, so all are asked as they are
		return r.asked(now)
	case RunStopping:
		switch {
		case r.own:
			return r.overrule().because(Failing).standStill(now)
		case r.isToPress() && now.Before(r.deadline):
			r.pressed = true
			r.until(r.deadline)
			return []RunAction{DoAskOthers}
		}
		return r.standStill(now)
	case RunLeaving:
		return r.standStill(now)
	case RunFreezing: // some processes do not freeze: the list may miss some, but the kill does not
		return r.enter(RunKilling, now, now.Add(killRetry), DoList, DoKill)
	case RunKilling:
		r.until(now.Add(min(max(now.Sub(r.since), killRetry), killRetryMost)))
		return []RunAction{DoKill}
	case RunRemoving:
		r.until(time.Time{})
		return []RunAction{DoRemove}
	case RunIdle, RunStuck, RunEnded:
	}
	return nil
}

// enter changes the state. It sets the deadline on every transition, so that none outlives its
// reason.
func (r *Run) enter(s RunState, now, deadline time.Time, a ...RunAction) []RunAction {
	if r.state > RunStarting {
		if r.spent == nil { // an idle run does without
			r.spent = new([runStates]time.Duration)
		}
		r.spent[r.state] += now.Sub(r.since)
	}
	r.state, r.since, r.pressed = s, now, false
	r.until(deadline)
	return a
}

// because sets the cause, unless there is one already: the first event that ended the run counts.
func (r *Run) because(c Cause) *Run {
	if r.cause == "" {
		r.cause = c
	}
	return r
}

// overrule ends the own stop of the run, if there is one: something else ends the run now, and is
// the cause.
func (r *Run) overrule() *Run {
	if r.own {
		r.own, r.cause = false, ""
	}
	return r
}

// ownStop begins the grace period of a run that ends by itself. No signal is sent.
func (r *Run) ownStop(now time.Time) []RunAction {
	r.own = true
	return r.because(Exited).enter(RunStopping, now, now.Add(r.grace))
}

// leave applies the policy for the leftovers of a main process that has ended by itself. by is when
// they are killed if they are asked.
func (r *Run) leave(by, now time.Time) []RunAction {
	switch r.spec.Leftovers {
	case config.LeftoversWait:
		return r.enter(RunWaiting, now, r.runBy)
	case config.LeftoversKill:
		return r.standStill(now)
	case config.LeftoversStop:
	}
	return r.enter(RunLeaving, now, by, DoAskRest)
}

// ask begins the stop of the run because of c.
func (r *Run) ask(c Cause, now time.Time) []RunAction {
	r.own = false
	r.because(c)
	if r.spec.KillMode == config.ControlGroup {
		return r.enter(RunAsking, now, now.Add(freezeWait), DoFreeze)
	}
	return r.enter(RunStopping, now, r.graceEnd(now), DoAsk)
}

// asked sends the stop signal to every process, frozen or not, and begins the grace period.
func (r *Run) asked(now time.Time) []RunAction {
	next := RunStopping
	if r.mainGone {
		next = RunLeaving
	}
	return r.enter(next, now, r.graceEnd(now), DoAskAll)
}

// graceEnd returns when a grace period that begins now ends. A stop on request does not lengthen
// that of an own stop.
func (r *Run) graceEnd(now time.Time) time.Time {
	end := now.Add(r.grace)
	if !r.endBy.IsZero() && r.endBy.Before(end) {
		return r.endBy
	}
	return end
}

// abandonIn bounds how long the holder of a pending start may still take. An exec can wait for
// ever, for example for a file server that has gone or for the holder of a lease on the file.
func (r *Run) abandonIn(wait time.Duration, now time.Time) []RunAction {
	if at := now.Add(wait); r.deadline.IsZero() || at.Before(r.deadline) {
		r.until(at)
	}
	return nil
}

// standStill freezes the processes before the kill.
func (r *Run) standStill(now time.Time) []RunAction {
	return r.enter(RunFreezing, now, now.Add(freezeWait), DoFreeze)
}

// end ends a run that has no process.
func (r *Run) end(c Cause, now time.Time) []RunAction {
	return r.because(c).enter(RunRemoving, now, time.Time{}, DoRemove)
}

// timeout returns when the run times out; zero means never.
func (r *Run) timeout(now time.Time) time.Time {
	if r.spec.Timeout == 0 {
		return time.Time{}
	}
	return now.Add(r.spec.Timeout)
}
