package life

import (
	"slices"
	"testing"
	"time"

	"github.com/cginit/cginit/init/config"
)

// TestOwnStop checks, for each way in which a run can go on after it has said that it ends by itself,
// what is done, the cause, and the end of the grace period.
func TestOwnStop(t *testing.T) {
	stop := config.Spec{KillMode: config.Mixed, Leftovers: config.LeftoversStop}
	for name, c := range map[string]struct {
		spec   config.Spec
		events []RunEvent
		want   [][]RunAction
		state  RunState
		cause  Cause
	}{
		"it ends in time": {
			stop,
			[]RunEvent{EvOwnStop, EvEmpty, EvRemoved},
			[][]RunAction{nil, {DoRemove}, {DoReport}},
			RunEnded, Exited,
		},
		"it says so twice": {stop, []RunEvent{EvOwnStop, EvOwnStop}, [][]RunAction{nil, nil}, RunStopping, Exited},
		"it does not end in time": {
			stop,
			[]RunEvent{EvOwnStop, EvDeadline, EvFrozen},
			[][]RunAction{nil, {DoFreeze}, {DoList, DoKill}},
			RunKilling, Failing,
		},
		"its leftovers are asked": {
			stop, []RunEvent{EvOwnStop, EvMainExit}, [][]RunAction{nil, {DoAskRest}}, RunLeaving, Exited,
		},
		"its leftovers are killed later": {
			stop, []RunEvent{EvOwnStop, EvMainExit, EvDeadline}, [][]RunAction{nil, {DoAskRest}, {DoFreeze}}, RunFreezing, Exited,
		},
		"its leftovers are waited for": {
			config.Spec{Leftovers: config.LeftoversWait}, []RunEvent{EvOwnStop, EvMainExit}, [][]RunAction{nil, nil}, RunWaiting, Exited,
		},
		"its leftovers are killed at once": {
			config.Spec{Leftovers: config.LeftoversKill}, []RunEvent{EvOwnStop, EvMainExit}, [][]RunAction{nil, {DoFreeze}}, RunFreezing, Exited,
		},
		"it is stopped meanwhile": {stop, []RunEvent{EvOwnStop, EvStop, EvStop}, [][]RunAction{nil, {DoAsk}, nil}, RunStopping, Stopped},
		"it is stopped meanwhile, and does not end": {
			stop,
			[]RunEvent{EvOwnStop, EvStop, EvDeadline, EvDeadline},
			[][]RunAction{nil, {DoAsk}, {DoAskOthers}, {DoFreeze}},
			RunFreezing, Stopped,
		},
		"it is stopped meanwhile, all of it": {
			config.Spec{KillMode: config.ControlGroup}, []RunEvent{EvOwnStop, EvStop, EvFrozen}, [][]RunAction{nil, {DoFreeze}, {DoAskAll}}, RunStopping, Stopped,
		},
		"it is killed meanwhile": {stop, []RunEvent{EvOwnStop, EvKill}, [][]RunAction{nil, {DoFreeze}}, RunFreezing, Killed},
		"it is stopped already":  {stop, []RunEvent{EvStop, EvOwnStop}, [][]RunAction{{DoAsk}, nil}, RunStopping, Stopped},
	} {
		t.Run(name, func(t *testing.T) {
			c.spec.GracePeriod = grace
			r := NewRun(&c.spec)
			life(r, EvStart, EvSpawned)
			got := life(r, c.events...)
			if !slices.EqualFunc(got, c.want, slices.Equal) || r.state != c.state || r.cause != c.cause {
				t.Errorf("actions %v, want %v; state %s, cause %q", got, c.want, r.state, r.cause)
			}
			if r.isInGrace() && !r.deadline.Equal(t0.Add(grace)) {
				t.Errorf("the grace period ends %v after its beginning", r.deadline.Sub(t0))
			}
		})
	}
}

// TestStopDoesNotLengthenAnOwnStop checks that a stop on request ends when the own stop would have,
// or earlier.
func TestStopDoesNotLengthenAnOwnStop(t *testing.T) {
	for _, mode := range []config.KillMode{config.Mixed, config.ControlGroup} {
		for in, want := range map[time.Duration]time.Duration{time.Hour: grace, time.Second: 2 * time.Second} {
			r := NewRun(&config.Spec{GracePeriod: grace, KillMode: mode})
			life(r, EvStart, EvSpawned, EvOwnStop)
			r.StopIn(in)
			r.Step(EvStop, t0.Add(time.Second))
			r.Step(EvFrozen, t0.Add(time.Second))
			if !r.deadline.Equal(t0.Add(want)) {
				t.Errorf("%v: stopped in %v, it ends after %v, not %v", mode, in, r.deadline.Sub(t0), want)
			}
		}
	}
}

// TestOwnStopBeforeTheStart checks that a run which says that it ends, before its holder says that it
// lives, is stopping as soon as it is there.
func TestOwnStopBeforeTheStart(t *testing.T) {
	r := NewRun(&config.Spec{GracePeriod: grace})
	life(r, EvStart, EvPending, EvOwnStop, EvSpawned)
	if r.state != RunStopping || r.cause != Exited || !r.deadline.Equal(t0.Add(grace)) {
		t.Errorf("state %s, cause %s, deadline %v", r.state, r.cause, r.deadline)
	}
	r = NewRun(&config.Spec{GracePeriod: grace})
	life(r, EvStart, EvPending, EvOwnStop, EvStop)
	if actions := r.Step(EvSpawned, t0); r.state != RunStopping || r.cause != Stopped || !slices.Equal(actions, []RunAction{DoAsk}) {
		t.Errorf("stopped too: state %s, cause %s, actions %v", r.state, r.cause, actions)
	}
}

// TestOwnStopOfADaemon checks that a daemon (ready: forking) can say that it ends too.
func TestOwnStopOfADaemon(t *testing.T) {
	spec := config.Spec{GracePeriod: grace}
	spec.Ready.Kind = config.ReadyForking
	r := NewRun(&spec)
	life(r, EvStart, EvSpawned)
	r.MainEnded(0)
	life(r, EvMainExit, EvOwnStop)
	if r.state != RunStopping || r.cause != Exited {
		t.Errorf("state %s, cause %s", r.state, r.cause)
	}
	life(r, EvEmpty, EvRemoved)
	if r.state != RunEnded || r.cause != Exited {
		t.Errorf("then state %s, cause %s", r.state, r.cause)
	}
}

// TestOwnStopOfAJob checks that a job whose run ends by itself is stopping, without a deadline, and
// that what follows is what follows an end without notice. A stop or a restart still asks the run.
func TestOwnStopOfAJob(t *testing.T) {
	for _, from := range []JobState{JobStarting, JobUp} {
		for _, policy := range []config.RestartPolicy{config.RestartNo, config.RestartOnFailure, config.RestartAlways} {
			for _, ok := range []bool{false, true} {
				spec := config.Spec{Name: "web", Service: true}
				spec.Watchdog, spec.StartTimeout, spec.Restart.Policy = time.Minute, time.Minute, policy
				noticed, silent := NewJob(&spec), NewJob(&spec)
				for _, j := range []*Job{noticed, silent} {
					j.state, j.want, j.deadline = from, true, t0.Add(time.Hour)
				}
				actions := noticed.Step(JobEvent{Kind: EvJobOwnStop}, t0)
				noticed.FeedWatchdog(t0)
				if noticed.state != JobStopping || !noticed.deadline.IsZero() || !slices.Equal(actions, []JobAction{DoJobOwnStop, DoJobTell}) {
					t.Errorf("from %s: %s, deadline %v, actions %v", from, noticed.state, noticed.deadline, actions)
				}
				a, b := noticed.Step(JobEvent{Kind: EvJobEnded, OK: ok}, t0), silent.Step(JobEvent{Kind: EvJobEnded, OK: ok}, t0)
				if noticed.state != silent.state || noticed.want != silent.want || !slices.Equal(a, b) {
					t.Errorf("from %s, restart %s, ended well %v: %s %v, without notice %s %v", from, policy, ok, noticed.state, a, silent.state, b)
				}
			}
		}
		for ev, after := range map[JobEventKind]JobState{EvJobStop: JobDown, EvJobRestart: JobBlocked, EvJobStart: JobBlocked} {
			j := NewJob(&config.Spec{Name: "web", Service: true})
			j.state, j.want = from, true
			j.Step(JobEvent{Kind: EvJobOwnStop}, t0)
			asks := slices.Contains(j.Step(JobEvent{Kind: ev}, t0), DoJobStopRun)
			again := slices.Contains(j.Step(JobEvent{Kind: ev}, t0), DoJobStopRun)
			if asks != (ev != EvJobStart) || again || j.IsBeingStopped() != asks {
				t.Errorf("from %s, event %s: asks %v, and again %v", from, ev, asks, again)
			}
			if j.Step(JobEvent{Kind: EvJobEnded}, t0); j.state != after {
				t.Errorf("from %s, event %s: ends in state %s, not %s", from, ev, j.state, after)
			}
		}
	}
}

// TestExtend checks which deadline of a job an extension moves, and that it moves none to an earlier
// time.
func TestExtend(t *testing.T) {
	for s := range jobStates {
		for _, until := range []time.Time{t0, t0.Add(2 * time.Hour)} {
			j := NewJob(&config.Spec{Name: "web"})
			j.state, j.deadline = s, t0.Add(time.Hour)
			actions := j.Step(JobEvent{Kind: EvJobExtend, Until: until}, t0)
			want := t0.Add(time.Hour)
			if s == JobStarting && until.After(want) {
				want = until
			}
			if j.state != s || !j.deadline.Equal(want) || slices.Contains(actions, DoJobExtend) != (s == JobUp || s == JobStopping) {
				t.Errorf("state %s, until %v: %s, deadline %v, actions %v", s, until.Sub(t0), j.state, j.deadline, actions)
			}
		}
	}
	j := NewJob(&config.Spec{Name: "web"})
	j.state = JobStarting
	if j.Step(JobEvent{Kind: EvJobExtend, Until: t0}, t0); !j.deadline.IsZero() {
		t.Error("a start without a limit has got one")
	}
}

// TestWatchdogOfTheRun checks that the watchdog that a run has chosen is that of this run only.
func TestWatchdogOfTheRun(t *testing.T) {
	for _, spec := range []time.Duration{0, time.Minute} {
		c := config.Spec{Name: "web"}
		c.Watchdog = spec
		j := NewJob(&c)
		j.state = JobStarting
		j.SetWatchdog(time.Second, t0)
		if j.Step(JobEvent{Kind: EvJobReady}, t0); !j.deadline.Equal(t0.Add(time.Second)) {
			t.Errorf("watchdog %v: the run's own is due at %v", spec, j.deadline)
		}
		j.state = JobBlocked
		if j.Step(JobEvent{Kind: EvJobMet}, t0); j.Watchdog() != spec {
			t.Errorf("watchdog %v: the next run has %v", spec, j.Watchdog())
		}
	}
}
