package life

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cginit/cginit/init/config"
)

// lives are specs with all policies that Step distinguishes.
func lives() (specs []config.Spec) {
	for _, service := range []bool{false, true} {
		for _, policy := range []config.RestartPolicy{config.RestartNo, config.RestartOnFailure, config.RestartAlways} {
			for _, most := range []int{0, 2} {
				for _, essential := range []bool{false, true} {
					for _, limit := range []time.Duration{0, time.Minute} {
						for _, steps := range []int{0, 1} {
							spec := config.Spec{Name: "web", Service: service}
							spec.Restart = config.Restart{Policy: policy, Max: most, Delay: config.RestartDelay, MaxDelay: config.RestartMaxDelay, Window: config.RestartWindow}
							spec.Essential, spec.StartTimeout, spec.Watchdog = essential, limit, limit
							spec.PreStart = make([]config.Hook, steps)
							specs = append(specs, spec)
						}
					}
				}
			}
		}
	}
	return specs
}

// TestJobStepIsTotal runs every event in every state, for every policy, and checks what must hold
// whatever happens.
func TestJobStepIsTotal(t *testing.T) {
	for _, spec := range lives() {
		for from := range jobStates {
			for ev := range jobEventKinds {
				for flags := range 16 {
					j := NewJob(&spec)
					j.state, j.deadline = from, t0.Add(time.Hour)
					j.Rings(&Alarm{})
					j.want, j.booting, j.again = flags&1 != 0, flags&2 != 0, flags&8 != 0
					actions := j.Step(JobEvent{Kind: ev, OK: flags&4 != 0, Why: "broken"}, t0)
					name := fmt.Sprintf("%+v flags %b: event %d in state %s", spec.Restart, flags, ev, from)
					checkJob(t, name, from, ev, j, actions)
				}
			}
		}
	}
}

func checkJob(t *testing.T, name string, from JobState, ev JobEventKind, j *Job, actions []JobAction) {
	t.Helper()
	has := func(a JobAction) bool { return slices.Contains(actions, a) }
	hadRun := slices.Contains([]JobState{JobPreparing, JobStarting, JobUp, JobStopping}, from)
	if (has(DoJobLaunch) || has(DoJobPrepare)) && hadRun && from != JobPreparing {
		t.Errorf("%s: a new run beside the old one", name)
	}
	if hadRun && !j.IsLive() && ev != EvJobEnded {
		t.Errorf("%s: it counts as down, and nothing says that its run has ended", name)
	}
	if j.state == JobStopping && from != JobStopping && !has(DoJobStopRun) && !has(DoJobOwnStop) {
		t.Errorf("%s: it is stopping, and nobody has been asked", name)
	}
	if j.state != from && !has(DoJobTell) {
		t.Errorf("%s: a change that nobody is told of", name)
	}
	starts := from == JobPreparing && j.state == JobStarting // start_timeout is for both
	if j.state != from && j.deadline.Equal(t0.Add(time.Hour)) && !starts {
		t.Errorf("%s: a deadline outlives the state it was for", name)
	}
	if (j.state == JobDelayed) != !j.deadline.IsZero() && from != j.state && j.state != JobUp && j.state != JobStarting && j.state != JobPreparing {
		t.Errorf("%s: deadline %v in state %s", name, j.deadline, j.state)
	}
	if j.own && (j.state != JobStopping || !j.deadline.IsZero()) {
		t.Errorf("%s: it ends by itself, and is in state %s with deadline %v", name, j.state, j.deadline)
	}
	if !rings(j.alarm, j.deadline) {
		t.Errorf("%s: the alarm is at %v, after the deadline %v", name, j.alarm.At(), j.deadline)
	}
	if (j.state == JobDone || j.state == JobFailed) && from != j.state && !has(DoJobRest) {
		t.Errorf("%s: at rest, and the others are not told", name)
	}
	if ev == EvJobStop && !j.IsIdle() && j.state != JobStopping {
		t.Errorf("%s: stopped, and in state %s", name, j.state)
	}
	if j.state == JobDelayed && from != JobDelayed && j.booting && j.spec.Service {
		t.Errorf("%s: the start goes on although a service has failed", name)
	}
	if j.state == JobDelayed && from != JobDelayed && j.spec.Essential {
		t.Errorf("%s: essential, and started again", name)
	}
}

// TestJobStopAlwaysEnds checks that from every state a stop and the end of the run bring the job
// down.
func TestJobStopAlwaysEnds(t *testing.T) {
	for _, spec := range lives() {
		for from := range jobStates {
			j := NewJob(&spec)
			j.state, j.want, j.again = from, true, true
			j.Step(JobEvent{Kind: EvJobStop}, t0)
			j.Step(JobEvent{Kind: EvJobEnded}, t0)
			if !j.IsIdle() {
				t.Errorf("%+v from %s: stopped, and in state %s", spec, from, j.state)
			}
		}
	}
}

// TestRestartDelays checks the delays: 100 ms, doubled up to 30 s without end, and 100 ms again
// after ten seconds in which the job was ready.
func TestRestartDelays(t *testing.T) {
	spec := config.Spec{Service: true}
	spec.Restart = config.Restart{Policy: config.RestartAlways, Delay: config.RestartDelay, MaxDelay: config.RestartMaxDelay, Window: config.RestartWindow}
	j := NewJob(&spec)
	now := t0
	var delays []time.Duration
	run := func(lasts time.Duration) {
		j.Step(JobEvent{Kind: EvJobMet}, now)
		j.Step(JobEvent{Kind: EvJobReady}, now)
		now = now.Add(lasts)
		j.Step(JobEvent{Kind: EvJobEnded}, now)
		delays = append(delays, j.deadline.Sub(now))
		now = j.deadline
		j.Step(JobEvent{Kind: EvJobDeadline}, now)
	}
	j.Step(JobEvent{Kind: EvJobStart}, now)
	for range 12 {
		run(time.Second)
	}
	run(config.RestartWindow)
	want := []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond,
		1600 * time.Millisecond, 3200 * time.Millisecond, 6400 * time.Millisecond, 12800 * time.Millisecond,
		25600 * time.Millisecond, 30 * time.Second, 30 * time.Second, 30 * time.Second, 100 * time.Millisecond,
	}
	if !slices.Equal(delays, want) {
		t.Errorf("delays %v, want %v", delays, want)
	}
}

// TestRestartIsBounded checks that on-failure:2 allows two more runs, and that the job has failed
// then.
func TestRestartIsBounded(t *testing.T) {
	spec := config.Spec{}
	spec.Restart = config.Restart{Policy: config.RestartOnFailure, Max: 2, Delay: 1, MaxDelay: 1, Window: time.Hour}
	j := NewJob(&spec)
	j.Step(JobEvent{Kind: EvJobStart}, t0)
	runs := 0
	for range 10 {
		if j.state == JobBlocked {
			runs++
		}
		for _, ev := range []JobEventKind{EvJobMet, EvJobReady, EvJobEnded, EvJobDeadline} {
			j.Step(JobEvent{Kind: ev}, t0)
		}
	}
	if runs != 3 || j.state != JobFailed {
		t.Errorf("%d runs, then %s; want 3, then failed", runs, j.state)
	}
}

// TestStopOfWhatEnds checks that a job which ends by itself while it waits to be stopped is down:
// it is not restarted and has not failed. A start in between takes the stop back.
func TestStopOfWhatEnds(t *testing.T) {
	for _, state := range []JobState{JobPreparing, JobStarting, JobUp} {
		spec := config.Spec{Name: "web", Service: true}
		spec.Restart.Policy = config.RestartAlways
		j := NewJob(&spec)
		j.state, j.want, j.ending, j.ok = state, true, true, false
		actions := j.Step(JobEvent{Kind: EvJobEnded}, t0)
		if j.state != JobDown || j.want || j.ending || !slices.Equal(actions, []JobAction{DoJobTell}) {
			t.Errorf("from %s: %s, actions %v, want %v, ending %v", state, j.state, actions, j.want, j.ending)
		}
		j.state, j.ending = state, true
		if j.Step(JobEvent{Kind: EvJobRestart}, t0); j.ending {
			t.Errorf("from %s: a restart does not take it back", state)
		}
	}
}
