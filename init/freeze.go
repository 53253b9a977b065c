package supervisor

import (
	"time"

	"github.com/cginit/cginit/init/control"
)

// serveFreeze has every process of jobs stand still. Whatever asks them to end lets them go on.
func (s *Supervisor) serveFreeze(c *control.Call, jobs []*job) {
	for _, j := range jobs {
		if !j.canFreeze() {
			c.Fail(control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "only what runs can be frozen"})
			return
		}
	}
	for _, j := range jobs {
		if j.run.paused {
			continue
		}
		if err := j.run.freeze(); err != nil {
			c.Fail(control.Failed{Job: j.spec.Name, Reason: err.Error()})
			return
		}
		j.run.paused = true
	}
	s.await(&waiter{
		call: c, jobs: jobs, reply: func() { c.Reply(control.FreezeReply{}) }, deadline: s.now().Add(freezePatience),
		done: func(j *job) bool { return j.run.still }, broken: notFrozen,
	})
	for _, j := range jobs {
		s.standsStill(j.run)
	}
}

func (j *job) canFreeze() bool {
	return j.run != nil && (j.run.state == running || j.run.state == waiting) && (j.state == jobUp || j.state == jobStarting)
}

func notFrozen(j *job) error {
	if j.run.paused || j.run.still {
		return nil
	}
	return control.Failed{Job: j.spec.Name, Reason: "it was thawed or ended meanwhile"}
}

// standsStill looks whether a run that was frozen on request is.
func (s *Supervisor) standsStill(r *run) {
	if r.paused && !r.still && r.frozen() {
		r.still, s.changed = true, true
		s.tellFrozen(r.job, true)
	}
}

func (s *Supervisor) serveThaw(c *control.Call, jobs []*job) {
	for _, j := range jobs {
		if j.run == nil || !j.run.paused {
			c.Fail(control.InvalidState{Job: j.spec.Name, State: j.shown(), Reason: "it is not frozen"})
			return
		}
	}
	for _, j := range jobs {
		s.thawPaused(j.run)
	}
	c.Reply(control.ThawReply{})
}

// thawPaused lets a run go on that somebody had stand still.
func (s *Supervisor) thawPaused(r *run) {
	if r == nil || !r.paused {
		return
	}
	r.paused, r.still, s.changed = false, false, true
	s.complain("thaw", r.thaw())
	if r.job.state == jobUp && r.spec.Watchdog > 0 { // it could not say anything meanwhile
		r.job.deadline = s.now().Add(r.spec.Watchdog)
	}
	s.tellFrozen(r.job, false)
}

// freezePatience bounds the wait for a freeze: a process in state D can hold it up for ever.
const freezePatience = 10 * time.Second
