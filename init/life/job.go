package life

import (
	"cmp"
	"time"

	"github.com/cginit/cginit/init/config"
)

// JobState is how far a job has come.
type JobState uint8

// The states of a job.
const (
	// JobDown means that the job is not wanted, or was stopped.
	JobDown JobState = iota
	// JobBlocked means that the job is wanted and its dependencies are not met yet.
	JobBlocked
	// JobPreparing means that its pre_start steps run.
	JobPreparing
	// JobStarting means that its run has begun and it is not ready yet.
	JobStarting
	// JobUp means that it is ready.
	JobUp
	// JobStopping means that its run is being torn down, or has said that it ends by itself.
	JobStopping
	// JobDelayed means that the job is wanted and waits before its next run.
	JobDelayed
	// JobDone means that it ended well and will not run again by itself.
	JobDone
	// JobFailed means that it ended badly and will not run again by itself.
	JobFailed

	jobStates // their number
)

// JobStates counts jobs by their state.
type JobStates [jobStates]int

// Live returns how many of the jobs are live; see [Job.IsLive].
func (c *JobStates) Live() (sum int) {
	for s, n := range c {
		if JobState(s).IsLive() {
			sum += n
		}
	}
	return sum
}

// IsLive tells whether something of a job in this state may run.
func (s JobState) IsLive() bool {
	switch s {
	case JobPreparing, JobStarting, JobUp, JobStopping:
		return true
	case JobDown, JobBlocked, JobDelayed, JobDone, JobFailed:
	}
	return false
}

// String returns the word for the state that the trace and messages show.
func (s JobState) String() string {
	return [jobStates]string{"down", "blocked", "preparing", "starting", "up", "stopping", "delayed", "done", "failed"}[s]
}

// JobEvent is something that happens to a job.
type JobEvent struct {
	Kind JobEventKind
	// Why says in words what is wrong. It is empty for events that need no reason.
	Why string
	// OK says, for EvJobEnded, whether the run ended well.
	OK bool
	// Until says, for EvJobExtend, when the deadline is to pass.
	Until time.Time
}

// JobEventKind is the kind of an event.
type JobEventKind int

// The events of a job.
const (
	// EvJobStart asks for the job to run.
	EvJobStart JobEventKind = iota
	// EvJobStop asks for the job to be down.
	EvJobStop
	// EvJobRestart asks for a new run, after the present one has ended.
	EvJobRestart
	// EvJobMet says that all its dependencies are met.
	EvJobMet
	// EvJobImpossible says that its dependencies will never be met; Why says which.
	EvJobImpossible
	// EvJobPrepared says that the last pre_start step has ended well.
	EvJobPrepared
	// EvJobReady says that the job is ready.
	EvJobReady
	// EvJobBad says that the job is not as it should be; Why says what is wrong.
	EvJobBad
	// EvJobOwnStop says that its run has begun to end by itself (STOPPING=1).
	EvJobOwnStop
	// EvJobExtend says that its run needs more time for what it is doing (EXTEND_TIMEOUT_USEC).
	EvJobExtend
	// EvJobEnded says that nothing is left of its run, or of a pre_start step after which no run
	// follows.
	EvJobEnded
	// EvJobDeadline says that the deadline has passed.
	EvJobDeadline

	jobEventKinds // their number
)

// String returns the word for the event that the trace shows.
func (e JobEventKind) String() string {
	return [jobEventKinds]string{
		"start", "stop", "restart", "met", "impossible", "prepared", "ready", "bad", "own-stop", "extend", "ended", "deadline",
	}[e]
}

// JobAction is what the supervisor is to do for a job.
type JobAction int

// The actions of a job.
const (
	// DoJobTell lets other jobs and waiting calls look at the new state.
	DoJobTell JobAction = iota
	// DoJobPrepare runs the first pre_start step.
	DoJobPrepare
	// DoJobLaunch begins a new run.
	DoJobLaunch
	// DoJobReady begins the post_start steps and the health checks.
	DoJobReady
	// DoJobStopRun begins the pre_stop steps, or, the second time, stops the run without waiting
	// for them.
	DoJobStopRun
	// DoJobOwnStop lets the run end by itself, within its grace period.
	DoJobOwnStop
	// DoJobExtend gives the run until the time of the event: for its grace period if the job is
	// stopping, else for its timeout.
	DoJobExtend
	// DoJobRest handles that the job is done or has failed: the supervisor decides what follows for
	// the others.
	DoJobRest

	jobActions // their number
)

// String returns the word for the action that the trace shows.
func (a JobAction) String() string {
	return [jobActions]string{"tell", "prepare", "launch", "ready", "stop-run", "own-stop", "extend", "rest"}[a]
}

// Job is the life of a service or one-shot job over all of its runs.
type Job struct {
	spec  *config.Spec
	alarm *Alarm // is set to the deadline; nil: nobody waits for it

	deadline time.Time // when the job acts by itself; zero: never

	bad     string    // what was wrong with the run or the start; empty: nothing
	retries int       // restarts since the last run that was ready for the restart window
	readyAt time.Time // when the present run became ready
	stopBy  time.Time // when the grace period of its stop ends; zero: it has not begun
	most    time.Time // when it ends at the latest, however often it is extended

	state   JobState
	want    bool // the job is wanted
	again   bool // the job starts anew when its run has been stopped
	ending  bool // the job is to be stopped as soon as no living job depends on it
	booting bool // the supervisor is not up yet: a failure of the job fails the start
	ok      bool // the last run ended well
	ready   bool // the present run has been ready
	own     bool // the run ends by itself, as it has said, and nobody has asked it to

	watchdogIs time.Duration // the watchdog that the present run has chosen (WATCHDOG_USEC); 0: that of spec
}

// NewJob returns a job that is down. spec holds its policies.
func NewJob(spec *config.Spec) *Job { return &Job{spec: spec} }

// SetSpec gives the job other policies. The caller does that while nothing of the job runs.
func (j *Job) SetSpec(spec *config.Spec) { j.spec = spec }

// Rings sets the alarm that is set to the deadlines of the job.
func (j *Job) Rings(a *Alarm) {
	j.alarm = a
	a.Set(j.deadline)
}

// until sets the deadline; zero means never.
func (j *Job) until(deadline time.Time) {
	j.deadline = deadline
	j.alarm.Set(deadline)
}

// State returns how far the job has come.
func (j *Job) State() JobState { return j.state }

// Deadline returns when the job acts by itself; zero means never.
func (j *Job) Deadline() time.Time { return j.deadline }

// RetryAt returns when a delayed job starts again; zero in every other state.
func (j *Job) RetryAt() time.Time {
	if j.state != JobDelayed {
		return time.Time{}
	}
	return j.deadline
}

// IsWanted tells whether the job is wanted.
func (j *Job) IsWanted() bool { return j.want }

// IsEnding tells whether the job is to be stopped as soon as no living job depends on it.
func (j *Job) IsEnding() bool { return j.ending }

// IsBooting tells whether a failure of the job fails the start of the supervisor.
func (j *Job) IsBooting() bool { return j.booting }

// IsIdle tells whether the job is down, done or failed: nothing of it runs or will start by itself.
func (j *Job) IsIdle() bool {
	return j.state == JobDown || j.state == JobDone || j.state == JobFailed
}

// IsLive tells whether the job is preparing, starting, up or stopping: something of it may run.
func (j *Job) IsLive() bool { return j.state.IsLive() }

// IsBeingStopped tells whether the run was asked to end, or is about to be asked. A run that ends by
// itself was not.
func (j *Job) IsBeingStopped() bool { return j.state == JobStopping && !j.own }

// HasBeenReady tells whether the present run has been ready.
func (j *Job) HasBeenReady() bool { return j.ready }

// ReadyAt returns when the present run became ready; see [Job.HasBeenReady].
func (j *Job) ReadyAt() time.Time { return j.readyAt }

// Bad returns what is wrong with the present run, or why the job was not started; empty if nothing
// is.
func (j *Job) Bad() string { return j.bad }

// Retries returns the number of restarts since the last run that was ready for the restart window.
func (j *Job) Retries() int { return j.retries }

// SetBooting says whether a failure of the job fails the start of the supervisor.
func (j *Job) SetBooting(booting bool) { j.booting = booting }

// EndWhenFree marks a live job to be stopped as soon as no living job depends on it. It returns
// false, and changes nothing, if the job is not live or is being stopped already.
func (j *Job) EndWhenFree() bool {
	if !j.IsLive() || j.IsBeingStopped() {
		return false
	}
	j.ending = true
	return true
}

// KeepOn undoes EndWhenFree.
func (j *Job) KeepOn() { j.ending = false }

// BeginStop begins the grace period of a job that is stopping. most is how long it can become by
// extensions. BeginStop returns false, and changes nothing, if the job is in another state or its
// grace period has begun already.
func (j *Job) BeginStop(grace, most time.Duration, now time.Time) (first bool) {
	if j.state != JobStopping || !j.stopBy.IsZero() {
		return false
	}
	j.stopBy, j.most = now.Add(grace), now.Add(max(grace, most))
	return true
}

// StopsAtMost returns when the grace period of the stop ends at the latest, however often it is
// extended; see [Job.BeginStop].
func (j *Job) StopsAtMost() time.Time { return j.most }

// GraceLeft returns what is left of the grace period of the stop, at least 0.
func (j *Job) GraceLeft(now time.Time) time.Duration { return max(0, j.stopBy.Sub(now)) }

// AwaitSteps sets the deadline of a job that is stopping to the end of the grace period, which
// bounds its pre_stop steps.
func (j *Job) AwaitSteps() {
	if j.state == JobStopping {
		j.until(j.stopBy)
	}
}

// StepsOver removes the deadline of a job that is stopping: its pre_stop steps have ended.
func (j *Job) StepsOver() {
	if j.state == JobStopping {
		j.until(time.Time{})
	}
}

// ShortenStop makes the grace period of a job that is stopping end at by, if it would end later.
func (j *Job) ShortenStop(by time.Time) {
	if j.state != JobStopping {
		return
	}
	for _, t := range []*time.Time{&j.stopBy, &j.most, &j.deadline} {
		if by.Before(*t) {
			*t = by
		}
	}
	j.alarm.Set(j.deadline)
}

// Watchdog returns the time within which a job that is up must send WATCHDOG=1; 0: it need not.
func (j *Job) Watchdog() time.Duration { return cmp.Or(j.watchdogIs, j.spec.Watchdog) }

// SetWatchdog sets the watchdog of the present run, which must not be 0, and starts its time anew.
func (j *Job) SetWatchdog(every time.Duration, now time.Time) {
	if j.state == JobStarting || j.state == JobUp {
		j.watchdogIs = every
	}
	j.FeedWatchdog(now)
}

// FeedWatchdog starts the time anew within which a job that is up must send WATCHDOG=1.
func (j *Job) FeedWatchdog(now time.Time) {
	if j.state == JobUp {
		j.until(j.watchdog(now))
	}
}
