package supervisor

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// act does what step decided. What comes of it at once is the next event.
func (s *Supervisor) act(r *run, a action) (next event, ok bool) {
	switch a {
	case doSpawn:
		return s.start(r)
	case doAsk:
		r.book.ask(cmp.Or(r.askWith, unix.SIGINT), r.main.pid) // 0: the keyboard has
		s.forward(r, r.askWith)
		s.forward(r, unix.SIGCONT) // one that is stopped could not hear it
		s.thawPaused(r)
	case doAskAll:
		s.askAll(r, cmp.Or(r.askWith, unix.SIGINT))
		s.complain("thaw", r.thaw())
	case doAskRest:
		s.askAll(r, unix.SIGTERM)
		s.thawPaused(r)
	case doFreeze:
		if err := r.freeze(); err != nil {
			s.complain("freeze", err)
		}
		return evFrozen, r.frozen()
	case doList:
		s.list(r)
	case doKill:
		s.kill(r)
	case doAbandon:
		s.abandon(r)
	case doRemove:
		return s.remove(r)
	case doReport:
		s.finish(r)
	}
	return 0, false
}

// finish writes the receipt of a run that has ended, or of one that cannot.
func (s *Supervisor) finish(r *run) {
	if r.state == stuck {
		r.account(&r.book.receipt)
	} else { // what was stuck has died after all
		r.book.markKilled()
	}
	s.changed = true
	receipt := r.receipt(s.now())
	if r.role == roleMain {
		r.job.last = &receipt
	}
	s.report(r, receipt)
	if r.role == roleMain || receipt.Killed+receipt.Unkillable > 0 {
		s.tellReceipt(&receipt)
	}
	if r.state == ended {
		s.runEnded(r, &receipt)
	}
}

// start makes the containment and the main process. Where a holder makes it, what comes of it
// is told later.
func (s *Supervisor) start(r *run) (next event, ok bool) {
	if r.book.started.IsZero() {
		r.book.started = s.now()
	}
	if r.containment == nil {
		if err := s.sufficesFor(r); err != nil {
			r.book.err = err
			return evSpawnFail, true
		}
		c, err := s.home.contain(r, s.orphans)
		if err != nil {
			return s.notStarted(r, "make a containment", err), true
		}
		r.containment = c
	}
	err := s.spawn(r)
	if err == nil && r.main.pid == 0 {
		return 0, false
	}
	return s.startedMain(r, err), true
}

// startedMain is told what came of the start of the main process.
func (s *Supervisor) startedMain(r *run, err error) event {
	r.pending = false
	if err != nil {
		return s.notStarted(r, "fork", err)
	}
	if _, held := r.containment.(*tree); !held {
		s.mains[r.main.pid] = r
	}
	s.closeInherited()
	if !r.helper && !r.failed {
		s.executed(r)
	}
	return evSpawned
}

// notStarted tells whether a start that has failed is to be tried again. What may go well a
// little later is: for a second, and once everything is up for as long as it takes.
func (s *Supervisor) notStarted(r *run, what string, err error) event {
	forEver := s.single == nil && !r.job.boot && r.job.lease == nil
	if isBusy(err) && (forEver || s.now().Sub(r.book.started) < spawnGiveUp) {
		s.complain(what, err)
		return evSpawnBusy
	}
	r.book.err = err
	return evSpawnFail
}

// executed is told that the main process runs the command.
func (s *Supervisor) executed(r *run) {
	s.changed = true
	if r.role == roleMain {
		s.runStarted(r.job)
	}
	if r.role == roleMain && r.spec.Ready.Kind == config.ReadyExec {
		s.later(r.job, jvReady)
	}
}

// askAll asks every process of the run to leave.
func (s *Supervisor) askAll(r *run, sig unix.Signal) {
	s.bookAsked(r, sig)
	s.complain("ask", r.signal(sig))
	s.bookAsked(r, sig) // whom they forked meanwhile was asked too
	s.complain("ask", r.signal(unix.SIGCONT))
}

func (s *Supervisor) bookAsked(r *run, sig unix.Signal) {
	pids, err := r.procs()
	s.complain("list", err)
	r.book.ask(sig, pids...)
}

// list writes down who did not leave. They are about to be killed.
func (s *Supervisor) list(r *run) {
	pids, err := r.procs()
	s.complain("list", err)
	b := &r.book
	b.processes, b.killed, b.unkillable = nil, len(pids), 0 // what is killed again is listed again
	r.hopeless = time.Time{}
	begun := s.now()
	for _, pid := range pids[:min(len(pids), maxListed)] {
		p, ok := readLiving(pid)
		switch {
		case !ok:
		case s.now().Sub(begun) < listWait:
			b.processes = append(b.processes, r.describe(p))
		default: // they are frozen, but whoever stops us has a clock: the rest is only named
			b.processes = append(b.processes, Process{Pid: p.pid, PPid: p.ppid, Command: p.comm, State: string(p.state), Outcome: "killed"})
		}
	}
}

// kill kills all that is left. The main process is ours to kill wherever it has moved itself:
// until it is reaped, its pid is its own.
func (s *Supervisor) kill(r *run) {
	r.killError = r.containment.kill()
	s.complain("kill", r.killError)
	if r.main.pid > 0 && r.status == nil && !r.isHeld() {
		_ = unix.Kill(r.main.pid, unix.SIGKILL)
	}
}

// remove reads the accounts and removes the containment. A task that is still on its way out
// can hold that up for a moment (Linux 6.19 and later), so it is tried again, for a while.
func (s *Supervisor) remove(r *run) (event, bool) {
	const giveUp = time.Second
	if r.containment == nil {
		return evRemoved, true
	}
	r.pump.hangUp()
	patience := giveUp
	if s.killing { // whoever stops us loses it too
		patience = giveUp / 4
	}
	if late := r.since.Add(patience); !r.pump.isDry() && s.now().Before(late) { // its last lines come before its receipt
		r.deadline = late
		return 0, false
	}
	if !r.accounted {
		r.account(&r.book.receipt)
		r.accounted = true
	}
	err := r.remove()
	if errors.Is(err, unix.EBUSY) && s.now().Sub(r.since) < giveUp {
		r.deadline = s.now().Add(rmdirRetry)
		return 0, false
	}
	if err != nil {
		s.log.printf("%s: its cgroup is empty but cannot be removed: %v", r.name, err)
	}
	return evRemoved, true
}

// unkillable tells whether nothing that is left of the run can die: all of it is in state D
// (uninterruptible sleep), or we may not kill it, for as long as it should have taken. What
// resists for another reason, or without being seen, is given up much later.
func (s *Supervisor) unkillable(r *run) bool {
	now := s.now()
	if now.Sub(r.since) < killPatience/4 {
		return false
	}
	pids, err := r.procs()
	left := living(pids)
	seen := err == nil && len(left) > 0
	if hopeless := seen && (r.killError != nil || !slices.ContainsFunc(left, process.mayDie)); !hopeless && now.Sub(r.since) < killGiveUp {
		r.hopeless = time.Time{}
		return false
	}
	if r.hopeless.IsZero() || len(left) != r.remaining { // who gets fewer is only slow
		r.hopeless, r.remaining = now, len(left)
	}
	patience := killPatience
	if !s.killing && slices.ContainsFunc(left, func(p process) bool { return p.exiting }) {
		patience = exitPatience
	}
	if now.Sub(r.hopeless) < patience {
		return false
	}
	var processes []Process
	for _, p := range left {
		processes = append(processes, r.describe(p))
	}
	r.book.markUnkillable(processes)
	return true
}

// complain says that something went wrong, once for each kind until it changes. It is no
// reason to end: the loop will come by again.
func (s *Supervisor) complain(what string, err error) {
	if errors.Is(err, unix.ESRCH) {
		err = nil // it has ended meanwhile
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	if s.said[what] == text {
		return
	}
	s.said[what] = text
	if text != "" {
		s.log.printf("cannot %s: %s", what, text)
	}
}
