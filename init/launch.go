package supervisor

import (
	"fmt"
	"slices"
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
	j.run, j.grace = r, nil
	if j.notify != nil {
		j.notify.status = "" // that was of the last run
	}
	s.begin(r)
}

// begin adds a run to those that live, and starts it.
func (s *Supervisor) begin(r *run) {
	s.live = append(s.live, r)
	s.feed(r, life.EvStart)
}

// attendant makes a run that belongs to a job's present one: a step or a probe.
func (s *Supervisor) attendant(j *job, kind role, name string, spec *config.Spec) *run {
	spec.Name, spec.KillMode, spec.Leftovers = name, config.Mixed, config.LeftoversKill
	j.attended++
	r := newRun(spec)
	r.name = j.spec.Name + "/" + name
	r.job, r.role, r.owner, r.number, r.level = j, kind, j.run, j.attended, s.home.Level()
	return r
}

// start makes the containment and the main process. Where a holder makes it, what comes of it is told
// later.
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

// suffices tells why a job's own run would not be held as well as --require asks for. It is asked
// before each run: whether a uid is the job's alone depends on who else has it. Steps and probes are
// held with the job, or as well as can be.
func (s *Supervisor) suffices(r *run) error {
	if r.role != roleMain {
		return nil
	}
	return s.home.Suffices(r.level, s.config.Require)
}

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

// spawned handles what came of the start of the main process.
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

// spawnGiveUp bounds the tries of a fork that fails for now, from the first on.
const spawnGiveUp = time.Second

// notStarted tells whether a start that has failed is to be tried again. What may go well a little
// later is tried for a second, and once everything is up for as long as it takes.
func (s *Supervisor) notStarted(r *run, what string, err error) life.RunEvent {
	forEver := s.jobs.single == nil && !r.job.IsBooting() && r.job.lease == nil
	if hold.IsBusy(err) && (forEver || time.Since(r.book.started) < spawnGiveUp) {
		s.log.Complain(what, err)
		return life.EvSpawnBusy
	}
	r.book.err = err
	return life.EvSpawnFailed
}

// executed handles that the main process executes the command.
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

// runEnded handles that nothing of a run is left, and that its receipt is written.
func (s *Supervisor) runEnded(r *run, receipt *Receipt) {
	s.live = slices.DeleteFunc(s.live, func(q *run) bool { return q == r })
	switch r.role {
	case roleMain:
		s.queue.addEvent(r.job, life.JobEvent{Kind: life.EvJobEnded, OK: receipt.ExitStatus == 0})
	case rolePreStart, rolePostStart, rolePreStop:
		s.stepEnded(r, receipt)
	case roleHealth:
		s.checkEnded(r, receipt)
	}
	if r.owner != nil {
		s.inspect(r.owner)
	}
}

// killAttendants ends what runs inside a run whose main process has ended.
func (s *Supervisor) killAttendants(r *run) {
	for _, q := range s.live.clone() {
		if q.owner == r {
			s.feed(q, life.EvKill)
		}
	}
}
