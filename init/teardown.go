package supervisor

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/priority"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// These times are not the user's to set. The last part of a stop (freeze, list, kill) fits into the
// second that the default grace period leaves of docker stop's ten.
const (
	// listWait bounds how long list reads every detail of the leftovers. Later ones get a name
	// only.
	listWait = 300 * time.Millisecond
	// orphansRetry is the delay before we look again at the processes that a lost holder has left.
	orphansRetry = 10 * time.Millisecond
	// A kill may be in vain for killPatience before processes in state D are called unkillable, or
	// for exitPatience if one of them is exiting: among thousands an exit takes its time.
	killPatience = 400 * time.Millisecond
	exitPatience = 3 * time.Second
	// More processes than manyLeft are looked at one by one only once they do not become fewer.
	manyLeft = 100
	// killGiveUp is when even processes that should die are treated as unkillable.
	killGiveUp = 30 * time.Second
	// A dying task can hold up the removal of a cgroup (Linux 6.19 and later). The removal is tried
	// again every removeRetry, until removeGiveUp has passed.
	removeRetry  = 10 * time.Millisecond
	removeGiveUp = time.Second
)

// feed gives a run an event and performs the actions that Step returns. An action can produce the
// next event, which feed handles too.
func (s *Supervisor) feed(r *run, ev life.RunEvent) {
	for events := []life.RunEvent{ev}; len(events) > 0; events = events[1:] {
		before := r.State()
		actions := r.Step(events[0], time.Now())
		s.trace.run(r, events[0], before, actions)
		for _, a := range actions {
			if next, ok := s.act(r, a); ok {
				events = append(events, next)
			}
		}
	}
}

// act performs one action. It returns the event that the action produced at once; ok is false if
// there is none.
func (s *Supervisor) act(r *run, a life.RunAction) (next life.RunEvent, ok bool) {
	switch a {
	case life.DoSpawn:
		return s.start(r), true
	case life.DoAsk:
		if s.forward(r, r.StopSignal()) == nil { // who was refused was not asked
			r.book.ask(cmp.Or(r.StopSignal(), unix.SIGINT), r.pid()) // 0: the keyboard has sent SIGINT
		}
		_ = s.forward(r, unix.SIGCONT) // a process that is stopped could not hear it
		s.thawPaused(r)
	case life.DoAskAll:
		s.askAll(r, cmp.Or(r.StopSignal(), unix.SIGINT))
		s.log.Complain("thaw", r.held.Thaw())
	case life.DoAskRest:
		s.askAll(r, unix.SIGTERM)
		s.thawPaused(r)
	case life.DoAskOthers:
		pressOthers(s, r)
	case life.DoFreeze:
		priority.ClaimAll() // also threads that are new
		s.log.Complain("freeze", r.held.Freeze())
		return life.EvFrozen, r.held.Frozen()
	case life.DoList:
		s.list(r)
	case life.DoKill:
		err := r.held.Kill()
		r.patient().killError = err
		s.log.Complain("kill", err)
	case life.DoAbandon:
		s.abandon(r)
	case life.DoRemove:
		return s.remove(r)
	case life.DoReport:
		s.finish(r)
	}
	return 0, false
}

// inspect compares a run with what the kernel reports of it now, and feeds the events that follow. Between the
// freeze and the list it does not ask whether a run is empty whose main process lives: below a lost holder that
// would kill the leftovers before they are listed.
func (s *Supervisor) inspect(r *run) {
	hasEnded := r.Status() != nil
	switch {
	case !r.executed && !r.failed: // not started, or the exec helper has not reported yet
		return
	case hasEnded && r.failed:
		s.feed(r, life.EvSpawnFailed)
		return
	case hasEnded && (r.unreaped || r.held.Empty()):
		if r.attendants > 0 { // without cgroups its steps and probes are not counted by Empty
			s.killAttendants(r)
			return
		}
		s.feed(r, life.EvEmpty)
		return
	case !hasEnded && r.State() != life.RunFreezing && r.held.Empty():
		s.reap() // the kernel has told of the end of the last process before wait4 was asked
		if r.Status() != nil || (listener{s, r}).unreaped() {
			return
		}
	case hasEnded && !r.HasMainExited() && r.attendants == 0:
		s.feed(r, life.EvMainExit)
		s.daemonised(r)
	}
	s.standsStill(r)
	if (r.State() == life.RunFreezing || r.State() == life.RunAsking) && r.held.Frozen() {
		s.feed(r, life.EvFrozen)
	}
}

// standsStill records that a run that a client has frozen now stands still, and tells those who
// wait for that.
func (s *Supervisor) standsStill(r *run) {
	if r.paused && !r.still && r.held.Frozen() {
		r.still, s.queue.changed = true, true
		s.calls.journal.addFrozen(r.job, true)
	}
}

// thawPaused thaws a run that a client has frozen. It does nothing to any other run.
func (s *Supervisor) thawPaused(r *run) {
	if r == nil || !r.paused {
		return
	}
	r.paused, r.still, s.queue.changed = false, false, true
	s.log.Complain("thaw", r.held.Thaw())
	r.job.FeedWatchdog(time.Now()) // a frozen job could not send WATCHDOG=1
	s.calls.journal.addFrozen(r.job, false)
}

// askAll sends the signal to every process of the run, then SIGCONT. It records the processes
// before and after, because processes that are forked meanwhile are asked too.
func (s *Supervisor) askAll(r *run, sig unix.Signal) {
	s.writeAsked(r, sig)
	s.log.Complain("ask", r.held.Signal(sig))
	s.writeAsked(r, sig)
	s.log.Complain("ask", r.held.Signal(unix.SIGCONT))
}

// writeAsked records in the book that every process of the run was sent the signal, except those that the
// kernel does not let us signal.
func (s *Supervisor) writeAsked(r *run, sig unix.Signal) {
	pids, err := r.held.Procs()
	s.log.Complain("list", err)
	r.book.doubt(err)
	r.book.ask(sig, slices.DeleteFunc(pids, isOutOfReach)...)
}

// pressOthers is DoAskOthers.
func pressOthers(s *Supervisor, r *run) {
	switch sig := r.StopSignal(); {
	case r.State() == life.RunStopping && r.isDeafTo(sig): // what the wrapper ignores is meant for one of them
		s.log.Complain("ask", r.askOthers(sig))
	case r.State() == life.RunStopping:
	case len(r.book.asked) > 1:
		s.log.Complain("ask", r.askOthers(unix.SIGTERM))
	default: // they were left alone
		s.askAll(r, unix.SIGTERM)
		s.thawPaused(r)
	}
}

// isDeafTo tells whether the main process ignores or blocks a signal. One that handles it may be waiting for the
// others, who must not be disturbed then. Who forks blocks all signals for a moment, but does not sleep.
func (r *run) isDeafTo(sig unix.Signal) bool {
	p, err := proc.Read(r.pid())
	if p.State == 'S' {
		p.Ignored |= p.Blocked
	}
	return err == nil && sig != 0 && p.Ignored>>(sig-1)&1 != 0
}

// askOthers sends the signal, then SIGCONT, to every process but the main one that was not asked so before, and
// records those that it has asked. No level has a call that leaves one process out, so it lists the processes,
// a second time because of those that are forked meanwhile.
func (r *run) askOthers(sig unix.Signal) error {
	var failed error
	for range 2 {
		pids, err := r.held.Procs()
		r.book.doubt(err)
		failed = cmp.Or(failed, err)
		for _, pid := range pids {
			if r.book.asked[pid] == sig || pid == r.pid() {
				continue
			}
			if err := deliver.Signal(pid, sig); err == nil {
				r.book.ask(sig, pid)
				_ = deliver.Signal(pid, unix.SIGCONT)
			} else if err != unix.ESRCH {
				failed = err // the others still get the signal
			}
		}
	}
	return failed
}

// list writes down the processes that are about to be killed, for the receipt.
func (s *Supervisor) list(r *run) {
	pids, err := r.held.Procs()
	s.log.Complain("list", err)
	b := &r.book
	b.toKill(pids, err)
	r.patient().hopeless = time.Time{}
	begun := time.Now()
	for _, pid := range pids[:min(len(pids), maxListed)] {
		p, ok := proc.ReadLiving(pid)
		switch {
		case !ok:
		case time.Since(begun) < listWait:
			b.processes = append(b.processes, r.describe(p))
		default: // docker stop's clock runs on, so the rest is only named
			b.processes = append(b.processes, Process{Pid: p.Pid, PPid: p.PPid, Command: p.Comm, State: string(p.State), Outcome: "killed"})
		}
	}
}

// abandon gives up a start that hangs. It lists the processes of that start once, before they are
// killed.
func (s *Supervisor) abandon(r *run) {
	if !r.abandoned {
		r.abandoned = true
		s.list(r)
	}
	s.log.Complain("kill a holder", r.held.Abandon())
}

// remove reads the accounts and removes the containment. It returns EvRemoved when that is done,
// and sets the deadline for another try if the last output or a dying task holds it up.
func (s *Supervisor) remove(r *run) (next life.RunEvent, ok bool) {
	if r.held == nil {
		return life.EvRemoved, true
	}
	r.pipes.hangUp()
	patience := removeGiveUp
	if s.shutdown.isKilling { // whoever stops us does not wait much longer
		patience /= 4
	}
	// The log shows the last lines of the run before its receipt.
	if late := r.Since().Add(patience); !r.pipes.areDry() && time.Now().Before(late) {
		r.RetryAt(late)
		return 0, false
	}
	if !r.accounted {
		r.book.usage, r.accounted = r.held.Usage(), true
	}
	err := r.held.Remove()
	if errors.Is(err, unix.EBUSY) && time.Since(r.Since()) < removeGiveUp {
		r.RetryAt(time.Now().Add(removeRetry))
		return 0, false
	}
	if err != nil {
		s.log.Printf("%s: its cgroup is empty but cannot be removed: %v", r.name, err)
	}
	return life.EvRemoved, true
}

// finish writes the receipt of a run that has ended or that cannot be killed.
func (s *Supervisor) finish(r *run) {
	if r.isStuck() {
		r.book.usage = r.held.Usage()
	} else { // processes that were called unkillable have died after all
		r.book.markKilled()
	}
	s.queue.changed = true
	receipt := r.receipt(time.Now())
	if r.role == roleMain {
		r.job.last = &receipt
	}
	s.reports.add(r.role, receipt)
	if r.role == roleMain || receipt.Killed+receipt.Unkillable > 0 {
		s.calls.journal.addReceipt(&receipt)
	}
	if r.State() == life.RunEnded {
		s.runEnded(r, &receipt)
	}
}

// isUnkillable tells whether the kill of a run has failed. Processes are hopeless when all of them
// are in state D (uninterruptible sleep) or zombies with other threads, or when the kill returned
// an error. If they stay hopeless and do not become fewer for killPatience (exitPatience if one is
// exiting), they are unkillable. After killGiveUp every process counts as hopeless, also those that
// cannot be listed.
func (s *Supervisor) isUnkillable(r *run) bool {
	now, p := time.Now(), r.patient()
	if now.Sub(r.Since()) < killPatience/4 {
		return false
	}
	pids, err := r.held.Procs()
	many, before := len(pids) > manyLeft && now.Sub(r.Since()) < killGiveUp, p.listed
	if p.listed = len(pids); many && p.listed != before {
		p.hopeless = time.Time{}
		return false
	}
	left := proc.Living(pids)
	if err == nil && len(left) == 0 && (listener{s, r}).unreaped() {
		return false
	}
	isHopeless := err == nil && len(left) > 0 && (p.killError != nil || !slices.ContainsFunc(left, mayBeKilled))
	if !isHopeless && now.Sub(r.Since()) < killGiveUp {
		p.hopeless = time.Time{}
		return false
	}
	if p.hopeless.IsZero() || len(left) != p.remaining { // a shrinking set of processes is slow, not stuck
		p.hopeless, p.remaining = now, len(left)
	}
	wait := killPatience
	if !s.shutdown.isKilling && slices.ContainsFunc(left, func(p proc.Process) bool { return p.Exiting }) {
		wait = exitPatience
	}
	if now.Sub(p.hopeless) < wait {
		return false
	}
	var processes []Process
	for _, p := range left {
		processes = append(processes, r.describe(p))
	}
	r.book.markUnkillable(processes)
	return true
}

// daemonised makes a job with "ready: forking" ready when its main process has ended well and left
// a process in the background.
func (s *Supervisor) daemonised(r *run) {
	if r.role != roleMain || !r.IsDaemon() || r.State() != life.RunWaiting {
		return
	}
	// A holder reports only later that nothing is left, so we look ourselves.
	if pids, err := r.held.Procs(); err != nil || len(pids) > 0 {
		s.queue.add(r.job, life.EvJobReady)
	}
}

// mayBeKilled tells whether a kill can be expected to end a process. EPERM is final. kill(-1) does not
// tell of it: it returns 0 also where every process was refused.
func mayBeKilled(p proc.Process) bool { return p.MayDie() && !isOutOfReach(p.Pid) }

// isOutOfReach tells whether the kernel refuses a signal to a process.
func isOutOfReach(pid int) bool { return deliver.Signal(pid, 0) == unix.EPERM }
