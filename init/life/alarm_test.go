package life

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cginit/cginit/init/config"
)

// rings tells whether an alarm rings by a deadline.
func rings(a *Alarm, deadline time.Time) bool {
	return deadline.IsZero() || !a.At().IsZero() && !a.At().After(deadline)
}

// TestAlarm plays random events and methods of many runs and jobs, and checks that the alarm that they
// share never rings after the nearest of their deadlines, and exactly then once it was set anew.
func TestAlarm(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		alarm, now := &Alarm{}, t0
		var runs []*Run
		var jobs []*Job
		for range 10 {
			spec := variants()[random.IntN(len(variants()))]
			spec.Watchdog, spec.StartTimeout = time.Duration(random.IntN(2))*time.Minute, time.Duration(random.IntN(2))*time.Hour
			spec.Restart = config.Restart{Policy: config.RestartAlways, Delay: time.Second, MaxDelay: time.Hour}
			r, j := NewRun(&spec), NewJob(&spec)
			r.Rings(alarm)
			j.Rings(alarm)
			runs, jobs = append(runs, r), append(jobs, j)
		}
		nearest := func() (next time.Time) {
			for i := range runs {
				for _, at := range []time.Time{runs[i].Deadline(), jobs[i].Deadline()} {
					if !at.IsZero() && (next.IsZero() || at.Before(next)) {
						next = at
					}
				}
			}
			return next
		}
		ways, jobWays := slices.Sorted(maps.Keys(runMethods)), slices.Sorted(maps.Keys(jobMethods))
		for step := range 2000 {
			now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
			r, j := runs[random.IntN(len(runs))], jobs[random.IntN(len(jobs))]
			switch random.IntN(4) {
			case 0:
				runMethods[ways[random.IntN(len(ways))]](r)
			case 1:
				jobMethods[jobWays[random.IntN(len(jobWays))]](j)
			case 2:
				r.Step(RunEvent(random.IntN(int(runEvents))), now)
			default:
				ev := JobEvent{Kind: JobEventKind(random.IntN(int(jobEventKinds))), Until: now.Add(time.Minute)}
				j.Step(ev, now)
			}
			if !rings(alarm, nearest()) {
				t.Fatalf("seed %d, step %d: the alarm is at %v, after the deadline %v", seed, step, alarm.At(), nearest())
			}
			if random.IntN(100) == 0 {
				alarm.Clear()
				for i := range runs {
					alarm.Set(runs[i].Deadline())
					alarm.Set(jobs[i].Deadline())
				}
				if !alarm.At().Equal(nearest()) {
					t.Fatalf("seed %d, step %d: set anew the alarm is at %v, not %v", seed, step, alarm.At(), nearest())
				}
			}
		}
	}
}
