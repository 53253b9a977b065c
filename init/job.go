package supervisor

import (
	"slices"
	"strings"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/output"
)

// job is a service or one-shot job, and what the supervisor knows of it beside its life.
type job struct {
	*life.Job
	spec config.Spec

	run      *run     // the present or last run; nil: there was none
	runs     int      // how many there have been
	last     *Receipt // of the last run that has ended
	stepRun  *run     // the pre_start, post_start or pre_stop step under way; nil: none
	stepsRun int      // how many steps of its kind have ended
	attended int      // how many steps and probes the job has had
	uid      uint32   // of user: auto; 0: none was needed
	health   health
	notify   *notifier // nil: the job has no NOTIFY_SOCKET
	words    []string  // the last lines that it wrote, where they go through us
	next     time.Time // when its schedule starts it; zero: never
	queued   bool      // it is to run again as soon as this run has ended

	lease *lease // of a run that was started over the control socket; nil: the job is in the file
	over  bool   // the client that started it has been told that it has ended

	gone        bool           // the file has it no more; it is dropped when nothing of it is left
	grace       *time.Duration // for this stop, instead of its own; nil: its own
	replacement *config.Spec   // takes the place of spec as soon as the run has ended; nil: nothing
}

func newJob(spec config.Spec) *job {
	j := &job{spec: spec}
	j.Job = life.NewJob(&j.spec)
	return j
}

// startsItself tells whether the job starts when the supervisor does.
func (j *job) startsItself() bool { return !j.spec.Manual && len(j.spec.Triggers) == 0 }

// newest returns what the job is to be: what a reload has brought, if its run has not ended yet.
func (j *job) newest() config.Spec {
	if j.replacement != nil {
		return *j.replacement
	}
	return j.spec
}

// isThere tells whether the start of the supervisor need not wait for the job.
func (j *job) isThere() bool {
	switch {
	case j.State() != life.JobUp:
		return j.State() == life.JobDone || j.State() == life.JobDown
	case j.stepRun != nil: // a post_start step, which can fail
		return false
	case j.run.IsOver() && j.run.State() != life.RunWaiting: // its end is about to be told
		return false
	}
	return j.spec.Health == nil || !j.spec.Service || j.health.status == healthy
}

// isAwaited tells whether the start of the supervisor waits for the job.
func (j *job) isAwaited() bool { return j.lease == nil && j.startsItself() && !j.isThere() }

// satisfies tells whether others may count on a condition of the job.
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

// dependsOn tells whether the job has a dependency on another.
func (j *job) dependsOn(name string) bool {
	return slices.ContainsFunc(j.spec.After, func(d config.Dependency) bool { return d.Job == name })
}

// why tells in a few words how the job came to its end.
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

// reason returns why, for the end of a line.
func (j *job) reason() string {
	if why := j.why(); why != "" {
		return ": " + why
	}
	return ""
}

// untilWhen says what has to come before a job that has failed is started again.
func (j *job) untilWhen() string {
	if len(j.spec.Triggers) > 0 {
		return "before its next time"
	}
	return "by itself"
}

// keepWords remembers the last lines of the job.
func (j *job) keepWords(last []string) {
	words := append(j.words, last...)
	j.words = slices.Clone(words[max(0, len(words)-output.WordsKept):])
}

// lastWords returns what the job wrote last, where it went through us, for a message.
func (j *job) lastWords() string {
	if len(j.words) == 0 {
		return ""
	}
	return "; its last lines: " + strings.Join(j.words, " | ")
}

// canFreeze tells whether there is something of the job that can be frozen.
func (j *job) canFreeze() bool {
	return j.run != nil && (j.run.State() == life.RunRunning || j.run.State() == life.RunWaiting) &&
		(j.State() == life.JobUp || j.State() == life.JobStarting)
}

// catchesUp tells whether times that were missed are made up for.
func (j *job) catchesUp() bool {
	return slices.ContainsFunc(j.spec.Triggers, func(t config.Trigger) bool { return t.CatchUp })
}

// queues tells whether a time that comes while the job runs is kept for afterwards.
func (j *job) queues() bool {
	return slices.ContainsFunc(j.spec.Triggers, func(t config.Trigger) bool { return t.Queue })
}
