package life

import (
	"cmp"
	"syscall"
	"time"

	"github.com/cginit/cginit/init/config"
)

// RunState is how far a run has come.
type RunState int

// The states of a run.
const (
	// RunIdle is the state before the start.
	RunIdle RunState = iota
	// RunStarting lasts until the main process exists; a fork that fails for now is tried again.
	RunStarting
	// RunRunning lasts as long as nobody asks for the end and the main process lives.
	RunRunning
	// RunAsking freezes the processes, to ask all of them in one instant.
	RunAsking
	// RunStopping waits for the main process, which has been asked to end.
	RunStopping
	// RunWaiting has no main process any more; the others may take their time.
	RunWaiting
	// RunLeaving has no main process any more; the others have been asked to end.
	RunLeaving
	// RunFreezing freezes what is left, for a list that holds still, before the kill.
	RunFreezing
	// RunKilling kills until nothing is left.
	RunKilling
	// RunStuck says that something outlives the kill.
	RunStuck
	// RunRemoving is empty; its containment is removed.
	RunRemoving
	// RunEnded is the end: nothing is left.
	RunEnded

	runStates // their number
)

// String returns the word that the trace shows.
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
	// EvPending says that a holder has been told to start the main process, and may have.
	EvPending
	// EvSpawned says that the main process exists.
	EvSpawned
	// EvSpawnBusy says that the main process could not be forked for now.
	EvSpawnBusy
	// EvSpawnFailed says that the command cannot be started, and that nothing of it is left.
	EvSpawnFailed
	// EvStop asks for the end.
	EvStop
	// EvKill asks for the end at once.
	EvKill
	// EvMainExit says that the main process has been reaped and that others are left.
	EvMainExit
	// EvEmpty says that the main process has been reaped and that nothing is left.
	EvEmpty
	// EvFrozen says that all processes stand still.
	EvFrozen
	// EvUnkillable says that what is left cannot be killed.
	EvUnkillable
	// EvRemoved says that the containment is gone.
	EvRemoved
	// EvDeadline says that the deadline has passed.
	EvDeadline

	runEvents // their number
)

// String returns the word that the trace shows.
func (e RunEvent) String() string {
	return [runEvents]string{
		"start", "pending", "spawned", "spawn-busy", "spawn-failed", "stop", "kill", "main-exit", "empty", "frozen",
		"unkillable", "removed", "deadline",
	}[e]
}

// RunAction is what the supervisor is to do for a run.
type RunAction int

// The actions of a run.
const (
	// DoSpawn makes the containment and starts the main process.
	DoSpawn RunAction = iota
	// DoAsk sends the stop signal to the main process.
	DoAsk
	// DoAskAll sends the stop signal to every process and thaws them.
	DoAskAll
	// DoAskRest sends SIGTERM to the leftovers.
	DoAskRest
	// DoFreeze freezes every process.
	DoFreeze
	// DoList writes down who is left, for the receipt.
	DoList
	// DoKill kills every process.
	DoKill
	// DoAbandon gives up the holder that does not say whether it has started the main process.
	DoAbandon
	// DoRemove reads the accounts and removes the containment.
	DoRemove
	// DoReport writes the receipt.
	DoReport

	runActions // their number
)

// String returns the word that the trace shows.
func (a RunAction) String() string {
	return [runActions]string{
		"spawn", "ask", "ask-all", "ask-rest", "freeze", "list", "kill", "abandon", "remove", "report",
	}[a]
}

// The times that are not the user's to set. Those of a stop's end (freeze, list, kill) fit into
// the second that the default grace period leaves of docker stop's ten.
const (
	// spawnRetry is the delay between forks that fail for now. It doubles up to spawnRetryMost.
	spawnRetry, spawnRetryMost = 20 * time.Millisecond, time.Second
	// freezeWait bounds the wait for a freeze, which a process in state D can hold up for ever.
	freezeWait = 200 * time.Millisecond
	// killRetry is the delay between kills: kernels before 6.14 can miss a fork under way.
	killRetry = 10 * time.Millisecond
)

// Run is one life of a command: of a job's, or of a step or probe that belongs to a job.
type Run struct {
	spec *config.Spec

	state    RunState
	since    time.Time // when the run came into this state
	deadline time.Time // when the run acts by itself; zero: never
	spent    [runStates]time.Duration

	stopSignal syscall.Signal
	grace      time.Duration // from the ask to the kill
	reason     Cause         // of the stop that is asked for; empty: Stopped
	cause      Cause
	mainGone   bool // the end of the main process has been handled
	tries      uint // of the fork, as far as it failed for now
	pending    bool // a holder has been told to start the main process, and may have
	status     *syscall.WaitStatus
}

// NewRun returns a run that has not been started. spec says how it is stopped; it must not change
// while the run lives.
func NewRun(spec *config.Spec) *Run {
	r := &Run{spec: spec, grace: spec.GracePeriod, stopSignal: spec.StopSignal}
	if r.stopSignal == 0 {
		r.stopSignal = syscall.SIGTERM
	}
	return r
}

// State returns how far the run has come.
func (r *Run) State() RunState { return r.state }

// Since returns when the run came into its state; zero before its start.
func (r *Run) Since() time.Time { return r.since }

// Deadline returns when the run acts by itself; zero means never.
func (r *Run) Deadline() time.Time { return r.deadline }

// Cause returns what ended the run, or will have; empty while nothing does.
func (r *Run) Cause() Cause { return r.cause }

// StopSignal returns the signal that asks the main process to end; 0 means that the kernel has
// sent it already (from the keyboard).
func (r *Run) StopSignal() syscall.Signal { return r.stopSignal }

// Status returns how the main process ended; nil while it lives or was never started.
func (r *Run) Status() *syscall.WaitStatus { return r.status }

// Spent returns how long the run has been in these states, the present one left out.
func (r *Run) Spent(states ...RunState) (sum time.Duration) {
	for _, s := range states {
		sum += r.spent[s]
	}
	return sum
}

// IsStopping tells whether the end of the run has begun.
func (r *Run) IsStopping() bool { return r.cause != "" && r.state != RunWaiting }

// IsOver tells whether what the run was started for has ended.
func (r *Run) IsOver() bool { return r.status != nil && !r.IsDaemon() }

// IsGoing tells whether nobody is left who could be asked to end.
func (r *Run) IsGoing() bool { return r.IsStopping() || r.IsOver() }

// IsDaemon tells whether the main process has gone to the background, as it was meant to
// (ready: forking).
func (r *Run) IsDaemon() bool {
	return r.spec.Ready.Kind == config.ReadyForking && r.mainGone && r.status != nil && r.status.Exited() && r.status.ExitStatus() == 0
}

// HasMainExited tells whether EvMainExit or EvEmpty has been handled.
func (r *Run) HasMainExited() bool { return r.mainGone }

// MainEnded records how the main process ended. What follows from it is EvMainExit or EvEmpty.
func (r *Run) MainEnded(ws syscall.WaitStatus) { r.status = &ws }

// StopWith sets the signal with which the main process is asked to end; 0 means that the kernel
// has sent it already.
func (r *Run) StopWith(sig syscall.Signal) { r.stopSignal = sig }

// StopIn sets the grace period of the stop to come.
func (r *Run) StopIn(grace time.Duration) { r.grace = max(grace, 0) }

// StopBecause sets the cause of the stop to come.
func (r *Run) StopBecause(c Cause) { r.reason = c }

// ShortenGrace ends the grace period under way earlier, by this time at the latest.
func (r *Run) ShortenGrace(by time.Time) {
	if r.isInGrace() && by.Before(r.deadline) {
		r.deadline = by
	}
}

// ExtendGrace ends the grace period under way later, not before this time.
func (r *Run) ExtendGrace(until time.Time) {
	if r.isInGrace() && until.After(r.deadline) {
		r.deadline = until
	}
}

func (r *Run) isInGrace() bool { return r.state == RunStopping || r.state == RunLeaving }

// RetryAt has what could not be done yet be tried again at this time: the removal of the
// containment, or the giving up of a holder.
func (r *Run) RetryAt(at time.Time) {
	if r.state == RunRemoving || r.state == RunStarting && r.pending {
		r.deadline = at
	}
}

// why returns the cause of a stop that was asked for.
func (r *Run) why() Cause { return cmp.Or(r.reason, Stopped) }
