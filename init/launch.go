package supervisor

import (
	"fmt"
	"time"

	"github.com/cginit/cginit/init/config"
	"github.com/cginit/cginit/init/hold"
	"github.com/cginit/cginit/init/life"
)

// launch begins a new run of the job.
func (s *Supervisor) launch(j *job) {
	j.runs++
	level := s.jobs.levelOf(s.home, j)
	r := newRun(s.jobs.specOf(j))
	r.job, r.number, r.level = j, j.runs, level
	j.run, j.grace, j.reloading = r, nil, reloading{}
	j.notify.forget()
	s.begin(r)
}

// begin adds a run to the live ones and starts it.
func (s *Supervisor) begin(r *run) {
	r.Rings(&s.alarm.Alarm)
	s.live.add(r)
	s.feed(r, life.EvStart)
}

// attendant returns a run that belongs to the present run of a job: a step or a probe.
func (s *Supervisor) attendant(j *job, kind role, name string, spec *config.Spec) *run {
	spec.Name, spec.KillMode, spec.Leftovers = name, config.Mixed, config.LeftoversKill
	j.attended++
	r := newRun(spec)
	r.name = j.spec.Name + "/" + name
	r.job, r.role, r.owner, r.number, r.level = j, kind, j.run, j.attended, s.home.Level()
	return r
}

// start makes the containment, if the run has none yet, and starts the main process. It returns the
// event that follows. If a holder starts the main process the event is EvPending, and the outcome
// comes later.
func (s *Supervisor) start(r *run) (next life.RunEvent) {
	if r.book.started.IsZero() {
		r.book.started = time.Now()
	}
	if r.held == nil {
		if err := s.suffices(r); err != nil {
			r.book.err = err
			return life.EvSpawnFailed
		}
		held, err := s.home.Contain(s.placeOf(r))
		if err != nil {
			return s.notStarted(r, "make a containment", err)
		}
		r.held, r.level = held, held.Level()
	}
	progress, err := s.spawn(r)
	if err == nil && progress == hold.Pending {
		return life.EvPending
	}
	return s.spawned(r, progress, err)
}

// suffices returns an error if a job's own run would be held less well than --require asks for. It
// is checked before each run, because whether a uid belongs to the job alone depends on the other
// jobs. Steps and probes are not checked: they are held with the job, or as well as possible.
func (s *Supervisor) suffices(r *run) error {
	if r.role != roleMain {
		return nil
	}
	return s.home.Suffices(r.level, s.config.Require)
}

// placeOf returns where a run is to be held.
func (s *Supervisor) placeOf(r *run) hold.Place {
	p := hold.Place{
		Name: r.name, Dir: fmt.Sprintf("%s.%d", r.spec.Name, r.number), Level: r.level,
		Resources: r.spec.Resources, Listener: listener{s, r},
	}
	if r.owner != nil {
		p.Inside = r.owner.held
	}
	return p
}

// spawned handles the outcome of a start of the main process and returns the event that follows.
func (s *Supervisor) spawned(r *run, progress hold.Progress, err error) life.RunEvent {
	if err != nil {
		return s.notStarted(r, "fork", err)
	}
	s.inherited.close()
	if progress == hold.Executed {
		s.executed(r)
	}
	return life.EvSpawned
}

// spawnGiveUp is how long a fork that fails for now is tried again, counted from the first try.
const spawnGiveUp = time.Second

// notStarted returns the event for a start that has failed: EvSpawnBusy if it is to be tried again,
// else EvSpawnFailed. A temporary error is retried for spawnGiveUp. A job of the file is retried
// without limit once a failure no longer fails the start of the supervisor.
func (s *Supervisor) notStarted(r *run, what string, err error) life.RunEvent {
	forEver := s.jobs.single == nil && !r.job.IsBooting() && r.job.lease == nil
	if hold.IsBusy(err) && (forEver || time.Since(r.book.started) < spawnGiveUp) {
		s.log.Complain(what, err)
		return life.EvSpawnBusy
	}
	r.book.err = err
	return life.EvSpawnFailed
}

// executed records that the exec succeeded and marks the run started. A job without another sign of
// readiness is ready now.
func (s *Supervisor) executed(r *run) {
	r.executed, s.queue.changed = true, true
	if r.role != roleMain {
		return
	}
	s.runStarted(r.job)
	if r.spec.Ready.Kind == config.ReadyExec {
		s.queue.add(r.job, life.EvJobReady)
	}
}

// runEnded handles that nothing of a run is left and that its receipt was written.
func (s *Supervisor) runEnded(r *run, receipt *Receipt) {
	s.live.remove(r)
	switch r.role {
	case roleMain:
		ev := life.JobEvent{Kind: life.EvJobEnded, OK: receipt.ExitStatus == 0}
		if receipt.Cause == life.Failing && r.job.Bad() == "" {
			ev.Why = "it said that it stops (STOPPING=1) and did not"
		}
		s.queue.addEvent(r.job, ev)
	case rolePreStart, rolePostStart, rolePreStop:
		s.hear(r.job, heardAtTheEnd) // later it could be taken for what the job itself says
		s.stepEnded(r, receipt)
	case roleHealth:
		s.checkEnded(r, receipt)
	}
	if r.owner != nil {
		s.inspect(r.owner)
	}
}

// killAttendants kills the steps and probes of a run whose main process has ended.
func (s *Supervisor) killAttendants(r *run) {
	for _, q := range s.live.of(r) {
		s.feed(q, life.EvKill)
	}
}
