package life

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

// variants are specs with all policies that Step distinguishes.
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

// mayLive tells whether something of the run may be alive in that state.
func mayLive(s RunState) bool {
	return !slices.Contains([]RunState{RunIdle, RunStarting, RunRemoving, RunEnded}, s)
}

// TestStepIsTotal runs every event in every state, for every policy, and checks what must hold
// whatever happens.
func TestStepIsTotal(t *testing.T) {
	for _, spec := range variants() {
		for s := range runStates {
			for ev := range runEvents {
				for _, gone := range []bool{false, true} {
					r := NewRun(&spec)
					r.state, r.since, r.deadline, r.mainGone = s, t0, t0.Add(time.Hour), gone
					r.Rings(&Alarm{})
					if s > RunRunning {
						r.cause = Stopped
					}
					name := fmt.Sprintf("%v/%s/%s: event %d in state %d", spec.KillMode, spec.Leftovers, spec.Timeout, ev, s)
					check(t, name, s, ev, r, r.Step(ev, t0))
					if s == RunStopping {
						r = NewRun(&spec)
						r.state, r.since, r.deadline, r.mainGone, r.own, r.cause = s, t0, t0.Add(time.Hour), gone, true, Exited
						r.Rings(&Alarm{})
						check(t, name+", by itself", s, ev, r, r.Step(ev, t0))
					}
					if s == RunStopping && spec.KillMode == config.Mixed {
						r = NewRun(&spec)
						r.state, r.since, r.deadline, r.mainGone, r.pressed, r.cause = s, t0, t0.Add(time.Hour), gone, true, Stopped
						r.Rings(&Alarm{})
						check(t, name+", half-way", s, ev, r, r.Step(ev, t0))
					}
				}
			}
		}
	}
}

func check(t *testing.T, name string, from RunState, ev RunEvent, r *Run, actions []RunAction) {
	t.Helper()
	has := func(a RunAction) bool { return slices.Contains(actions, a) }
	if has(DoRemove) && mayLive(from) && ev != EvEmpty && ev != EvSpawnFailed {
		t.Errorf("%s: the cgroup is removed, and nothing says that it is empty", name)
	}
	if has(DoSpawn) && from != RunIdle && from != RunStarting {
		t.Errorf("%s: started beside its own leftovers", name)
	}
	if r.state == RunEnded && from != RunEnded && ev != EvRemoved {
		t.Errorf("%s: it has ended, and its cgroup is still there", name)
	}
	if (r.state == RunEnded || r.state == RunStuck) && from != r.state && !has(DoReport) {
		t.Errorf("%s: a teardown without a receipt", name)
	}
	if has(DoReport) && r.state != RunEnded && r.state != RunStuck {
		t.Errorf("%s: a receipt before the end", name)
	}
	if has(DoKill) && (has(DoAsk) || has(DoAskAll) || has(DoAskRest) || has(DoAskOthers)) {
		t.Errorf("%s: asked and killed in one step", name)
	}
	if r.state != from && r.deadline.Equal(t0.Add(time.Hour)) && r.state != RunLeaving && r.state != RunWaiting {
		t.Errorf("%s: a deadline outlives the state it was for", name)
	}
	if bounded := slices.Contains([]RunState{RunAsking, RunStopping, RunLeaving, RunFreezing, RunKilling}, r.state); bounded && r.deadline.IsZero() {
		t.Errorf("%s: state %d without a deadline may last for ever", name, r.state)
	}
	if slices.Contains([]RunState{RunEnded, RunStuck}, r.state) && from != r.state && !r.deadline.IsZero() {
		t.Errorf("%s: a deadline after the end", name)
	}
	if !rings(r.alarm, r.Deadline()) {
		t.Errorf("%s: the alarm is at %v, after the deadline %v", name, r.alarm.At(), r.Deadline())
	}
	if has(DoAskOthers) && (r.spec.KillMode != config.Mixed || from != RunStopping || r.own) {
		t.Errorf("%s: the others are asked", name)
	}
	if r.own && r.state != RunStopping && r.state != RunStarting && r.state != RunRemoving {
		t.Errorf("%s: it ends by itself in state %s", name, r.state)
	}
	if r.state > RunRunning && r.cause == "" {
		t.Errorf("%s: a teardown without a cause", name)
	}
}

// TestEveryStateEnds checks that from every state a kill and the kernel's answers end the run.
func TestEveryStateEnds(t *testing.T) {
	for _, spec := range variants() {
		for s := range runStates {
			r := NewRun(&spec)
			r.state, r.since = s, t0
			for _, ev := range []RunEvent{EvKill, EvFrozen, EvMainExit, EvEmpty, EvRemoved} {
				r.Step(ev, t0)
			}
			if r.state != RunEnded {
				t.Errorf("%+v from state %d: it ends in state %d", spec, s, r.state)
			}
		}
	}
}

// life feeds events and returns the actions that followed each of them.
func life(r *Run, events ...RunEvent) (got [][]RunAction) {
	for _, ev := range events {
		got = append(got, r.Step(ev, t0))
	}
	return got
}

func TestLives(t *testing.T) {
	start := []RunEvent{EvStart, EvSpawned}
	for name, c := range map[string]struct {
		spec   config.Spec
		events []RunEvent
		want   [][]RunAction
		cause  Cause
	}{
		"it ends and leaves nothing": {
			spec: config.Spec{}, events: []RunEvent{EvEmpty, EvRemoved},
			want: [][]RunAction{{DoRemove}, {DoReport}}, cause: Exited,
		},
		"its leftovers are asked, then killed": {
			spec:   config.Spec{KillMode: config.Mixed, Leftovers: config.LeftoversStop},
			events: []RunEvent{EvMainExit, EvDeadline, EvFrozen, EvDeadline, EvEmpty, EvRemoved},
			want:   [][]RunAction{{DoAskRest}, {DoFreeze}, {DoList, DoKill}, {DoKill}, {DoRemove}, {DoReport}}, cause: Exited,
		},
		"its leftovers are killed at once": {
			spec: config.Spec{Leftovers: config.LeftoversKill}, events: []RunEvent{EvMainExit, EvFrozen, EvEmpty, EvRemoved},
			want: [][]RunAction{{DoFreeze}, {DoList, DoKill}, {DoRemove}, {DoReport}}, cause: Exited,
		},
		"its leftovers are waited for until somebody stops them": {
			spec: config.Spec{Leftovers: config.LeftoversWait}, events: []RunEvent{EvMainExit, EvStop, EvEmpty, EvRemoved},
			want: [][]RunAction{nil, {DoAskRest}, {DoRemove}, {DoReport}}, cause: Stopped,
		},
		"stopped, mixed": {
			spec: config.Spec{KillMode: config.Mixed}, events: []RunEvent{EvStop, EvMainExit, EvDeadline, EvDeadline, EvEmpty, EvRemoved},
			want: [][]RunAction{{DoAsk}, {DoAskRest}, {DoFreeze}, {DoList, DoKill}, {DoRemove}, {DoReport}}, cause: Stopped,
		},
		"stopped, mixed, though its main process is slow": {
			spec:   config.Spec{KillMode: config.Mixed, GracePeriod: grace},
			events: []RunEvent{EvStop, EvDeadline, EvMainExit, EvEmpty, EvRemoved},
			want:   [][]RunAction{{DoAsk}, {DoAskOthers}, {DoAskOthers}, {DoRemove}, {DoReport}}, cause: Stopped,
		},
		"stopped, mixed, without a grace period": {
			spec: config.Spec{KillMode: config.Mixed}, events: []RunEvent{EvStop, EvDeadline, EvEmpty, EvRemoved},
			want: [][]RunAction{{DoAsk}, {DoFreeze}, {DoRemove}, {DoReport}}, cause: Stopped,
		},
		"stopped, process": {
			spec: config.Spec{KillMode: config.Process}, events: []RunEvent{EvStop, EvMainExit, EvFrozen, EvEmpty, EvRemoved},
			want: [][]RunAction{{DoAsk}, {DoFreeze}, {DoList, DoKill}, {DoRemove}, {DoReport}}, cause: Stopped,
		},
		"stopped, control-group, though it does not freeze": {
			spec: config.Spec{KillMode: config.ControlGroup}, events: []RunEvent{EvStop, EvDeadline, EvEmpty, EvRemoved},
			want: [][]RunAction{{DoFreeze}, {DoAskAll}, {DoRemove}, {DoReport}}, cause: Stopped,
		},
		"its time is up": {
			spec: config.Spec{Timeout: 1}, events: []RunEvent{EvDeadline, EvEmpty, EvRemoved},
			want: [][]RunAction{{DoAsk}, {DoRemove}, {DoReport}}, cause: TimedOut,
		},
		"unkillable": {
			spec: config.Spec{}, events: []RunEvent{EvKill, EvFrozen, EvUnkillable},
			want: [][]RunAction{{DoFreeze}, {DoList, DoKill}, {DoReport}}, cause: Killed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRun(&c.spec)
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

// TestOneGracePeriod checks that the leftovers get what the main process has left of the grace
// period.
func TestOneGracePeriod(t *testing.T) {
	r := NewRun(&config.Spec{GracePeriod: grace, KillMode: config.Mixed})
	life(r, EvStart, EvSpawned, EvStop)
	end := r.deadline
	r.Step(EvMainExit, t0.Add(grace/2))
	if !r.deadline.Equal(end) || !end.Equal(t0.Add(grace)) {
		t.Errorf("the grace period ends at %v, then at %v; want %v twice", end, r.deadline, t0.Add(grace))
	}
}

// TestOthersAreAskedHalfWay checks, for each kill mode, when the others are asked although the main process
// still lives: in mode mixed once half of the grace period is over, as long as it is by then, and otherwise
// never.
func TestOthersAreAskedHalfWay(t *testing.T) {
	for _, mode := range []config.KillMode{config.Mixed, config.ControlGroup, config.Process} {
		for name, c := range map[string]struct {
			change func(*Run)
			half   time.Duration
		}{
			"as it is":  {func(*Run) {}, grace / 2},
			"shortened": {func(r *Run) { r.ShortenGrace(t0.Add(2 * time.Second)) }, time.Second},
			"extended":  {func(r *Run) { r.ExtendGrace(t0.Add(time.Minute)) }, 30 * time.Second},
		} {
			r := NewRun(&config.Spec{GracePeriod: grace, KillMode: mode})
			r.Rings(&Alarm{})
			life(r, EvStart, EvSpawned, EvStop, EvFrozen)
			c.change(r)
			end := r.deadline
			if mode == config.Mixed {
				half := t0.Add(c.half)
				if !r.Deadline().Equal(half) || !rings(r.alarm, half) {
					t.Errorf("%s: half of the grace period is at %v, the alarm at %v; want %v", name, r.Deadline(), r.alarm.At(), half)
				}
				r.alarm.Clear()
				if got := r.Step(EvDeadline, half); !slices.Equal(got, []RunAction{DoAskOthers}) || r.state != RunStopping {
					t.Errorf("%s: half-way %v, state %s", name, got, r.state)
				}
				if !rings(r.alarm, end) {
					t.Errorf("%s: then the alarm is at %v, after the end %v", name, r.alarm.At(), end)
				}
			}
			if !r.Deadline().Equal(end) {
				t.Errorf("%s, %s: the deadline is %v, not the end of the grace period, %v", mode, name, r.Deadline(), end)
			}
			if got := r.Step(EvDeadline, end); !slices.Equal(got, []RunAction{DoFreeze}) {
				t.Errorf("%s, %s: at the end %v", mode, name, got)
			}
		}
	}
}

func TestStopSignalOfTimeout(t *testing.T) {
	if got := NewRun(&config.Spec{}).StopSignal(); got != syscall.SIGTERM {
		t.Errorf("without --stop-signal a timeout asks with %v", got)
	}
	if got := NewRun(&config.Spec{StopSignal: syscall.SIGQUIT}).StopSignal(); got != syscall.SIGQUIT {
		t.Errorf("--stop-signal QUIT asks with %v", got)
	}
}

// TestStopWhileAHolderStartsIt checks that a pending start which is stopped is not taken for ended,
// and that the run is asked or killed as soon as it is there.
func TestStopWhileAHolderStartsIt(t *testing.T) {
	for _, ev := range []RunEvent{EvStop, EvKill} {
		r := NewRun(&config.Spec{Name: "web", GracePeriod: time.Minute})
		r.Step(EvStart, t0)
		r.Step(EvPending, t0)
		if actions := r.Step(ev, t0); r.state != RunStarting || len(actions) > 0 {
			t.Errorf("event %d: state %d, actions %v", ev, r.state, actions)
		}
		wait := time.Minute
		if ev == EvKill {
			wait = freezeWait
		}
		if r.deadline != t0.Add(wait) {
			t.Errorf("event %d: deadline %v", ev, r.deadline)
		}
		if actions := r.Step(EvDeadline, r.deadline); r.state != RunStarting || !r.deadline.IsZero() || !slices.Equal(actions, []RunAction{DoAbandon}) {
			t.Errorf("event %d: at the deadline state %d, actions %v, deadline %v", ev, r.state, actions, r.deadline)
		}
		actions := r.Step(EvSpawned, t0)
		if r.state != RunStopping || !slices.Equal(actions, []RunAction{DoAsk}) || ev == EvKill && r.deadline != t0 {
			t.Errorf("event %d: then state %d, actions %v, deadline %v", ev, r.state, actions, r.deadline)
		}
	}
}

// TestForkIsTriedAgain checks that a fork which fails for now is tried again after 20 ms, doubled
// up to a second, without end: Step does not decide when to give up.
func TestForkIsTriedAgain(t *testing.T) {
	r := NewRun(&config.Spec{Name: "web"})
	r.Step(EvStart, t0)
	for _, want := range []time.Duration{20, 40, 80, 160, 320, 640, 1000, 1000} {
		r.Step(EvSpawnBusy, t0)
		if got := r.deadline.Sub(t0); got != want*time.Millisecond {
			t.Errorf("it is tried again after %s, not %d ms", got, want)
		}
	}
	for range 1000 {
		r.Step(EvSpawnBusy, t0)
	}
	if r.state != RunStarting || r.deadline != t0.Add(time.Second) {
		t.Errorf("state %d, deadline %v", r.state, r.deadline)
	}
}
