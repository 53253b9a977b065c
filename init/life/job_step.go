package life

import (
	"time"

	"github.com/cginit/cginit/init/config"
)

// Step changes the job for an event and returns the actions that follow. It changes nothing but j
// and the alarm of j, so that the tests can run every event in every state.
func (j *Job) Step(ev JobEvent, now time.Time) []JobAction {
	switch ev.Kind {
	case EvJobStart:
		j.want, j.ending = true, false
		switch j.state {
		case JobDown, JobDone, JobFailed, JobDelayed:
			j.retries = 0
			return j.enter(JobBlocked, time.Time{}, DoJobTell)
		case JobStopping:
			j.again = true
		case JobBlocked, JobPreparing, JobStarting, JobUp:
		}
	case EvJobStop:
		j.want, j.again, j.ending = false, false, false
		switch j.state {
		case JobBlocked, JobDelayed:
			return j.enter(JobDown, time.Time{}, DoJobTell)
		case JobPreparing, JobStarting, JobUp:
			return j.enter(JobStopping, time.Time{}, DoJobStopRun, DoJobTell)
		case JobStopping:
			return j.askToo()
		case JobDown, JobDone, JobFailed:
		}
	case EvJobRestart:
		j.want, j.ending = true, false
		switch j.state {
		case JobDown, JobDone, JobFailed, JobDelayed:
			j.retries = 0
			return j.enter(JobBlocked, time.Time{}, DoJobTell)
		case JobPreparing, JobStarting, JobUp:
			j.again = true
			return j.enter(JobStopping, time.Time{}, DoJobStopRun, DoJobTell)
		case JobStopping:
			j.again = true
			return j.askToo()
		case JobBlocked:
		}
	case EvJobMet:
		switch j.state {
		case JobBlocked:
			j.ready, j.bad, j.ok, j.watchdogIs = false, "", false, 0
			if len(j.spec.PreStart) > 0 {
				return j.enter(JobPreparing, j.startBy(now), DoJobPrepare, DoJobTell)
			}
			return j.launch(j.startBy(now))
		case JobDown, JobPreparing, JobStarting, JobUp, JobStopping, JobDelayed, JobDone, JobFailed:
		}
	case EvJobImpossible:
		switch j.state {
		case JobBlocked:
			if j.booting { // after the start a person can still start the dependency
				j.bad = ev.Why
				return j.enter(JobFailed, time.Time{}, DoJobRest, DoJobTell)
			}
		case JobDown, JobPreparing, JobStarting, JobUp, JobStopping, JobDelayed, JobDone, JobFailed:
		}
	case EvJobPrepared:
		switch j.state {
		case JobPreparing:
			return j.launch(j.deadline)
		case JobDown, JobBlocked, JobStarting, JobUp, JobStopping, JobDelayed, JobDone, JobFailed:
		}
	case EvJobReady:
		switch j.state {
		case JobStarting:
			j.ready, j.readyAt = true, now
			return j.enter(JobUp, j.watchdog(now), DoJobReady, DoJobTell)
		case JobDown, JobBlocked, JobPreparing, JobUp, JobStopping, JobDelayed, JobDone, JobFailed:
		}
	case EvJobBad:
		switch j.state {
		case JobStarting, JobUp:
			return j.stopBad(ev.Why)
		case JobDown, JobBlocked, JobPreparing, JobStopping, JobDelayed, JobDone, JobFailed:
		}
	case EvJobOwnStop:
		switch j.state {
		case JobStarting, JobUp: // without a deadline, so its watchdog and start_timeout are off
			actions := j.enter(JobStopping, time.Time{}, DoJobOwnStop, DoJobTell)
			j.own = true
			return actions
		case JobDown, JobBlocked, JobPreparing, JobStopping, JobDelayed, JobDone, JobFailed:
		}
	case EvJobExtend:
		switch j.state {
		case JobStarting:
			if !j.deadline.IsZero() && ev.Until.After(j.deadline) {
				j.until(ev.Until)
			}
		case JobUp, JobStopping:
			return []JobAction{DoJobExtend}
		case JobDown, JobBlocked, JobPreparing, JobDelayed, JobDone, JobFailed:
		}
	case EvJobEnded:
		switch j.state {
		case JobPreparing, JobStarting, JobUp:
			return j.endedBy(ev).after(now)
		case JobStopping:
			return j.endedBy(ev).stopped(now)
		case JobDown, JobBlocked, JobDelayed, JobDone, JobFailed:
		}
	case EvJobDeadline:
		return j.timeUp()
	}
	return nil
}

// timeUp is Step for EvJobDeadline. In each state the deadline has one meaning.
func (j *Job) timeUp() []JobAction {
	j.until(time.Time{})
	switch j.state {
	case JobDelayed:
		return j.enter(JobBlocked, time.Time{}, DoJobTell)
	case JobPreparing, JobStarting:
		return j.stopBad("it was not ready in " + j.spec.StartTimeout.String() + " (start_timeout)")
	case JobUp:
		return j.stopBad("no WATCHDOG=1 came for " + j.Watchdog().String() + " (watchdog)")
	case JobStopping: // its pre_stop steps take too long
		return []JobAction{DoJobStopRun}
	case JobDown, JobBlocked, JobDone, JobFailed:
	}
	return nil
}

// endedBy records how the run has ended.
func (j *Job) endedBy(ev JobEvent) *Job {
	j.ok = ev.OK
	if ev.Why != "" {
		j.bad = ev.Why
	}
	return j
}

// askToo has a run stopped that so far ends by itself.
func (j *Job) askToo() []JobAction {
	if !j.own {
		return nil
	}
	return j.enter(JobStopping, time.Time{}, DoJobStopRun, DoJobTell)
}

// stopBad stops the run for the reason why.
func (j *Job) stopBad(why string) []JobAction {
	j.bad = why
	return j.enter(JobStopping, time.Time{}, DoJobStopRun, DoJobTell)
}

// after returns what follows the end of a run that was not stopped on request.
func (j *Job) after(now time.Time) []JobAction {
	if j.ending { // it was to be stopped as soon as nothing needed it
		j.want, j.ending = false, false
		return j.enter(JobDown, time.Time{}, DoJobTell)
	}
	j.ok = j.ok && j.bad == ""
	if j.ready && now.Sub(j.readyAt) >= j.spec.Restart.Window {
		j.retries = 0
	}
	if j.restarts() {
		j.retries++
		return j.enter(JobDelayed, now.Add(j.delay()), DoJobTell)
	}
	if j.ok && !j.failsStart() {
		return j.enter(JobDone, time.Time{}, DoJobRest, DoJobTell)
	}
	return j.enter(JobFailed, time.Time{}, DoJobRest, DoJobTell)
}

// stopped returns what follows the end of a run that was stopped, on request or because it was bad,
// or that has ended as it had said.
func (j *Job) stopped(now time.Time) []JobAction {
	switch {
	case j.again:
		j.again, j.retries = false, 0
		return j.enter(JobBlocked, time.Time{}, DoJobTell)
	case j.want:
		return j.after(now)
	}
	return j.enter(JobDown, time.Time{}, DoJobTell)
}

// failsStart tells whether the end of the job fails the start of the supervisor. A service that
// ends during the start does, also after it was ready.
func (j *Job) failsStart() bool { return j.booting && j.spec.Service }

// restarts tells whether the job's policy restarts it now. A job that fails the start is never
// restarted.
func (j *Job) restarts() bool {
	p := j.spec.Restart
	switch {
	case j.spec.Essential, j.failsStart():
		return false
	case p.Max > 0 && j.retries >= p.Max:
		return false
	}
	return p.Policy == config.RestartAlways || p.Policy == config.RestartOnFailure && !j.ok
}

// delay returns the time before the next run: the first delay, doubled for each further retry up to
// the largest delay.
func (j *Job) delay() time.Duration {
	d, most := j.spec.Restart.Delay, max(j.spec.Restart.Delay, j.spec.Restart.MaxDelay)
	for range j.retries - 1 {
		if d *= 2; d >= most {
			return most
		}
	}
	return d
}

// launch begins the run, which must be ready by startBy; zero means no limit.
func (j *Job) launch(startBy time.Time) []JobAction {
	return j.enter(JobStarting, startBy, DoJobLaunch, DoJobTell)
}

// startBy returns the time by which a start that begins now must be ready, pre_start steps
// included; zero means no limit.
func (j *Job) startBy(now time.Time) time.Time {
	if j.spec.StartTimeout == 0 {
		return time.Time{}
	}
	return now.Add(j.spec.StartTimeout)
}

// watchdog returns the time by which the next WATCHDOG=1 must come; zero if the job has no
// watchdog.
func (j *Job) watchdog(now time.Time) time.Time {
	if j.Watchdog() == 0 {
		return time.Time{}
	}
	return now.Add(j.Watchdog())
}

// enter changes the state. It sets the deadline on every transition, so that none outlives its
// reason.
func (j *Job) enter(s JobState, deadline time.Time, a ...JobAction) []JobAction {
	j.state, j.stopBy, j.own = s, time.Time{}, false
	j.until(deadline)
	return a
}
