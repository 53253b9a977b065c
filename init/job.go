package supervisor

import (
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
)

type state int

const (
	idle     state = iota // no run yet
	starting              // a fork that failed for now is tried again
	running
	asking   // being frozen, to ask all at once
	stopping // asked; the main process lives
	waiting  // the main process has ended; the others may take their time
	leaving  // the main process has ended; the others have been asked
	freezing // before the kill, for a list that holds still
	killing
	stuck    // something outlives the kill
	removing // empty; the cgroup goes
	ended
	states // their number
)

type event int

const (
	evStart     event = iota
	evSpawned         // the main process exists
	evSpawnBusy       // it could not be forked for now
	evSpawnFail       // it cannot be started, and nothing of it is left
	evStop            // somebody asks for the end
	evKill            // somebody wants it at once
	evMainExit        // the main process has been reaped, others are left
	evEmpty           // it has been reaped and nothing is left
	evFrozen
	evUnkillable // what is left cannot be killed
	evRemoved
	evDeadline
	events // their number
)

type action int

const (
	doSpawn   action = iota
	doAsk            // the stop signal, to the main process
	doAskAll         // the stop signal, to all, and thaw
	doAskRest        // SIGTERM to the leftovers
	doFreeze
	doList // write down who is left
	doKill
	doRemove
	doReport // the receipt
)

// The times that are not the user's to set. Those of a stop's end (freeze, list, kill) fit
// into the second that the default grace period leaves of docker stop's ten.
const (
	spawnRetry   = 20 * time.Millisecond  // between forks that fail for now
	spawnGiveUp  = time.Second            // since the first of them
	freezeWait   = 200 * time.Millisecond // a process in state D can hold up a freeze for ever
	listWait     = 300 * time.Millisecond // for writing down all of who is left, not only their names
	killRetry    = 10 * time.Millisecond  // kernels before 6.14 can miss a fork under way
	killPatience = 400 * time.Millisecond // until what is in state D is called unkillable
	killGiveUp   = 30 * time.Second       // until anything is
	rmdirRetry   = 10 * time.Millisecond  // Linux 6.19 and later: a dying task can hold it up
)

// job is one command and its present run. The loop alone changes it, by step.
type job struct {
	spec     config.Spec
	state    state
	since    time.Time // when it came into this state
	deadline time.Time // when it acts by itself; zero: never
	spent    [states]time.Duration

	askWith  syscall.Signal // the stop signal
	cause    cause
	mainGone bool
	run      *run
}

func newJob(spec config.Spec) *job {
	j := &job{spec: spec, askWith: spec.StopSignal}
	if j.askWith == 0 {
		j.askWith = syscall.SIGTERM
	}
	return j
}

// isStopping tells whether its end has begun.
func (j *job) isStopping() bool { return j.cause != "" && j.state != waiting }

// step is the whole life of a job: what it does for each event in each state. It touches
// nothing but j, so that the tests run it over every pair.
func (j *job) step(ev event, now time.Time) []action {
	switch ev {
	case evStart:
		switch j.state {
		case idle:
			return j.enter(starting, now, time.Time{}, doSpawn)
		case starting, running, asking, stopping, waiting, leaving, freezing, killing, stuck, removing, ended:
		}
	case evSpawned:
		switch j.state {
		case starting:
			return j.enter(running, now, j.timeout(now))
		case idle, running, asking, stopping, waiting, leaving, freezing, killing, stuck, removing, ended:
		}
	case evSpawnBusy:
		switch j.state {
		case starting:
			j.deadline = now.Add(spawnRetry)
		case idle, running, asking, stopping, waiting, leaving, freezing, killing, stuck, removing, ended:
		}
	case evSpawnFail:
		switch j.state {
		case starting, running: // running: the exec helper found that it cannot be executed
			return j.end(startFailed, now)
		case idle, asking, stopping, waiting, leaving, freezing, killing, stuck, removing, ended:
		}
	case evStop:
		switch j.state {
		case idle, starting:
			return j.end(stopped, now)
		case running:
			return j.ask(stopped, now)
		case waiting:
			j.cause = stopped // it went on after its main process had ended
			return j.enter(leaving, now, now.Add(j.spec.GracePeriod), doAskRest)
		case asking, stopping, leaving, freezing, killing, stuck, removing, ended:
		}
	case evKill:
		switch j.state {
		case idle, starting:
			return j.end(killed, now)
		case running, asking, stopping, waiting, leaving, stuck:
			return j.because(killed).freeze(now)
		case freezing, killing, removing, ended:
		}
	case evMainExit:
		return j.mainExit(now)
	case evEmpty:
		switch j.state {
		case running, asking, stopping, waiting, leaving, freezing, killing, stuck:
			j.mainGone = true
			return j.because(exited).enter(removing, now, time.Time{}, doRemove)
		case idle, starting, removing, ended:
		}
	case evFrozen:
		switch j.state {
		case asking:
			return j.asked(now)
		case freezing:
			return j.enter(killing, now, now.Add(killRetry), doList, doKill)
		case idle, starting, running, stopping, waiting, leaving, killing, stuck, removing, ended:
		}
	case evUnkillable:
		switch j.state {
		case killing:
			return j.enter(stuck, now, time.Time{}, doReport)
		case idle, starting, running, asking, stopping, waiting, leaving, freezing, stuck, removing, ended:
		}
	case evRemoved:
		switch j.state {
		case removing:
			return j.enter(ended, now, time.Time{}, doReport)
		case idle, starting, running, asking, stopping, waiting, leaving, freezing, killing, stuck, ended:
		}
	case evDeadline:
		return j.timeUp(now)
	}
	return nil
}

// mainExit is step for evMainExit: the policy for what the main process leaves behind.
func (j *job) mainExit(now time.Time) []action {
	j.mainGone = true
	switch j.state {
	case running:
		j.because(exited)
		switch j.spec.Leftovers {
		case config.LeftoversWait:
			return j.enter(waiting, now, j.deadline)
		case config.LeftoversKill:
			return j.freeze(now)
		case config.LeftoversStop:
		}
		return j.enter(leaving, now, now.Add(j.spec.GracePeriod), doAskRest)
	case stopping:
		if j.spec.KillMode == config.Process {
			return j.freeze(now)
		}
		return j.enter(leaving, now, j.deadline, doAskRest)
	case idle, starting, asking, waiting, leaving, freezing, killing, stuck, removing, ended:
	}
	return nil
}

// timeUp is step for evDeadline: each state has one reason for its deadline.
func (j *job) timeUp(now time.Time) []action {
	switch j.state {
	case starting:
		return j.enter(starting, now, time.Time{}, doSpawn)
	case running:
		return j.ask(timedOut, now)
	case waiting:
		j.cause = timedOut
		return j.enter(leaving, now, now.Add(j.spec.GracePeriod), doAskRest)
	case asking: // it does not freeze: ask those that can be asked
		return j.asked(now)
	case stopping, leaving:
		return j.freeze(now)
	case freezing: // it does not freeze: the list may be short of some, the kill is not
		return j.enter(killing, now, now.Add(killRetry), doList, doKill)
	case killing:
		j.deadline = now.Add(killRetry)
		return []action{doKill}
	case removing:
		j.deadline = time.Time{}
		return []action{doRemove}
	case idle, stuck, ended:
	}
	return nil
}

// enter changes the state. The deadline is set with every transition, so that none outlives
// its reason.
func (j *job) enter(s state, now, deadline time.Time, a ...action) []action {
	if !j.since.IsZero() {
		j.spent[j.state] += now.Sub(j.since)
	}
	j.state, j.since, j.deadline = s, now, deadline
	return a
}

// because keeps the first cause: what ended the run is what happened first.
func (j *job) because(c cause) *job {
	if j.cause == "" {
		j.cause = c
	}
	return j
}

func (j *job) ask(c cause, now time.Time) []action {
	j.because(c)
	if j.spec.KillMode == config.ControlGroup {
		return j.enter(asking, now, now.Add(freezeWait), doFreeze)
	}
	return j.enter(stopping, now, now.Add(j.spec.GracePeriod), doAsk)
}

func (j *job) asked(now time.Time) []action {
	next := stopping
	if j.mainGone {
		next = leaving
	}
	return j.enter(next, now, now.Add(j.spec.GracePeriod), doAskAll)
}

func (j *job) freeze(now time.Time) []action {
	return j.enter(freezing, now, now.Add(freezeWait), doFreeze)
}

// end ends a job that has no process.
func (j *job) end(c cause, now time.Time) []action {
	return j.because(c).enter(removing, now, time.Time{}, doRemove)
}

func (j *job) timeout(now time.Time) time.Time {
	if j.spec.Timeout == 0 {
		return time.Time{}
	}
	return now.Add(j.spec.Timeout)
}
