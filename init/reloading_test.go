package supervisor

import (
	"testing"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/life"
)

// TestTold plays what a job can say after it was told to reload, and checks when the call is answered, and how.
func TestTold(t *testing.T) {
	const (
		begins   = "RELOADING=1"
		ends     = "READY=1"
		silence  = "nothing for a second"
		restarts = "another run"
	)
	for name, c := range map[string]struct {
		before, after  []string
		over, reloaded bool
	}{
		"just told":                         {},
		"it begins":                         {after: []string{begins}},
		"it has reloaded":                   {after: []string{begins, ends}, over: true, reloaded: true},
		"it says nothing":                   {after: []string{silence}, over: true},
		"it is ready, and did not reload":   {after: []string{ends}},
		"it had reloaded before":            {before: []string{begins, ends}},
		"it still reloaded, for another":    {before: []string{begins}, after: []string{ends}},
		"it still reloaded, and long":       {before: []string{begins}, after: []string{silence}},
		"and does not do it again":          {before: []string{begins}, after: []string{silence, ends, silence}, over: true},
		"and begins again":                  {before: []string{begins}, after: []string{silence, ends, begins}},
		"and does it again":                 {before: []string{begins}, after: []string{ends, begins, ends}, over: true, reloaded: true},
		"it begins again before it is done": {after: []string{begins, begins, ends}, over: true, reloaded: true},
		"it runs anew":                      {after: []string{restarts, begins, ends}},
		"once it has, that is so":           {after: []string{begins, ends, begins}, over: true, reloaded: true},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(&config.Spec{Name: "web"})
			for _, ev := range []life.JobEventKind{life.EvJobStart, life.EvJobMet, life.EvJobReady} {
				j.Step(life.JobEvent{Kind: ev}, time.Now())
			}
			j.run = newRun(j.spec)
			say := func(what string) {
				switch what {
				case begins:
					j.reloading.begin()
				case ends:
					j.reloading.end(time.Now())
				case silence:
					j.reloading.silent = time.Time{}
				case restarts:
					j.run, j.reloading = newRun(j.spec), reloading{}
				}
			}
			for _, what := range c.before {
				say(what)
			}
			told := &told{run: j.run, before: j.reloading.begun}
			j.reloading.silent = time.Now().Add(reloadSilence)
			told.look(j)
			for _, what := range c.after {
				say(what)
				told.look(j)
			}
			if told.over != c.over || told.reloaded != c.reloaded {
				t.Errorf("over %v, reloaded %v", told.over, told.reloaded)
			}
		})
	}
}
