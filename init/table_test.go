package supervisor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/life"
)

// TestCounts plays random events of jobs, which come and go, and checks that the numbers that the table
// keeps are those that a look at all jobs gives.
func TestCounts(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 2))
		name := func() string { return fmt.Sprint("s", random.IntN(12)) }
		now := time.Unix(1000, 0)
		spec := func(name string) *config.Spec {
			s := &config.Spec{Name: name, Service: true}
			for i := range 12 {
				if on := fmt.Sprint("s", i); on != name && random.IntN(4) == 0 {
					s.After = append(s.After, config.Dependency{Job: on})
				}
			}
			s.Restart = config.Restart{Policy: config.RestartAlways, Delay: time.Second, MaxDelay: time.Second}
			return s
		}
		jobs := table{named: map[string]*job{}, alarm: &life.Alarm{}}
		for step := range 3000 {
			now = now.Add(time.Second)
			who := name()
			j := jobs.named[who]
			switch {
			case j == nil:
				jobs.add(spec(who))
			case j.IsIdle() && random.IntN(8) == 0:
				jobs.remove(j)
			case !j.IsLive() && random.IntN(8) == 0:
				j.setSpec(spec(who))
			default:
				before := j.State()
				j.Step(life.JobEvent{Kind: life.JobEventKind(random.IntN(int(life.EvJobDeadline) + 1)), Until: now}, now)
				jobs.moved(j, before)
			}
			checkCounts(t, &jobs, fmt.Sprintf("seed %d, step %d", seed, step))
		}
	}
}

func checkCounts(t *testing.T, jobs *table, when string) {
	t.Helper()
	var states life.JobStates
	for _, j := range jobs.all {
		states[j.State()]++
		needed := 0
		for _, other := range jobs.all {
			if other != j && other.IsLive() && other.dependsOn(j.spec.Name) {
				needed++
			}
		}
		if int(j.needed) != needed {
			t.Fatalf("%s: %s is needed by %d, counted %d", when, j.spec.Name, needed, j.needed)
		}
	}
	if states != jobs.states {
		t.Fatalf("%s: states %v, counted %v", when, states, jobs.states)
	}
}

// TestRuns adds and removes runs and their attendants in a random order.
func TestRuns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 3))
	var live runs
	for step := range 5000 {
		if len(live) == 0 || random.IntN(2) == 0 {
			r := newRun(&config.Spec{})
			if len(live) > 0 && random.IntN(2) == 0 {
				r.owner = live[random.IntN(len(live))]
			}
			live.add(r)
		} else if r := live[random.IntN(len(live))]; r.attendants == 0 {
			live.remove(r)
		}
		for i, r := range live {
			of := slices.DeleteFunc(live.clone(), func(q *run) bool { return q.owner != r })
			if int(r.place) != i || int(r.attendants) != len(of) || !slices.Equal(live.of(r), of) {
				t.Fatalf("step %d: run %d is at %d, with %d attendants, which are %d", step, i, r.place, r.attendants, len(of))
			}
		}
		if len(live) > 40 {
			live = nil
		}
	}
}
