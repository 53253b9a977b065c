package supervisor

import (
	"slices"

	"github.com/cginit/cginit/init/config"
)

// jobNote is an event that waits for its turn: what a job does may concern others, and none
// of them changes in the middle of another's step.
type jobNote struct {
	job *job
	ev  jobEvent
}

func (s *Supervisor) later(j *job, ev jobEvent) {
	s.pending = append(s.pending, jobNote{j, ev})
}

// turnMost bounds what one turn of the loop does of what is pending: where hundreds of jobs
// start at once, signals and calls are not to wait for the last of them.
const turnMost = 16

// settle lets every job take what has come for it, and those go on that waited for it, until
// nothing changes any more.
func (s *Supervisor) settle() {
	for s.turn() {
	}
}

// turn does a bounded part of that, and tells whether there is more.
func (s *Supervisor) turn() (more bool) {
	for range turnMost {
		if len(s.pending) == 0 {
			break
		}
		n := s.pending[0]
		s.pending = s.pending[1:]
		s.advance(n.job, n.ev)
	}
	if len(s.pending) == 0 && s.changed {
		s.changed = false
		s.unblock()
		s.stopNext()
		s.checkUp()
		s.checkWaiters()
	}
	return len(s.pending) > 0 || s.changed
}

// goOn is ready when there is more to settle; nil otherwise.
func (s *Supervisor) goOn(more bool) <-chan struct{} {
	if !more {
		return nil
	}
	return closed
}

// closed is always ready.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// advance gives a job an event and does what step answers.
func (s *Supervisor) advance(j *job, ev jobEvent) {
	before := j.state
	for _, a := range j.step(ev, s.now()) {
		s.jobAct(j, a)
	}
	if j.state != before {
		s.tellState(j)
	}
	s.settleJob(j)
}

// settleJob does what waited for a job to have nothing running: another spec, its next run, its
// being forgotten.
func (s *Supervisor) settleJob(j *job) {
	if j.isLive() {
		return
	}
	if j.replacement != nil {
		j.spec, j.replacement = *j.replacement, nil
		s.schedule(j)
	}
	switch {
	case j.gone && j.isIdle():
		s.drop(j)
	case j.lease != nil && j.isIdle() && !j.over:
		j.over = true
		s.runOver(j)
	case j.queued && j.isIdle():
		j.queued = false
		s.later(j, jvStart)
	}
}

// drop takes a job out of the table.
func (s *Supervisor) drop(j *job) {
	if j.notify != nil {
		j.notify.file.Close()
	}
	delete(s.named, j.spec.Name)
	s.changed = true // somebody may wait for it
	s.jobs = slices.DeleteFunc(s.jobs, func(other *job) bool { return other == j })
}

func (s *Supervisor) jobAct(j *job, a jobAction) {
	switch a {
	case jaTell:
		s.changed = true
	case jaPrepare:
		j.hooked = 0
		s.nextHook(j, rolePreStart)
	case jaLaunch:
		s.launch(j)
	case jaReady:
		s.isReady(j)
	case jaStopRun:
		s.stopRun(j)
	case jaGiveUp:
		s.atRest(j)
	}
}

// launch begins a new run of the job.
func (s *Supervisor) launch(j *job) {
	j.runs++
	level := s.levelOf(j, s.home.level)
	r := newRun(s.specOf(j))
	r.job, r.number, r.level = j, j.runs, level
	j.run, j.grace = r, nil
	if j.notify != nil {
		j.notify.status = "" // that was of the last one
	}
	s.begin(r)
}

// begin adds a run to those that live, and starts it.
func (s *Supervisor) begin(r *run) {
	s.watches++
	r.watch = s.watches
	s.watched[r.watch] = r
	s.live = append(s.live, r)
	s.feed(r, evStart)
}

// runEnded is told that nothing of a run is left, and its receipt is written.
func (s *Supervisor) runEnded(r *run, receipt *Receipt) {
	delete(s.watched, r.watch)
	s.live = slices.DeleteFunc(s.live, func(q *run) bool { return q == r })
	switch r.role {
	case roleMain:
		r.job.ok = receipt.ExitStatus == 0
		s.later(r.job, jvEnded)
	case rolePreStart, rolePostStart, rolePreStop:
		s.hookEnded(r, receipt)
	case roleHealth:
		s.probed(r, receipt)
	}
	if r.owner != nil {
		s.inspect(r.owner)
	}
}

// attendants counts the steps and probes that run inside a run.
func (s *Supervisor) attendants(r *run) (n int) {
	for _, q := range s.live {
		if q.owner == r {
			n++
		}
	}
	return n
}

// killAttendants ends what runs inside a run whose main process has ended.
func (s *Supervisor) killAttendants(r *run) {
	for _, q := range s.liveRuns() {
		if q.owner == r {
			s.feed(q, evKill)
		}
	}
}

// liveRuns is for loops in which runs may end.
func (s *Supervisor) liveRuns() []*run { return slices.Clone(s.live) }

// unblock looks for each blocked job whether what it depends on is there.
func (s *Supervisor) unblock() {
	if s.phase == ending {
		return
	}
	for _, j := range s.jobs {
		if j.state != jobBlocked {
			continue
		}
		met, never := s.dependencies(j)
		switch {
		case met:
			s.later(j, jvMet)
		case never != "":
			if j.boot {
				j.bad = never
			}
			s.later(j, jvImpossible)
		}
	}
}

// dependencies tells whether all that a job depends on is there, or why it never will be.
func (s *Supervisor) dependencies(j *job) (met bool, never string) {
	met = true
	for _, d := range j.spec.After {
		on := s.named[d.Job]
		if on == nil {
			return false, "it depends on " + d.Job + ", which is gone"
		}
		if !on.satisfies(d.Condition) {
			met = false
			if on.isIdle() && (on.state != jobDown || !on.want) {
				never = "it depends on " + d.Job + ", which is " + on.state.String()
			}
		}
	}
	return met, never
}

// satisfies tells whether others may take the job as being in a condition.
func (j *job) satisfies(c config.Condition) bool {
	switch c {
	case config.Healthy:
		return j.state == jobUp && j.health.status == healthy
	case config.CompletedSuccessfully:
		return j.state == jobDone
	case config.Started:
	}
	return j.state == jobUp || j.state == jobDone && !j.spec.Service
}
