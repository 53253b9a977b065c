package supervisor

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/cginit/cginit/init/config"
)

var (
	t0    = time.Unix(1000, 0)
	grace = 9 * time.Second
)

// variants are the jobs whose policies step distinguishes.
func variants() []config.Spec {
	var specs []config.Spec
	for _, mode := range []config.KillMode{config.Mixed, config.ControlGroup, config.Process} {
		for _, left := range []config.Leftovers{config.LeftoversStop, config.LeftoversWait, config.LeftoversKill} {
			for _, limit := range []time.Duration{0, time.Minute} {
				specs = append(specs, config.Spec{Name: "main", GracePeriod: grace, KillMode: mode, Leftovers: left, Timeout: limit})
			}
		}
	}
	return specs
}

// mayLive tells whether something of the job may be alive in that state.
func mayLive(s state) bool {
	return !slices.Contains([]state{idle, starting, removing, ended}, s)
}

// TestStepIsTotal runs every event in every state, for every policy, and asserts what must
// hold whatever happens.
func TestStepIsTotal(t *testing.T) {
	for _, spec := range variants() {
		for s := range states {
			for ev := range events {
				for _, gone := range []bool{false, true} {
					j := newJob(spec)
					j.state, j.since, j.deadline, j.mainGone = s, t0, t0.Add(time.Hour), gone
					if s > running {
						j.cause = stopped
					}
					name := fmt.Sprintf("%v/%s/%s: event %d in state %d", spec.KillMode, spec.Leftovers, spec.Timeout, ev, s)
					check(t, name, s, ev, j, j.step(ev, t0))
				}
			}
		}
	}
}

func check(t *testing.T, name string, from state, ev event, j *job, actions []action) {
	t.Helper()
	has := func(a action) bool { return slices.Contains(actions, a) }
	if has(doRemove) && mayLive(from) && ev != evEmpty && ev != evSpawnFail {
		t.Errorf("%s: the cgroup is removed, and nothing says that it is empty", name)
	}
	if has(doSpawn) && from != idle && from != starting {
		t.Errorf("%s: started beside its own leftovers", name)
	}
	if j.state == ended && from != ended && ev != evRemoved {
		t.Errorf("%s: it has ended, and its cgroup is still there", name)
	}
	if (j.state == ended || j.state == stuck) && from != j.state && !has(doReport) {
		t.Errorf("%s: a teardown without a receipt", name)
	}
	if has(doReport) && j.state != ended && j.state != stuck {
		t.Errorf("%s: a receipt before the end", name)
	}
	if has(doKill) && (has(doAsk) || has(doAskAll) || has(doAskRest)) {
		t.Errorf("%s: asked and killed in one step", name)
	}
	if j.state != from && j.deadline.Equal(t0.Add(time.Hour)) && j.state != leaving && j.state != waiting {
		t.Errorf("%s: a deadline outlives the state it was for", name)
	}
	if bounded := slices.Contains([]state{asking, stopping, leaving, freezing, killing}, j.state); bounded && j.deadline.IsZero() {
		t.Errorf("%s: state %d without a deadline may last for ever", name, j.state)
	}
	if slices.Contains([]state{ended, stuck}, j.state) && from != j.state && !j.deadline.IsZero() {
		t.Errorf("%s: a deadline after the end", name)
	}
	if j.state > running && j.cause == "" {
		t.Errorf("%s: a teardown without a cause", name)
	}
}

// TestEveryStateEnds: from every state, a kill followed by the kernel's answers ends the job.
func TestEveryStateEnds(t *testing.T) {
	for _, spec := range variants() {
		for s := range states {
			j := newJob(spec)
			j.state, j.since = s, t0
			for _, ev := range []event{evKill, evFrozen, evMainExit, evEmpty, evRemoved} {
				j.step(ev, t0)
			}
			if j.state != ended {
				t.Errorf("%+v from state %d: it ends in state %d", spec, s, j.state)
			}
		}
	}
}

// life plays events and returns the actions, an event's joined.
func life(j *job, events ...event) (got [][]action) {
	for _, ev := range events {
		got = append(got, j.step(ev, t0))
	}
	return got
}

func TestLives(t *testing.T) {
	start := []event{evStart, evSpawned}
	for name, c := range map[string]struct {
		spec   config.Spec
		events []event
		want   [][]action
		cause  cause
	}{
		"it ends and leaves nothing": {
			spec: config.Spec{}, events: []event{evEmpty, evRemoved},
			want: [][]action{{doRemove}, {doReport}}, cause: exited,
		},
		"its leftovers are asked, then killed": {
			spec:   config.Spec{KillMode: config.Mixed, Leftovers: config.LeftoversStop},
			events: []event{evMainExit, evDeadline, evFrozen, evDeadline, evEmpty, evRemoved},
			want:   [][]action{{doAskRest}, {doFreeze}, {doList, doKill}, {doKill}, {doRemove}, {doReport}}, cause: exited,
		},
		"its leftovers are killed at once": {
			spec: config.Spec{Leftovers: config.LeftoversKill}, events: []event{evMainExit, evFrozen, evEmpty, evRemoved},
			want: [][]action{{doFreeze}, {doList, doKill}, {doRemove}, {doReport}}, cause: exited,
		},
		"its leftovers are waited for until somebody stops them": {
			spec: config.Spec{Leftovers: config.LeftoversWait}, events: []event{evMainExit, evStop, evEmpty, evRemoved},
			want: [][]action{nil, {doAskRest}, {doRemove}, {doReport}}, cause: stopped,
		},
		"stopped, mixed": {
			spec: config.Spec{KillMode: config.Mixed}, events: []event{evStop, evMainExit, evDeadline, evDeadline, evEmpty, evRemoved},
			want: [][]action{{doAsk}, {doAskRest}, {doFreeze}, {doList, doKill}, {doRemove}, {doReport}}, cause: stopped,
		},
		"stopped, process": {
			spec: config.Spec{KillMode: config.Process}, events: []event{evStop, evMainExit, evFrozen, evEmpty, evRemoved},
			want: [][]action{{doAsk}, {doFreeze}, {doList, doKill}, {doRemove}, {doReport}}, cause: stopped,
		},
		"stopped, control-group, though it does not freeze": {
			spec: config.Spec{KillMode: config.ControlGroup}, events: []event{evStop, evDeadline, evEmpty, evRemoved},
			want: [][]action{{doFreeze}, {doAskAll}, {doRemove}, {doReport}}, cause: stopped,
		},
		"its time is up": {
			spec: config.Spec{Timeout: 1}, events: []event{evDeadline, evEmpty, evRemoved},
			want: [][]action{{doAsk}, {doRemove}, {doReport}}, cause: timedOut,
		},
		"unkillable": {
			spec: config.Spec{}, events: []event{evKill, evFrozen, evUnkillable},
			want: [][]action{{doFreeze}, {doList, doKill}, {doReport}}, cause: killed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(c.spec)
			life(j, start...)
			got := life(j, c.events...)
			if !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("actions %v, want %v", got, c.want)
			}
			if j.cause != c.cause {
				t.Errorf("cause %q, want %q", j.cause, c.cause)
			}
		})
	}
}

// TestOneGracePeriod: the leftovers get what the main process has left of it.
func TestOneGracePeriod(t *testing.T) {
	j := newJob(config.Spec{GracePeriod: grace, KillMode: config.Mixed})
	life(j, evStart, evSpawned, evStop)
	end := j.deadline
	j.step(evMainExit, t0.Add(grace/2))
	if !j.deadline.Equal(end) || !end.Equal(t0.Add(grace)) {
		t.Errorf("the grace period ends at %v, then at %v; want %v twice", end, j.deadline, t0.Add(grace))
	}
}

func TestStopSignalOfTimeout(t *testing.T) {
	if got := newJob(config.Spec{}).askWith; got != syscall.SIGTERM {
		t.Errorf("without --stop-signal a timeout asks with %v", got)
	}
	if got := newJob(config.Spec{StopSignal: syscall.SIGQUIT}).askWith; got != syscall.SIGQUIT {
		t.Errorf("--stop-signal QUIT asks with %v", got)
	}
}
