package life

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/init/config"
)

// runMethods are the methods that change a run beside Step.
var runMethods = map[string]func(*Run){
	"MainEnded":           func(r *Run) { r.MainEnded(0) },
	"StopWith":            func(r *Run) { r.StopWith(syscall.SIGQUIT) },
	"StopIn":              func(r *Run) { r.StopIn(time.Second) },
	"StopBecause":         func(r *Run) { r.StopBecause(Failing) },
	"ShortenGrace, early": func(r *Run) { r.ShortenGrace(t0) },
	"ShortenGrace, late":  func(r *Run) { r.ShortenGrace(t0.Add(2 * time.Hour)) },
	"ExtendGrace, early":  func(r *Run) { r.ExtendGrace(t0) },
	"ExtendGrace, late":   func(r *Run) { r.ExtendGrace(t0.Add(2 * time.Hour)) },
	"StopAtMost, early":   func(r *Run) { r.StopAtMost(t0) },
	"StopAtMost, late":    func(r *Run) { r.StopAtMost(t0.Add(2 * time.Hour)) },
	"ExtendGrace, bounded": func(r *Run) {
		r.StopAtMost(t0.Add(90 * time.Minute))
		r.ExtendGrace(t0.Add(2 * time.Hour))
	},
	"ExtendTimeout, early": func(r *Run) { r.ExtendTimeout(t0) },
	"ExtendTimeout, late":  func(r *Run) { r.ExtendTimeout(t0.Add(2 * time.Hour)) },
	"RetryAt":              func(r *Run) { r.RetryAt(t0.Add(time.Second)) },
}

// TestRunMethodsInEveryState checks that no method changes the state or the cause, and that each
// moves the deadline only in the states and the direction that it is for.
func TestRunMethodsInEveryState(t *testing.T) {
	before := t0.Add(time.Hour)
	moves := map[string]struct {
		to     time.Time
		states map[RunState]bool
	}{
		"ShortenGrace, early":  {t0, map[RunState]bool{RunStopping: true, RunLeaving: true}},
		"ExtendGrace, late":    {t0.Add(2 * time.Hour), map[RunState]bool{RunStopping: true, RunLeaving: true}},
		"StopAtMost, early":    {t0, map[RunState]bool{RunStopping: true, RunLeaving: true}},
		"ExtendGrace, bounded": {t0.Add(90 * time.Minute), map[RunState]bool{RunStopping: true, RunLeaving: true}},
		"ExtendTimeout, late":  {t0.Add(2 * time.Hour), map[RunState]bool{RunRunning: true, RunWaiting: true}},
		"RetryAt":              {t0.Add(time.Second), map[RunState]bool{RunRemoving: true}},
	}
	for s := range runStates {
		for name, change := range runMethods {
			r := NewRun(&config.Spec{Name: "web", GracePeriod: grace})
			r.state, r.since, r.deadline, r.cause = s, t0, before, Stopped
			r.Rings(&Alarm{})
			change(r)
			want := before
			if m := moves[name]; m.states[s] {
				want = m.to
			}
			if r.state != s || r.cause != Stopped || !r.deadline.Equal(want) {
				t.Errorf("%s in state %s: state %s, cause %s, deadline %v, want %v", name, s, r.state, r.cause, r.deadline, want)
			}
			if !rings(r.alarm, r.deadline) {
				t.Errorf("%s in state %s: the alarm is at %v, after the deadline %v", name, s, r.alarm.At(), r.deadline)
			}
		}
	}
}

// TestRetryOfAPendingStart checks that a pending start can be abandoned again later.
func TestRetryOfAPendingStart(t *testing.T) {
	for _, pending := range []bool{false, true} {
		r := NewRun(&config.Spec{Name: "web"})
		r.Step(EvStart, t0)
		if pending {
			r.Step(EvPending, t0)
		}
		r.RetryAt(t0.Add(time.Second))
		if r.Deadline().IsZero() == pending {
			t.Errorf("pending %v: deadline %v", pending, r.Deadline())
		}
	}
}

// jobMethods are the methods that change a job beside Step.
var jobMethods = map[string]func(*Job){
	"SetBooting":          func(j *Job) { j.SetBooting(true) },
	"EndWhenFree":         func(j *Job) { j.EndWhenFree() },
	"KeepOn":              func(j *Job) { j.KeepOn() },
	"BeginStop":           func(j *Job) { j.BeginStop(time.Minute, 0, t0) },
	"AwaitSteps":          func(j *Job) { j.AwaitSteps() },
	"StepsOver":           func(j *Job) { j.StepsOver() },
	"ShortenStop":         func(j *Job) { j.ShortenStop(t0.Add(time.Second)) },
	"FeedWatchdog":        func(j *Job) { j.FeedWatchdog(t0) },
	"FeedWatchdog, later": func(j *Job) { j.FeedWatchdog(t0.Add(time.Minute)) },
	"SetWatchdog":         func(j *Job) { j.SetWatchdog(2*time.Second, t0) },
	"SetSpec":             func(j *Job) { j.SetSpec(&config.Spec{Name: "web"}) },
}

// TestJobMethodsInEveryState checks that no method changes the state, whether the job is wanted, or
// how the last run ended, and that each moves the deadline only in the states that it is for.
func TestJobMethodsInEveryState(t *testing.T) {
	before, stopBy := t0.Add(time.Hour), t0.Add(30*time.Minute)
	moves := map[string]map[JobState]time.Time{
		"AwaitSteps":          {JobStopping: stopBy},
		"StepsOver":           {JobStopping: {}},
		"ShortenStop":         {JobStopping: t0.Add(time.Second)},
		"FeedWatchdog":        {JobUp: t0.Add(time.Minute)},
		"FeedWatchdog, later": {JobUp: t0.Add(2 * time.Minute)},
		"SetWatchdog":         {JobUp: t0.Add(2 * time.Second)},
	}
	for s := range jobStates {
		for name, change := range jobMethods {
			spec := config.Spec{Name: "web", Service: true}
			spec.Watchdog = time.Minute
			j := NewJob(&spec)
			j.state, j.deadline, j.want, j.ok, j.bad = s, before, true, true, "why"
			j.Rings(&Alarm{})
			if s == JobStopping {
				j.stopBy = stopBy
			}
			change(j)
			want := before
			if to, is := moves[name][s]; is {
				want = to
			}
			if j.state != s || !j.want || !j.ok || j.bad != "why" || !j.deadline.Equal(want) {
				t.Errorf("%s in state %s: %+v, want deadline %v", name, s, j, want)
			}
			if !rings(j.alarm, j.deadline) {
				t.Errorf("%s in state %s: the alarm is at %v, after the deadline %v", name, s, j.alarm.At(), j.deadline)
			}
			if ending := name == "EndWhenFree" && j.IsLive() && s != JobStopping; j.ending != ending {
				t.Errorf("%s in state %s: ending %v", name, s, j.ending)
			}
		}
	}
}

// TestBeginStop checks that the grace period of a stop begins once, in a job that is stopping.
func TestBeginStop(t *testing.T) {
	for s := range jobStates {
		j := NewJob(&config.Spec{Name: "web"})
		j.state = s
		first, again := j.BeginStop(time.Minute, time.Hour, t0), j.BeginStop(time.Hour, 0, t0)
		if first != (s == JobStopping) || again || first && !j.StopsAtMost().Equal(t0.Add(time.Hour)) {
			t.Errorf("state %s: begins %v, and again %v", s, first, again)
		}
		if left := j.GraceLeft(t0.Add(time.Second)); first && left != 59*time.Second || !first && left != 0 {
			t.Errorf("state %s: %v left", s, left)
		}
	}
}

// TestWordsOfTheTrace checks that every state, event and action has a word, and that no two have
// the same.
func TestWordsOfTheTrace(t *testing.T) {
	kinds := map[string][]fmt.Stringer{}
	add := func(kind string, word fmt.Stringer) { kinds[kind] = append(kinds[kind], word) }
	for s := range runStates {
		add("run state", s)
	}
	for e := range runEvents {
		add("run event", e)
	}
	for a := range runActions {
		add("run action", a)
	}
	for s := range jobStates {
		add("job state", s)
	}
	for e := range jobEventKinds {
		add("job event", e)
	}
	for a := range jobActions {
		add("job action", a)
	}
	for kind, words := range kinds {
		seen := map[string]bool{}
		for _, w := range words {
			if text := w.String(); text == "" || seen[text] {
				t.Errorf("%s: the word %q is empty or there twice", kind, text)
			}
			seen[w.String()] = true
		}
	}
}
