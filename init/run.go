package supervisor

import (
	"cmp"
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
	doAbandon // the holder that does not say whether it has started the main process
	doRemove
	doReport // the receipt
)

// The times that are not the user's to set. Those of a stop's end (freeze, list, kill) fit
// into the second that the default grace period leaves of docker stop's ten.
const (
	spawnRetry     = 20 * time.Millisecond  // between forks that fail for now; it doubles
	spawnRetryMost = time.Second            // at most
	spawnGiveUp    = time.Second            // since the first of them
	freezeWait     = 200 * time.Millisecond // a process in state D can hold up a freeze for ever
	listWait       = 300 * time.Millisecond // for writing down all of who is left, not only their names
	killRetry      = 10 * time.Millisecond  // kernels before 6.14 can miss a fork under way
	killPatience   = 400 * time.Millisecond // until what is in state D is called unkillable
	exitPatience   = 3 * time.Second        // if it is on its way out; among thousands that takes its time
	killGiveUp     = 30 * time.Second       // until anything is
	rmdirRetry     = 10 * time.Millisecond  // Linux 6.19 and later: a dying task can hold it up
)

// run is one life of a command: of a job's, or of a step or probe that belongs to a job. The
// loop alone changes it, by step.
type run struct {
	containment
	spec    *config.Spec
	name    string // for people: web, web/health
	job     *job   // whose it is
	role    role   // what for
	owner   *run   // in whose containment it is; nil: in none but its own
	exe     string // what to execute, where Args[0] is only a name; empty: look Args[0] up
	program string // what is executed
	number  int
	level   Level
	watch   int32 // what the watcher answers for it

	state    state
	since    time.Time // when it came into this state
	deadline time.Time // when it acts by itself; zero: never
	spent    [states]time.Duration

	askWith  syscall.Signal // the stop signal
	grace    time.Duration  // from the ask to the kill
	reason   cause          // of the stop that is asked for; empty: stopped
	cause    cause
	mainGone bool
	tries    uint // of the fork, that failed for now

	main    process
	status  *syscall.WaitStatus // of the main process; nil while it lives
	failed  bool                // the exec helper could not
	pending bool                // a holder has been told to start the main process, and may have
	helper  bool                // the exec helper has not said yet whether it could execute the command
	book    book                // what the receipt will say
	still   bool                // and it does
	said    string              // what it wrote, of a check
	pump    *pump               // what reads the job's output; nil: nobody does
	paused  bool                // somebody asked for it to stand still

	accounted bool
	killError error     // of the last kill
	hopeless  time.Time // since when nothing that is left can die; zero: not so
	remaining int       // how much that is
}

// role is what a run is for.
type role int

const (
	roleMain role = iota // the job itself
	rolePreStart
	rolePostStart
	rolePreStop
	roleHealth
)

func newRun(spec *config.Spec) *run {
	r := &run{spec: spec, name: spec.Name, grace: spec.GracePeriod, askWith: spec.StopSignal}
	if r.askWith == 0 {
		r.askWith = syscall.SIGTERM
	}
	return r
}

// isStarted tells whether its command has been executed, and something of it may be there.
func (r *run) isStarted() bool { return r != nil && r.state != ended && r.main.pid != 0 && !r.helper }

// isStopping tells whether its end has begun.
func (r *run) isStopping() bool { return r.cause != "" && r.state != waiting }

// isGoing tells whether there is nobody left who could be asked to end.
func (r *run) isGoing() bool { return r.isStopping() || r.isOver() }

// isOver tells whether what it was started for has ended.
func (r *run) isOver() bool { return r.status != nil && !r.isDaemon() }

// step is the whole life of a run: what it does for each event in each state. It touches
// nothing but r, so that the tests run it over every pair.
func (r *run) step(ev event, now time.Time) []action {
	switch ev {
	case evStart:
		switch r.state {
		case idle:
			return r.enter(starting, now, time.Time{}, doSpawn)
		case starting, running, asking, stopping, waiting, leaving, freezing, killing, stuck, removing, ended:
		}
	case evSpawned:
		switch r.state {
		case starting:
			if r.cause != "" { // it was to end before it had begun
				return r.ask(r.cause, now)
			}
			return r.enter(running, now, r.timeout(now))
		case idle, running, asking, stopping, waiting, leaving, freezing, killing, stuck, removing, ended:
		}
	case evSpawnBusy:
		switch r.state {
		case starting:
			if r.cause != "" {
				return r.end(r.cause, now)
			}
			r.deadline = now.Add(min(spawnRetry<<r.tries, spawnRetryMost))
			r.tries = min(r.tries+1, 16)
		case idle, running, asking, stopping, waiting, leaving, freezing, killing, stuck, removing, ended:
		}
	case evSpawnFail:
		switch r.state {
		case starting, running: // running: the exec helper found that it cannot be executed
			return r.end(startFailed, now)
		case idle, asking, stopping, waiting, leaving, freezing, killing, stuck, removing, ended:
		}
	case evStop:
		switch r.state {
		case idle, starting:
			if r.pending {
				return r.abandonAt(max(r.because(r.why()).grace, freezeWait), now)
			}
			return r.end(r.why(), now)
		case running:
			return r.ask(r.why(), now)
		case waiting:
			if r.isDaemon() {
				return r.ask(r.why(), now)
			}
			r.cause = r.why() // it went on after its main process had ended
			return r.enter(leaving, now, now.Add(r.grace), doAskRest)
		case asking, stopping, leaving, freezing, killing, stuck, removing, ended:
		}
	case evKill:
		switch r.state {
		case idle, starting:
			if r.pending {
				r.because(killed).grace = 0
				return r.abandonAt(freezeWait, now)
			}
			return r.end(killed, now)
		case running, asking, stopping, waiting, leaving, stuck:
			return r.because(killed).standStill(now)
		case freezing, killing, removing, ended:
		}
	case evMainExit:
		return r.mainExit(now)
	case evEmpty:
		switch r.state {
		case running, asking, stopping, waiting, leaving, freezing, killing, stuck:
			r.mainGone = true
			return r.because(exited).enter(removing, now, time.Time{}, doRemove)
		case idle, starting, removing, ended:
		}
	case evFrozen:
		switch r.state {
		case asking:
			return r.asked(now)
		case freezing:
			return r.enter(killing, now, now.Add(killRetry), doList, doKill)
		case idle, starting, running, stopping, waiting, leaving, killing, stuck, removing, ended:
		}
	case evUnkillable:
		switch r.state {
		case killing:
			return r.enter(stuck, now, time.Time{}, doReport)
		case idle, starting, running, asking, stopping, waiting, leaving, freezing, stuck, removing, ended:
		}
	case evRemoved:
		switch r.state {
		case removing:
			return r.enter(ended, now, time.Time{}, doReport)
		case idle, starting, running, asking, stopping, waiting, leaving, freezing, killing, stuck, ended:
		}
	case evDeadline:
		return r.timeUp(now)
	}
	return nil
}

// mainExit is step for evMainExit: the policy for what the main process leaves behind.
func (r *run) mainExit(now time.Time) []action {
	r.mainGone = true
	switch r.state {
	case running:
		if r.isDaemon() { // what it has forked is the job now
			return r.enter(waiting, now, r.deadline)
		}
		r.because(exited)
		switch r.spec.Leftovers {
		case config.LeftoversWait:
			return r.enter(waiting, now, r.deadline)
		case config.LeftoversKill:
			return r.standStill(now)
		case config.LeftoversStop:
		}
		return r.enter(leaving, now, now.Add(r.grace), doAskRest)
	case stopping:
		if r.spec.KillMode == config.Process {
			return r.standStill(now)
		}
		return r.enter(leaving, now, r.deadline, doAskRest)
	case idle, starting, asking, waiting, leaving, freezing, killing, stuck, removing, ended:
	}
	return nil
}

// timeUp is step for evDeadline: each state has one reason for its deadline.
func (r *run) timeUp(now time.Time) []action {
	switch r.state {
	case starting:
		if r.pending {
			r.deadline = time.Time{}
			return []action{doAbandon}
		}
		return r.enter(starting, now, time.Time{}, doSpawn)
	case running:
		return r.ask(timedOut, now)
	case waiting:
		r.cause = timedOut
		return r.enter(leaving, now, now.Add(r.grace), doAskRest)
	case asking: // it does not freeze: ask those that can be asked
		return r.asked(now)
	case stopping, leaving:
		return r.standStill(now)
	case freezing: // it does not freeze: the list may be short of some, the kill is not
		return r.enter(killing, now, now.Add(killRetry), doList, doKill)
	case killing:
		r.deadline = now.Add(killRetry)
		return []action{doKill}
	case removing:
		r.deadline = time.Time{}
		return []action{doRemove}
	case idle, stuck, ended:
	}
	return nil
}

// enter changes the state. The deadline is set with every transition, so that none outlives
// its reason.
func (r *run) enter(s state, now, deadline time.Time, a ...action) []action {
	if !r.since.IsZero() {
		r.spent[r.state] += now.Sub(r.since)
	}
	r.state, r.since, r.deadline = s, now, deadline
	return a
}

// because keeps the first cause: what ended the run is what happened first.
func (r *run) because(c cause) *run {
	if r.cause == "" {
		r.cause = c
	}
	return r
}

// why is the cause of a stop that was asked for.
func (r *run) why() cause { return cmp.Or(r.reason, stopped) }

// isDaemon: the main process has gone to the background, as it was to do (ready: forking).
func (r *run) isDaemon() bool {
	return r.spec.Ready.Kind == config.ReadyForking && r.mainGone && r.status != nil && r.status.Exited() && r.status.ExitStatus() == 0
}

func (r *run) ask(c cause, now time.Time) []action {
	r.because(c)
	if r.spec.KillMode == config.ControlGroup {
		return r.enter(asking, now, now.Add(freezeWait), doFreeze)
	}
	return r.enter(stopping, now, now.Add(r.grace), doAsk)
}

func (r *run) asked(now time.Time) []action {
	next := stopping
	if r.mainGone {
		next = leaving
	}
	return r.enter(next, now, now.Add(r.grace), doAskAll)
}

// abandonAt is how long a holder may take to say that it has started what is to end. An exec can
// wait for ever: for a file server that has gone, for whoever holds a lease on the file.
func (r *run) abandonAt(wait time.Duration, now time.Time) []action {
	if at := now.Add(wait); r.deadline.IsZero() || at.Before(r.deadline) {
		r.deadline = at
	}
	return nil
}

func (r *run) standStill(now time.Time) []action {
	return r.enter(freezing, now, now.Add(freezeWait), doFreeze)
}

// end ends a job that has no process.
func (r *run) end(c cause, now time.Time) []action {
	return r.because(c).enter(removing, now, time.Time{}, doRemove)
}

func (r *run) timeout(now time.Time) time.Time {
	if r.spec.Timeout == 0 {
		return time.Time{}
	}
	return now.Add(r.spec.Timeout)
}
