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
					r := newRun(&spec)
					r.state, r.since, r.deadline, r.mainGone = s, t0, t0.Add(time.Hour), gone
					if s > running {
						r.cause = stopped
					}
					name := fmt.Sprintf("%v/%s/%s: event %d in state %d", spec.KillMode, spec.Leftovers, spec.Timeout, ev, s)
					check(t, name, s, ev, r, r.step(ev, t0))
				}
			}
		}
	}
}

func check(t *testing.T, name string, from state, ev event, r *run, actions []action) {
	t.Helper()
	has := func(a action) bool { return slices.Contains(actions, a) }
	if has(doRemove) && mayLive(from) && ev != evEmpty && ev != evSpawnFail {
		t.Errorf("%s: the cgroup is removed, and nothing says that it is empty", name)
	}
	if has(doSpawn) && from != idle && from != starting {
		t.Errorf("%s: started beside its own leftovers", name)
	}
	if r.state == ended && from != ended && ev != evRemoved {
		t.Errorf("%s: it has ended, and its cgroup is still there", name)
	}
	if (r.state == ended || r.state == stuck) && from != r.state && !has(doReport) {
		t.Errorf("%s: a teardown without a receipt", name)
	}
	if has(doReport) && r.state != ended && r.state != stuck {
		t.Errorf("%s: a receipt before the end", name)
	}
	if has(doKill) && (has(doAsk) || has(doAskAll) || has(doAskRest)) {
		t.Errorf("%s: asked and killed in one step", name)
	}
	if r.state != from && r.deadline.Equal(t0.Add(time.Hour)) && r.state != leaving && r.state != waiting {
		t.Errorf("%s: a deadline outlives the state it was for", name)
	}
	if bounded := slices.Contains([]state{asking, stopping, leaving, freezing, killing}, r.state); bounded && r.deadline.IsZero() {
		t.Errorf("%s: state %d without a deadline may last for ever", name, r.state)
	}
	if slices.Contains([]state{ended, stuck}, r.state) && from != r.state && !r.deadline.IsZero() {
		t.Errorf("%s: a deadline after the end", name)
	}
	if r.state > running && r.cause == "" {
		t.Errorf("%s: a teardown without a cause", name)
	}
}

// TestEveryStateEnds: from every state, a kill followed by the kernel's answers ends the job.
func TestEveryStateEnds(t *testing.T) {
	for _, spec := range variants() {
		for s := range states {
			r := newRun(&spec)
			r.state, r.since = s, t0
			for _, ev := range []event{evKill, evFrozen, evMainExit, evEmpty, evRemoved} {
				r.step(ev, t0)
			}
			if r.state != ended {
				t.Errorf("%+v from state %d: it ends in state %d", spec, s, r.state)
			}
		}
	}
}

// life plays events and returns the actions, an event's joined.
func life(r *run, events ...event) (got [][]action) {
	for _, ev := range events {
		got = append(got, r.step(ev, t0))
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
			r := newRun(&c.spec)
			life(r, start...)
			got := life(r, c.events...)
			if !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("actions %v, want %v", got, c.want)
			}
			if r.cause != c.cause {
				t.Errorf("cause %q, want %q", r.cause, c.cause)
			}
		})
	}
}

// TestOneGracePeriod: the leftovers get what the main process has left of it.
func TestOneGracePeriod(t *testing.T) {
	r := newRun(&config.Spec{GracePeriod: grace, KillMode: config.Mixed})
	life(r, evStart, evSpawned, evStop)
	end := r.deadline
	r.step(evMainExit, t0.Add(grace/2))
	if !r.deadline.Equal(end) || !end.Equal(t0.Add(grace)) {
		t.Errorf("the grace period ends at %v, then at %v; want %v twice", end, r.deadline, t0.Add(grace))
	}
}

func TestStopSignalOfTimeout(t *testing.T) {
	if got := newRun(&config.Spec{}).askWith; got != syscall.SIGTERM {
		t.Errorf("without --stop-signal a timeout asks with %v", got)
	}
	if got := newRun(&config.Spec{StopSignal: syscall.SIGQUIT}).askWith; got != syscall.SIGQUIT {
		t.Errorf("--stop-signal QUIT asks with %v", got)
	}
}

// TestStopWhileAHolderStartsIt: what a holder may have started is not taken for ended, and is
// asked, or killed, as soon as it is there.
func TestStopWhileAHolderStartsIt(t *testing.T) {
	for _, ev := range []event{evStop, evKill} {
		r := newRun(&config.Spec{Name: "web", GracePeriod: time.Minute})
		r.step(evStart, t0)
		r.pending = true
		if actions := r.step(ev, t0); r.state != starting || len(actions) > 0 {
			t.Errorf("event %d: state %d, actions %v", ev, r.state, actions)
		}
		wait := time.Minute
		if ev == evKill {
			wait = freezeWait
		}
		if r.deadline != t0.Add(wait) {
			t.Errorf("event %d: deadline %v", ev, r.deadline)
		}
		if actions := r.step(evDeadline, r.deadline); r.state != starting || !r.deadline.IsZero() || !slices.Equal(actions, []action{doAbandon}) {
			t.Errorf("event %d: at the deadline state %d, actions %v, deadline %v", ev, r.state, actions, r.deadline)
		}
		r.pending = false
		actions := r.step(evSpawned, t0)
		if r.state != stopping || !slices.Equal(actions, []action{doAsk}) || ev == evKill && r.deadline != t0 {
			t.Errorf("event %d: then state %d, actions %v, deadline %v", ev, r.state, actions, r.deadline)
		}
	}
}

// TestForkIsTriedAgain: a fork that fails for now is tried again, after 20 ms, doubled to a
// second, for ever: when to give up is not for step to say.
func TestForkIsTriedAgain(t *testing.T) {
	r := newRun(&config.Spec{Name: "web"})
	r.step(evStart, t0)
	for _, want := range []time.Duration{20, 40, 80, 160, 320, 640, 1000, 1000} {
		r.step(evSpawnBusy, t0)
		if got := r.deadline.Sub(t0); got != want*time.Millisecond {
			t.Errorf("it is tried again after %s, not %d ms", got, want)
		}
	}
	for range 1000 {
		r.step(evSpawnBusy, t0)
	}
	if r.state != starting || r.deadline != t0.Add(time.Second) {
		t.Errorf("state %d, deadline %v", r.state, r.deadline)
	}
}
