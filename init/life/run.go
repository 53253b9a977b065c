package life

import (
	"cmp"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
)

// RunState is how far a run has come.
type RunState uint8

// The states of a run.
const (
	// RunIdle means that the run has not been started.
	RunIdle RunState = iota
	// RunStarting means that the main process does not exist yet. A fork that fails for now is
	// tried again.
	RunStarting
	// RunRunning means that the main process lives and no end was asked for.
	RunRunning
	// RunAsking means that the processes are being frozen, so that all are asked to end in one
	// instant.
	RunAsking
	// RunStopping means that the main process was asked to end, or has said that it ends by itself,
	// and still lives.
	RunStopping
	// RunWaiting means that the main process has ended and the others may go on.
	RunWaiting
	// RunLeaving means that the others were asked to end. The main process has ended.
	RunLeaving
	// RunFreezing means that the leftovers are being frozen before the kill, so that they can be
	// listed.
	RunFreezing
	// RunKilling means that the leftovers are being killed.
	RunKilling
	// RunStuck means that something of the run cannot be killed.
	RunStuck
	// RunRemoving means that nothing is left and the containment is being removed.
	RunRemoving
	// RunEnded means that the run has ended and its containment is gone.
	RunEnded

	runStates // their number
)

// String returns the word for the state that the trace shows.
func (s RunState) String() string {
	return [runStates]string{
		"idle", "starting", "running", "asking", "stopping", "waiting", "leaving", "freezing", "killing", "stuck", "removing", "ended",
	}[s]
}

// RunEvent is something that happens to a run.
type RunEvent int

// The events of a run.
const (
	// EvStart asks for the start.
	EvStart RunEvent = iota
	// EvPending says that a holder was told to start the main process, and that the outcome comes
	// later.
	EvPending
	// EvSpawned says that the main process exists.
	EvSpawned
	// EvSpawnBusy says that the main process could not be forked for now.
	EvSpawnBusy
	// EvSpawnFailed says that the command cannot be started, and that nothing of it is left.
	EvSpawnFailed
	// EvStop asks for the end.
	EvStop
	// EvKill asks for the end at once, without a grace period.
	EvKill
	// EvOwnStop says that the main process has begun to end by itself (STOPPING=1).
	EvOwnStop
	// EvMainExit says that the main process has been reaped and that others are left.
	EvMainExit
	// EvEmpty says that the main process has been reaped and that nothing is left.
	EvEmpty
	// EvFrozen says that all processes stand still.
	EvFrozen
	// EvUnkillable says that the leftovers cannot be killed.
	EvUnkillable
	// EvRemoved says that the containment is gone.
	EvRemoved
	// EvDeadline says that the deadline has passed.
	EvDeadline

	runEvents // their number
)

// String returns the word for the event that the trace shows.
func (e RunEvent) String() string {
	return [runEvents]string{
		"start", "pending", "spawned", "spawn-busy", "spawn-failed", "stop", "kill", "own-stop", "main-exit", "empty",
		"frozen", "unkillable", "removed", "deadline",
	}[e]
}

// RunAction is what the supervisor is to do for a run.
type RunAction int

// The actions of a run.
const (
	// DoSpawn makes the containment, if there is none yet, and starts the main process.
	DoSpawn RunAction = iota
	// DoAsk sends the stop signal to the main process.
	DoAsk
	// DoAskAll sends the stop signal to every process and thaws them.
	DoAskAll
	// DoAskRest sends SIGTERM to the leftovers.
	DoAskRest
	// DoAskOthers asks every process but the main one, unless it was asked so before: with the stop signal while the
	// main process lives and ignores that, and with SIGTERM after that.
	DoAskOthers
	// DoFreeze freezes every process.
	DoFreeze
	// DoList writes down the leftovers, for the receipt.
	DoList
	// DoKill kills every process.
	DoKill
	// DoAbandon gives up a holder that has not reported the outcome of the start.
	DoAbandon
	// DoRemove reads the accounts and removes the containment.
	DoRemove
	// DoReport writes the receipt.
	DoReport

	runActions // their number
)

// String returns the word for the action that the trace shows.
func (a RunAction) String() string {
	return [runActions]string{
		"spawn", "ask", "ask-all", "ask-rest", "ask-others", "freeze", "list", "kill", "abandon", "remove", "report",
	}[a]
}

// These times are not the user's to set. The last part of a stop (freeze, list, kill) fits into the
// second that the default grace period leaves of docker stop's ten.
const (
	// spawnRetry is the delay between forks that fail for now. It doubles up to spawnRetryMost.
	spawnRetry, spawnRetryMost = 20 * time.Millisecond, time.Second
	// freezeWait bounds the wait for a freeze: a process in state D can hold it up for ever.
	freezeWait = 200 * time.Millisecond
	// killRetry is the delay between kills: on kernels before 6.14 a kill can miss a process that
	// is being forked. It doubles up to killRetryMost, because each kill keeps those that are dying from
	// the CPU.
	killRetry, killRetryMost = 10 * time.Millisecond, 40 * time.Millisecond
)

// Run is one life of a command: that of a job, or that of a step or probe which belongs to a job.
type Run struct {
	spec  *config.Spec
	alarm *Alarm // is set to the deadline; nil: nobody waits for it

	since    time.Time                 // when the run entered its state; zero: it was not started
	deadline time.Time                 // when the run acts by itself; zero: never
	spent    *[runStates]time.Duration // the time spent in each state; nil: it has left none that lasts

	stopSignal syscall.Signal      // asks the main process to end; 0: the kernel has sent it already
	grace      time.Duration       // the time from the ask to the kill
	runBy      time.Time           // when the timeout of the run passes; zero: never
	endBy      time.Time           // when the grace period ends at the latest, because it began with an own stop; zero: no limit
	most       time.Time           // beyond this the grace period cannot be extended; zero: no limit
	reason     Cause               // the cause if the run is stopped; empty: Stopped
	cause      Cause               // what ended the run; empty: nothing yet
	status     *syscall.WaitStatus // how the main process ended; nil: it has not

	state    RunState
	tries    uint8 // the number of forks that failed for now
	own      bool  // the main process ends by itself, as it has said, and nobody has asked it to
	pressed  bool  // the others were asked too, although the main process still lives
	mainGone bool  // the end of the main process has been handled
	pending  bool  // a holder was told to start the main process and has not answered yet
}

// NewRun returns a run that has not been started. spec says how the run is stopped; it must not
// change while the run lives.
func NewRun(spec *config.Spec) *Run {
	r := &Run{spec: spec, grace: spec.GracePeriod, stopSignal: spec.StopSignal}
	if r.stopSignal == 0 {
		r.stopSignal = syscall.SIGTERM
	}
	return r
}

// Rings sets the alarm that is set to the deadlines of the run.
func (r *Run) Rings(a *Alarm) {
	r.alarm = a
	a.Set(r.Deadline())
}

// until sets the deadline; zero means never.
func (r *Run) until(deadline time.Time) {
	r.deadline = deadline
	r.alarm.Set(r.Deadline())
}

// State returns how far the run has come.
func (r *Run) State() RunState { return r.state }

// Since returns when the run entered its state; zero before its start.
func (r *Run) Since() time.Time { return r.since }

// Deadline returns when the run acts by itself; zero means never.
func (r *Run) Deadline() time.Time {
	if r.isToPress() {
		return r.since.Add(r.deadline.Sub(r.since) / 2)
	}
	return r.deadline
}

// isToPress tells whether the others are asked too once half of the grace period is over. A wrapper that
// ignores the stop signal would otherwise cost its child a SIGKILL. Who ends by itself has not been asked.
func (r *Run) isToPress() bool {
	return r.state == RunStopping && r.spec.KillMode == config.Mixed && !r.own && !r.pressed
}

// Cause returns what ended the run or is ending it; empty if nothing has.
func (r *Run) Cause() Cause { return r.cause }

// StopSignal returns the signal that asks the main process to end. 0 means that the kernel has sent
// it already, because of a key at the terminal.
func (r *Run) StopSignal() syscall.Signal { return r.stopSignal }

// Status returns how the main process ended; nil if it still lives or was never started.
func (r *Run) Status() *syscall.WaitStatus { return r.status }

// Spent returns how long the run has been in these states. The time in the present state is not
// counted, and neither is the time before the start.
func (r *Run) Spent(states ...RunState) (sum time.Duration) {
	if r.spent == nil {
		return 0
	}
	for _, s := range states {
		sum += r.spent[s]
	}
	return sum
}

// IsStopping tells whether the end of the run has begun. A run that waits for its leftovers is not
// stopping.
func (r *Run) IsStopping() bool { return r.cause != "" && r.state != RunWaiting }

// IsOver tells whether the main process has ended, unless it has gone to the background as it
// should.
func (r *Run) IsOver() bool { return r.status != nil && !r.IsDaemon() }

// IsGoing tells whether the run is stopping or over.
func (r *Run) IsGoing() bool { return r.IsStopping() || r.IsOver() }

// IsDaemon tells whether the main process has gone to the background as it should (ready: forking).
func (r *Run) IsDaemon() bool {
	return r.spec.Ready.Kind == config.ReadyForking && r.mainGone && r.status != nil && r.status.Exited() && r.status.ExitStatus() == 0
}

// HasMainExited tells whether the run has handled the end of the main process (EvMainExit or
// EvEmpty), or that its exec failed.
func (r *Run) HasMainExited() bool { return r.mainGone }

// MainEnded records how the main process ended. The caller feeds EvMainExit or EvEmpty after it.
func (r *Run) MainEnded(ws syscall.WaitStatus) { r.status = &ws }

// StopWith sets the signal that asks the main process to end; 0 means that the kernel has sent it
// already.
func (r *Run) StopWith(sig syscall.Signal) { r.stopSignal = sig }

// StopIn sets the grace period of the next stop. A negative one counts as 0.
func (r *Run) StopIn(grace time.Duration) { r.grace = max(grace, 0) }

// StopBecause sets the cause of the next stop.
func (r *Run) StopBecause(c Cause) { r.reason = c }

// ShortenGrace makes the present grace period end at by, if it would end later.
func (r *Run) ShortenGrace(by time.Time) {
	if r.isInGrace() && by.Before(r.deadline) {
		r.until(by)
	}
}

// StopAtMost makes the present or next grace period end at by at the latest, however often it is
// extended.
func (r *Run) StopAtMost(by time.Time) {
	r.most = by
	r.ShortenGrace(by)
}

// ExtendGrace makes the present grace period end at until, if it would end earlier.
func (r *Run) ExtendGrace(until time.Time) {
	if !r.most.IsZero() && r.most.Before(until) {
		until = r.most
	}
	if r.isInGrace() && until.After(r.deadline) {
		r.until(until)
	}
}

// ExtendTimeout makes the timeout of the run pass at until, if it would pass earlier.
func (r *Run) ExtendTimeout(until time.Time) {
	if (r.state == RunRunning || r.state == RunWaiting) && !r.deadline.IsZero() && until.After(r.deadline) {
		r.until(until)
		r.runBy = until
	}
}

// isInGrace tells whether a grace period has begun and not ended.
func (r *Run) isInGrace() bool { return r.state == RunStopping || r.state == RunLeaving }

// RetryAt sets when an action that could not be completed is tried again: DoRemove, or DoAbandon of
// a pending start.
func (r *Run) RetryAt(at time.Time) {
	if r.state == RunRemoving || r.state == RunStarting && r.pending {
		r.until(at)
	}
}

// why returns the cause of a stop on request.
func (r *Run) why() Cause { return cmp.Or(r.reason, Stopped) }
