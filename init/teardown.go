package supervisor

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// The times that are not the user's to set. Those of a stop's end (freeze, list, kill) fit into the
// second that the default grace period leaves of docker stop's ten.
const (
	// listWait bounds the writing down of all about who is left, and not only their names.
	listWait = 300 * time.Millisecond
	// orphansRetry is the delay before we look again for what a lost holder has left.
	orphansRetry = 10 * time.Millisecond
	// killPatience is how long what is in state D may take before it is called unkillable,
	// exitPatience how long if it is on its way out: among thousands that takes its time.
	killPatience = 400 * time.Millisecond
	exitPatience = 3 * time.Second
	// killGiveUp is how long anything may take before it is called unkillable.
	killGiveUp = 30 * time.Second
	// removeRetry is the delay between tries to remove a cgroup that a dying task holds up (Linux
	// 6.19 and later), and removeGiveUp how long they go on.
	removeRetry  = 10 * time.Millisecond
	removeGiveUp = time.Second
)

// feed gives a run an event, does what step answers, and goes on with what comes of that.
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

// act does what step decided. What comes of it at once is the next event.
func (s *Supervisor) act(r *run, a life.RunAction) (next life.RunEvent, ok bool) {
	switch a {
	case life.DoSpawn:
		return s.start(r), true
	case life.DoAsk:
		r.book.ask(cmp.Or(r.StopSignal(), unix.SIGINT), r.pid()) // 0: the keyboard has
		s.forward(r, r.StopSignal())
		s.forward(r, unix.SIGCONT) // a process that is stopped could not hear it
		s.thawPaused(r)
	case life.DoAskAll:
		s.askAll(r, cmp.Or(r.StopSignal(), unix.SIGINT))
		s.log.Complain("thaw", r.held.Thaw())
	case life.DoAskRest:
		s.askAll(r, unix.SIGTERM)
		s.thawPaused(r)
	case life.DoFreeze:
		s.log.Complain("freeze", r.held.Freeze())
		return life.EvFrozen, r.held.Frozen()
	case life.DoList:
		s.list(r)
	case life.DoKill:
		r.patience.killError = r.held.Kill()
		s.log.Complain("kill", r.patience.killError)
	case life.DoAbandon:
		s.abandon(r)
	case life.DoRemove:
		return s.remove(r)
	case life.DoReport:
		s.finish(r)
	}
	return 0, false
}

// inspect looks at what the kernel says of a run now.
func (s *Supervisor) inspect(r *run) {
	hasEnded := r.Status() != nil
	switch {
	case !r.executed && !r.failed: // not started, or the exec helper has not said anything yet
		return
	case hasEnded && r.failed:
		s.feed(r, life.EvSpawnFailed)
		return
	case hasEnded && r.held.Empty():
		if s.live.isOwner(r) { // outside of it, where no cgroup holds them
			s.killAttendants(r)
			return
		}
		s.feed(r, life.EvEmpty)
		return
	case hasEnded && !r.HasMainExited() && !s.live.isOwner(r):
		s.feed(r, life.EvMainExit)
		s.daemonised(r)
	}
	s.standsStill(r)
	if (r.State() == life.RunFreezing || r.State() == life.RunAsking) && r.held.Frozen() {
		s.feed(r, life.EvFrozen)
	}
}

// standsStill looks whether a run that was frozen on request stands still.
func (s *Supervisor) standsStill(r *run) {
	if r.paused && !r.still && r.held.Frozen() {
		r.still, s.queue.changed = true, true
		s.calls.journal.addFrozen(r.job, true)
	}
}

// thawPaused lets a run go on that somebody has had stand still.
func (s *Supervisor) thawPaused(r *run) {
	if r == nil || !r.paused {
		return
	}
	r.paused, r.still, s.queue.changed = false, false, true
	s.log.Complain("thaw", r.held.Thaw())
	if r.spec.Watchdog > 0 { // the job could not say anything meanwhile
		r.job.FeedWatchdog(time.Now())
	}
	s.calls.journal.addFrozen(r.job, false)
}

// askAll asks every process of the run to leave. Processes that are forked meanwhile are asked too,
// so they are written down afterwards.
func (s *Supervisor) askAll(r *run, sig unix.Signal) {
	s.writeAsked(r, sig)
	s.log.Complain("ask", r.held.Signal(sig))
	s.writeAsked(r, sig)
	s.log.Complain("ask", r.held.Signal(unix.SIGCONT))
}

func (s *Supervisor) writeAsked(r *run, sig unix.Signal) {
	pids, err := r.held.Procs()
	s.log.Complain("list", err)
	r.book.ask(sig, pids...)
}

// list writes down who did not leave: they are about to be killed.
func (s *Supervisor) list(r *run) {
	pids, err := r.held.Procs()
	s.log.Complain("list", err)
	b := &r.book
	b.processes, b.killed, b.unkillable = nil, len(pids), 0 // what is killed again is listed again
	r.patience.hopeless = time.Time{}
	begun := time.Now()
	for _, pid := range pids[:min(len(pids), maxListed)] {
		p, ok := proc.ReadLiving(pid)
		switch {
		case !ok:
		case time.Since(begun) < listWait:
			b.processes = append(b.processes, r.describe(p))
		default: // they are frozen, but whoever stops us has a clock: the rest is only named
			b.processes = append(b.processes, Process{Pid: p.Pid, PPid: p.PPid, Command: p.Comm, State: string(p.State), Outcome: "killed"})
		}
	}
}

// abandon gives up a start that hangs. What it has left is listed once, before it is killed.
func (s *Supervisor) abandon(r *run) {
	if !r.abandoned {
		r.abandoned = true
		s.list(r)
	}
	s.log.Complain("kill a holder", r.held.Abandon())
}

// remove reads the accounts and removes the containment. A dying task can delay that, so it is tried
// again for a while.
func (s *Supervisor) remove(r *run) (next life.RunEvent, ok bool) {
	if r.held == nil {
		return life.EvRemoved, true
	}
	r.pipes.hangUp()
	patience := removeGiveUp
	if s.shutdown.isKilling { // whoever stops us loses it too
		patience /= 4
	}
	// The last lines of the run come before its receipt.
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

// finish writes the receipt of a run that has ended, or of one that cannot.
func (s *Supervisor) finish(r *run) {
	if r.isStuck() {
		r.book.usage = r.held.Usage()
	} else { // what was stuck has died after all
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

// isUnkillable tells whether nothing that is left of the run can die: all of it is in state D
// (uninterruptible sleep), or we may not kill it, for as long as it should have taken. What resists
// for another reason, or without being seen, is given up much later.
func (s *Supervisor) isUnkillable(r *run) bool {
	now, p := time.Now(), &r.patience
	if now.Sub(r.Since()) < killPatience/4 {
		return false
	}
	pids, err := r.held.Procs()
	left := proc.Living(pids)
	isHopeless := err == nil && len(left) > 0 && (p.killError != nil || !slices.ContainsFunc(left, proc.Process.MayDie))
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

// daemonised handles that the main process of a run has ended: where it was to go to the background,
// and something of it is there, the job is ready.
func (s *Supervisor) daemonised(r *run) {
	if r.role != roleMain || !r.IsDaemon() || r.State() != life.RunWaiting {
		return
	}
	if pids, err := r.held.Procs(); err != nil || len(pids) > 0 { // a holder says only later that nothing is
		s.queue.add(r.job, life.EvJobReady)
	}
}
