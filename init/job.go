package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/config"
)

type jobState int

const (
	jobDown      jobState = iota // nobody wants it to run
	jobBlocked                   // wanted; what it depends on is not there yet
	jobPreparing                 // its pre_start steps run
	jobStarting                  // its main process exists and has not said that it is ready
	jobUp                        // ready
	jobStopping                  // its run is being torn down
	jobDelayed                   // wanted; it waits before the next run
	jobDone                      // it ended well and is not to run again
	jobFailed                    // it ended badly and is not to run again
	jobStates                    // their number
)

// String returns the word that people and programs see.
func (s jobState) String() string {
	return [jobStates]string{"down", "blocked", "preparing", "starting", "up", "stopping", "delayed", "done", "failed"}[s]
}

type jobEvent int

const (
	jvStart      jobEvent = iota // somebody wants it to run
	jvStop                       // somebody wants it down
	jvRestart                    // somebody wants it to run anew
	jvMet                        // all that it depends on is there
	jvImpossible                 // what it depends on will never be there
	jvPrepared                   // the last pre_start step has ended well
	jvReady                      // it says that it is ready
	jvBad                        // it is not as it should be: unhealthy, silent, not ready in time
	jvEnded                      // its run, or a pre_start step that failed, has ended and nothing is left
	jvDeadline
	jobEvents // their number
)

type jobAction int

const (
	jaTell    jobAction = iota // others may wait for this
	jaPrepare                  // the first pre_start step
	jaLaunch                   // a new run
	jaReady                    // what happens when it is ready: post_start, health checks
	jaStopRun                  // pre_stop, then stop
	jaGiveUp                   // it has failed, or was essential: what follows for the others
)

// job is a service or one-shot job over all its runs. The loop alone changes it, by step.
type job struct {
	spec     config.Spec
	state    jobState
	since    time.Time // when it came into this state
	deadline time.Time // when it acts by itself; zero: never

	want    bool   // it is to run
	again   bool   // its run is stopped only to start anew
	boot    bool   // the supervisor is not up yet: what fails now fails the start
	ok      bool   // how its last run ended
	bad     string // why its run is being stopped against everybody's wish; empty: it is not
	retries int    // runs since the last that was ready for long
	ready   bool   // its present run has been ready
	readyAt time.Time

	run         *run      // the present or last one; nil: there was none
	runs        int       // how many there have been
	last        *Receipt  // of the last one that has ended
	hook        *run      // the pre_start, post_start or pre_stop step under way; nil: none
	hooked      int       // how many of its kind have ended
	attended    int       // how many steps and probes it has had
	uid         uint32    // of user: auto; 0: none was needed
	stopBy      time.Time // when the grace period of its stop ends
	health      health
	notify      *notifier      // nil: it has no NOTIFY_SOCKET
	words       []string       // the last lines that it wrote, where they go through us
	next        time.Time      // when its schedule starts it; zero: never
	gone        bool           // it is in the file no more; it goes when nothing of it is left
	lease       *lease         // who started it over the control socket; nil: it is in the file
	ending      bool           // it is stopped as soon as nothing that lives depends on it
	over        bool           // whoever started it over the control socket has been told that it has ended
	grace       *time.Duration // for this stop, instead of its own; nil: its own
	replacement *config.Spec   // what it is to be as soon as its run has ended; nil: what it is
	queued      bool           // it is to run again as soon as this run has ended
}

func newJob(spec config.Spec) *job { return &job{spec: spec} }

// isIdle tells whether nothing of it runs and nothing will by itself.
func (j *job) isIdle() bool {
	return j.state == jobDown || j.state == jobDone || j.state == jobFailed
}

// isLive tells whether something of it runs, or may.
func (j *job) isLive() bool {
	switch j.state {
	case jobPreparing, jobStarting, jobUp, jobStopping:
		return true
	case jobDown, jobBlocked, jobDelayed, jobDone, jobFailed:
	}
	return false
}

// step is the life of a job over its runs: what it does for each event in each state. It
// touches nothing but j, so that the tests run it over every pair.
func (j *job) step(ev jobEvent, now time.Time) []jobAction {
	switch ev {
	case jvStart:
		j.want, j.ending = true, false
		switch j.state {
		case jobDown, jobDone, jobFailed, jobDelayed:
			j.retries = 0
			return j.enter(jobBlocked, now, time.Time{}, jaTell)
		case jobStopping:
			j.again = true
		case jobBlocked, jobPreparing, jobStarting, jobUp:
		}
	case jvStop:
		j.want, j.again, j.ending = false, false, false
		switch j.state {
		case jobBlocked, jobDelayed:
			return j.enter(jobDown, now, time.Time{}, jaTell)
		case jobPreparing, jobStarting, jobUp:
			return j.enter(jobStopping, now, time.Time{}, jaStopRun, jaTell)
		case jobDown, jobStopping, jobDone, jobFailed:
		}
	case jvRestart:
		j.want, j.ending = true, false
		switch j.state {
		case jobDown, jobDone, jobFailed, jobDelayed:
			j.retries = 0
			return j.enter(jobBlocked, now, time.Time{}, jaTell)
		case jobPreparing, jobStarting, jobUp:
			j.again = true
			return j.enter(jobStopping, now, time.Time{}, jaStopRun, jaTell)
		case jobStopping:
			j.again = true
		case jobBlocked:
		}
	case jvMet:
		switch j.state {
		case jobBlocked:
			j.ready, j.bad, j.ok = false, "", false
			if len(j.spec.PreStart) > 0 {
				return j.enter(jobPreparing, now, j.startBy(now), jaPrepare, jaTell)
			}
			return j.launch(j.startBy(now), now)
		case jobDown, jobPreparing, jobStarting, jobUp, jobStopping, jobDelayed, jobDone, jobFailed:
		}
	case jvImpossible:
		switch j.state {
		case jobBlocked:
			if j.boot { // later, what it depends on may be started by hand
				return j.enter(jobFailed, now, time.Time{}, jaGiveUp, jaTell)
			}
		case jobDown, jobPreparing, jobStarting, jobUp, jobStopping, jobDelayed, jobDone, jobFailed:
		}
	case jvPrepared:
		switch j.state {
		case jobPreparing:
			return j.launch(j.deadline, now)
		case jobDown, jobBlocked, jobStarting, jobUp, jobStopping, jobDelayed, jobDone, jobFailed:
		}
	case jvReady:
		switch j.state {
		case jobStarting:
			j.ready, j.readyAt = true, now
			return j.enter(jobUp, now, j.watchdog(now), jaReady, jaTell)
		case jobDown, jobBlocked, jobPreparing, jobUp, jobStopping, jobDelayed, jobDone, jobFailed:
		}
	case jvBad:
		switch j.state {
		case jobStarting, jobUp:
			return j.enter(jobStopping, now, time.Time{}, jaStopRun, jaTell)
		case jobDown, jobBlocked, jobPreparing, jobStopping, jobDelayed, jobDone, jobFailed:
		}
	case jvEnded:
		switch j.state {
		case jobPreparing, jobStarting, jobUp:
			return j.after(now)
		case jobStopping:
			return j.stopped(now)
		case jobDown, jobBlocked, jobDelayed, jobDone, jobFailed:
		}
	case jvDeadline:
		return j.timeUp(now)
	}
	return nil
}

// timeUp is step for jvDeadline: each state has one reason for its deadline.
func (j *job) timeUp(now time.Time) []jobAction {
	j.deadline = time.Time{}
	switch j.state {
	case jobDelayed:
		return j.enter(jobBlocked, now, time.Time{}, jaTell)
	case jobPreparing, jobStarting:
		j.bad = "it was not ready in " + j.spec.StartTimeout.String() + " (start_timeout)"
		return j.enter(jobStopping, now, time.Time{}, jaStopRun, jaTell)
	case jobUp:
		j.bad = "no WATCHDOG=1 came for " + j.spec.Watchdog.String() + " (watchdog)"
		return j.enter(jobStopping, now, time.Time{}, jaStopRun, jaTell)
	case jobStopping: // its pre_stop steps take too long
		return []jobAction{jaStopRun}
	case jobDown, jobBlocked, jobDone, jobFailed:
	}
	return nil
}

// after decides what follows a run that was not stopped on request.
func (j *job) after(now time.Time) []jobAction {
	if j.ending { // it was to be stopped as soon as nothing needed it
		j.want, j.ending = false, false
		return j.enter(jobDown, now, time.Time{}, jaTell)
	}
	j.ok = j.ok && j.bad == ""
	if j.ready && now.Sub(j.readyAt) >= j.spec.Restart.Window {
		j.retries = 0
	}
	if j.restarts() {
		j.retries++
		return j.enter(jobDelayed, now, now.Add(j.delay()), jaTell)
	}
	if j.ok && !j.failsStart() {
		return j.enter(jobDone, now, time.Time{}, jaGiveUp, jaTell)
	}
	return j.enter(jobFailed, now, time.Time{}, jaGiveUp, jaTell)
}

// stopped decides what follows a run that was stopped: on request, or because it was bad.
func (j *job) stopped(now time.Time) []jobAction {
	switch {
	case j.again:
		j.again, j.retries = false, 0
		return j.enter(jobBlocked, now, time.Time{}, jaTell)
	case j.want:
		return j.after(now)
	}
	return j.enter(jobDown, now, time.Time{}, jaTell)
}

// failsStart: a service that ends, or has to be stopped for not being as it should, while
// everything starts. To have been executed is no proof of anything.
func (j *job) failsStart() bool { return j.boot && j.spec.Service }

// restarts tells whether its policy has it run again. One that fails the start is not tried
// until it is well.
func (j *job) restarts() bool {
	p := j.spec.Restart
	switch {
	case j.spec.Essential, j.failsStart():
		return false
	case p.Max > 0 && j.retries >= p.Max:
		return false
	}
	return p.Policy == config.RestartAlways || p.Policy == config.RestartOnFailure && !j.ok
}

// delay before the next run: the first, doubled for each retry.
func (j *job) delay() time.Duration {
	d, most := j.spec.Restart.Delay, max(j.spec.Restart.Delay, j.spec.Restart.MaxDelay)
	for range j.retries - 1 {
		if d *= 2; d >= most {
			return most
		}
	}
	return d
}

func (j *job) launch(startBy, now time.Time) []jobAction {
	return j.enter(jobStarting, now, startBy, jaLaunch, jaTell)
}

// startBy is when a start that begins now must have come to its end, pre_start steps included.
func (j *job) startBy(now time.Time) time.Time {
	if j.spec.StartTimeout == 0 {
		return time.Time{}
	}
	return now.Add(j.spec.StartTimeout)
}

func (j *job) watchdog(now time.Time) time.Time {
	if j.spec.Watchdog == 0 {
		return time.Time{}
	}
	return now.Add(j.spec.Watchdog)
}

// enter changes the state. The deadline is set with every transition, so that none outlives
// its reason.
func (j *job) enter(s jobState, now, deadline time.Time, a ...jobAction) []jobAction {
	j.state, j.since, j.deadline, j.stopBy = s, now, deadline, time.Time{}
	return a
}
