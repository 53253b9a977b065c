package life

import (
	"time"

	"github.com/cginit/cginit/init/config"
)

// JobState is how far a job has come.
type JobState int

// The states of a job.
const (
	// JobDown says that nobody wants the job to run.
	JobDown JobState = iota
	// JobBlocked says that the job is wanted, and that its dependencies are not met yet.
	JobBlocked
	// JobPreparing runs the pre_start steps.
	JobPreparing
	// JobStarting has a main process that has not said that it is ready.
	JobStarting
	// JobUp is ready.
	JobUp
	// JobStopping tears the run down.
	JobStopping
	// JobDelayed says that the job is wanted and waits before its next run.
	JobDelayed
	// JobDone ended well and is not to run again.
	JobDone
	// JobFailed ended badly and is not to run again.
	JobFailed

	jobStates // their number
)

// String returns the word that people and programs see.
func (s JobState) String() string {
	return [jobStates]string{"down", "blocked", "preparing", "starting", "up", "stopping", "delayed", "done", "failed"}[s]
}

// JobEvent is something that happens to a job.
type JobEvent struct {
	Kind JobEventKind
	// Why says in words what is wrong, for people; empty for events that need no reason.
	Why string
	// OK says, for EvJobEnded, whether the run ended well.
	OK bool
}

// JobEventKind is the kind of an event.
type JobEventKind int

// The events of a job.
const (
	// EvJobStart says that somebody wants the job to run.
	EvJobStart JobEventKind = iota
	// EvJobStop says that somebody wants the job down.
	EvJobStop
	// EvJobRestart says that somebody wants the job to run anew.
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
	// EvJobEnded says that its run, or a pre_start step that failed, has ended and nothing is left.
	EvJobEnded
	// EvJobDeadline says that the deadline has passed.
	EvJobDeadline

	jobEventKinds // their number
)

// String returns the word that the trace shows.
func (e JobEventKind) String() string {
	return [jobEventKinds]string{
		"start", "stop", "restart", "met", "impossible", "prepared", "ready", "bad", "ended", "deadline",
	}[e]
}

// JobAction is what the supervisor is to do for a job.
type JobAction int

// The actions of a job.
const (
	// DoJobTell says that others may wait for this change.
	DoJobTell JobAction = iota
	// DoJobPrepare runs the first pre_start step.
	DoJobPrepare
	// DoJobLaunch begins a new run.
	DoJobLaunch
	// DoJobReady begins what follows readiness: post_start steps and health checks.
	DoJobReady
	// DoJobStopRun runs the pre_stop steps and stops the run.
	DoJobStopRun
	// DoJobRest says that the job is at rest for good: the supervisor decides what follows for the others.
	DoJobRest

	jobActions // their number
)

// String returns the word that the trace shows.
func (a JobAction) String() string {
	return [jobActions]string{"tell", "prepare", "launch", "ready", "stop-run", "rest"}[a]
}

// Job is what a service or one-shot job does over all its runs.
type Job struct {
	spec *config.Spec

	state    JobState
	deadline time.Time // when the job acts by itself; zero: never

	want    bool      // the job is to run
	again   bool      // its run is stopped only to start anew
	ending  bool      // it is to be stopped as soon as nothing that lives depends on it
	booting bool      // the supervisor is not up yet: what fails now fails the start
	ok      bool      // the last run ended well
	bad     string    // why its run is being stopped against everybody's wish; empty: it is not
	retries int       // runs since the last that was ready for long
	ready   bool      // the present run has been ready
	readyAt time.Time // when it became ready
	stopBy  time.Time // when the grace period of its stop ends; zero: no stop is under way
}

// NewJob returns a job that is down. spec holds its policies; it may change while nothing of the
// job runs.
func NewJob(spec *config.Spec) *Job { return &Job{spec: spec} }

// State returns how far the job has come.
func (j *Job) State() JobState { return j.state }

// Deadline returns when the job acts by itself; zero means never.
func (j *Job) Deadline() time.Time { return j.deadline }

// RetryAt returns when a delayed job is started again; zero for every other.
func (j *Job) RetryAt() time.Time {
	if j.state != JobDelayed {
		return time.Time{}
	}
	return j.deadline
}

// IsWanted tells whether the job is to run.
func (j *Job) IsWanted() bool { return j.want }

// IsEnding tells whether the job is to be stopped as soon as nothing that lives depends on it.
func (j *Job) IsEnding() bool { return j.ending }

// IsBooting tells whether a failure of the job fails the start of the supervisor.
func (j *Job) IsBooting() bool { return j.booting }

// IsIdle tells whether nothing of the job runs and nothing will by itself.
func (j *Job) IsIdle() bool {
	return j.state == JobDown || j.state == JobDone || j.state == JobFailed
}

// IsLive tells whether something of the job runs, or may.
func (j *Job) IsLive() bool {
	switch j.state {
	case JobPreparing, JobStarting, JobUp, JobStopping:
		return true
	case JobDown, JobBlocked, JobDelayed, JobDone, JobFailed:
	}
	return false
}

// HasBeenReady tells whether the present run has been ready.
func (j *Job) HasBeenReady() bool { return j.ready }

// ReadyAt returns when the present run became ready.
func (j *Job) ReadyAt() time.Time { return j.readyAt }

// Bad says why the run is stopped, or the job not started, against everybody's wish; empty if it
// is not so.
func (j *Job) Bad() string { return j.bad }

// Retries returns the number of runs since the last that was ready for long.
func (j *Job) Retries() int { return j.retries }

// SetBooting says whether a failure of the job fails the start of the supervisor.
func (j *Job) SetBooting(booting bool) { j.booting = booting }

// EndWhenFree has a live job stopped as soon as nothing that lives depends on it. It returns false,
// and does nothing, if the job is not live or is being stopped already.
func (j *Job) EndWhenFree() bool {
	if !j.IsLive() || j.state == JobStopping {
		return false
	}
	j.ending = true
	return true
}

// KeepOn takes EndWhenFree back.
func (j *Job) KeepOn() { j.ending = false }

// BeginStop starts the clock of a stop's grace period, and tells whether it was not running yet.
func (j *Job) BeginStop(grace time.Duration, now time.Time) (first bool) {
	if j.state != JobStopping || !j.stopBy.IsZero() {
		return false
	}
	j.stopBy = now.Add(grace)
	return true
}

// GraceLeft returns what is left of the grace period of the stop under way, at least 0.
func (j *Job) GraceLeft(now time.Time) time.Duration { return max(0, j.stopBy.Sub(now)) }

// AwaitSteps bounds the pre_stop steps of the stop under way by its grace period.
func (j *Job) AwaitSteps() {
	if j.state == JobStopping {
		j.deadline = j.stopBy
	}
}

// StepsOver says that no pre_stop steps are waited for any more.
func (j *Job) StepsOver() {
	if j.state == JobStopping {
		j.deadline = time.Time{}
	}
}

// ShortenStop ends the grace period of the stop under way earlier, by this time at the latest.
func (j *Job) ShortenStop(by time.Time) {
	if j.state != JobStopping {
		return
	}
	for _, t := range []*time.Time{&j.stopBy, &j.deadline} {
		if by.Before(*t) {
			*t = by
		}
	}
}

// ExtendStart gives a job that is starting more time to become ready, never less than it has.
func (j *Job) ExtendStart(until time.Time) {
	if j.state == JobStarting && !j.deadline.IsZero() && until.After(j.deadline) {
		j.deadline = until
	}
}

// FeedWatchdog begins the time anew in which the next WATCHDOG=1 must come.
func (j *Job) FeedWatchdog(now time.Time) {
	if j.state == JobUp {
		j.deadline = j.watchdog(now)
	}
}
