package supervisor

import (
	"slices"
	"strings"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/output"
)

// job is a service or one-shot job: its life, its spec, and what else the supervisor knows of it.
type job struct {
	life.Job
	spec *config.Spec

	run       *run     // the present or last run; nil: there was none
	runs      int      // the number of runs so far
	last      *Receipt // the receipt of the last run that has ended; nil: none has
	stepRun   *run     // the pre_start, post_start or pre_stop step under way; nil: none
	stepsRun  int      // the number of steps of the present kind that have ended
	attended  int      // the number of steps and probes so far
	health    health
	reloading reloading
	notify    *notifier // nil: the job has no NOTIFY_SOCKET
	words     []string  // the last lines that the job wrote, if its output goes through us
	next      time.Time // when its schedule starts it; zero: never

	lease       *lease         // for a run that a client started over the control socket; nil for any other job
	grace       *time.Duration // the grace period of the next stop; nil: the one in spec
	replacement *config.Spec   // replaces spec as soon as the run has ended; nil: nothing

	needed int32  // the number of live jobs that depend on this one
	uid    uint32 // the uid that user: auto stands for; 0: none was needed yet
	queued bool   // it starts again as soon as the present run has ended
	over   bool   // the run of the lease has ended, and its client has been told
	gone   bool   // a reload removed it; it is dropped when nothing of it is left
}

// newJob returns a job that is down. It keeps the spec.
func newJob(spec *config.Spec) *job { return &job{Job: *life.NewJob(spec), spec: spec} }

// setSpec gives the job another spec while nothing of it runs.
func (j *job) setSpec(spec *config.Spec) {
	j.spec = spec
	j.SetSpec(spec)
}

// startsItself tells whether the job starts together with the supervisor.
func (j *job) startsItself() bool { return !j.spec.Manual && len(j.spec.Triggers) == 0 }

// newest returns the newest spec of the job: that of the last reload, even if the present run still
// uses the one before.
func (j *job) newest() *config.Spec {
	if j.replacement != nil {
		return j.replacement
	}
	return j.spec
}

// isThere tells whether the job is far enough for the start of the supervisor: up (and healthy, if
// it is a service with a check), done, or down.
func (j *job) isThere() bool {
	switch {
	case j.State() != life.JobUp:
		return j.State() == life.JobDone || j.State() == life.JobDown
	case j.stepRun != nil: // a post_start step is running and can fail
		return false
	case j.run.IsOver() && j.run.State() != life.RunWaiting: // the event of its end is still to come
		return false
	}
	return j.spec.Health == nil || !j.spec.Service || j.health.status == healthy
}

// isAwaited tells whether the start of the supervisor waits for the job.
func (j *job) isAwaited() bool { return j.lease == nil && j.startsItself() && !j.isThere() }

// satisfies tells whether the job meets a condition that another job waits for (depends_on).
func (j *job) satisfies(c config.Condition) bool {
	switch c {
	case config.Healthy:
		return j.State() == life.JobUp && j.health.status == healthy
	case config.CompletedSuccessfully:
		return j.State() == life.JobDone
	case config.Started:
	}
	return j.State() == life.JobUp || j.State() == life.JobDone && !j.spec.Service
}

// dependsOn tells whether the job depends directly on the job with this name.
func (j *job) dependsOn(name string) bool {
	return slices.ContainsFunc(j.spec.After, func(d config.Dependency) bool { return d.Job == name })
}

// why returns in a few words why the job has ended.
func (j *job) why() string {
	switch {
	case j.Bad() != "":
		return j.Bad()
	case j.last == nil:
		return "it was not started"
	case j.last.Cause == life.StartFailed:
		return j.last.Error
	}
	return j.last.end()
}

// reason returns ": " and why, for the end of a line; empty if there is no reason.
func (j *job) reason() string {
	if why := j.why(); why != "" {
		return ": " + why
	}
	return ""
}

// untilWhen says, for a message, how long a failed job stays down: until its next scheduled time,
// or for good.
func (j *job) untilWhen() string {
	if len(j.spec.Triggers) > 0 {
		return "before its next time"
	}
	return "by itself"
}

// keepWords adds the last lines of one stream to those that are remembered, [output.WordsKept] in
// all.
func (j *job) keepWords(last []string) {
	words := append(j.words, last...)
	j.words = slices.Clone(words[max(0, len(words)-output.WordsKept):])
}

// lastWords returns the last lines that the job wrote, as the end of a message; empty if its output
// does not go through us.
func (j *job) lastWords() string {
	if len(j.words) == 0 {
		return ""
	}
	return "; its last lines: " + strings.Join(j.words, " | ")
}

// extend gives the job's run until a time, for its grace period if the job is stopping, else for its
// timeout.
func (j *job) extend(until time.Time) {
	if j.State() == life.JobStopping {
		j.run.ExtendGrace(until)
	} else {
		j.run.ExtendTimeout(until)
	}
}

// canFreeze tells whether the job has a run that can be frozen.
func (j *job) canFreeze() bool {
	return j.run != nil && (j.run.State() == life.RunRunning || j.run.State() == life.RunWaiting) &&
		(j.State() == life.JobUp || j.State() == life.JobStarting)
}

// catchesUp tells whether the job runs once for scheduled times that were missed.
func (j *job) catchesUp() bool {
	return slices.ContainsFunc(j.spec.Triggers, func(t config.Trigger) bool { return t.CatchUp })
}

// queues tells whether a scheduled time that comes during a run starts the job after that run.
func (j *job) queues() bool {
	return slices.ContainsFunc(j.spec.Triggers, func(t config.Trigger) bool { return t.Queue })
}
