package supervisor

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// act does what step decided. What comes of it at once is the next event.
func (s *Supervisor) act(j *job, a action) (next event, ok bool) {
	r := j.run
	switch a {
	case doSpawn:
		return s.start(j), true
	case doAsk:
		r.book.ask(cmp.Or(j.askWith, unix.SIGINT), r.main.pid) // 0: the keyboard has
		s.forward(j, j.askWith)
		s.forward(j, unix.SIGCONT) // one that is stopped could not hear it
	case doAskAll:
		s.askAll(j, cmp.Or(j.askWith, unix.SIGINT))
		s.complain("thaw", r.thaw())
	case doAskRest:
		s.askAll(j, unix.SIGTERM)
	case doFreeze:
		if err := r.freeze(); err != nil {
			s.complain("freeze", err)
		}
		return evFrozen, r.frozen()
	case doList:
		s.list(j)
	case doKill:
		s.kill(r)
	case doRemove:
		return s.remove(j)
	case doReport:
		if j.state == stuck {
			r.account(&r.book.receipt)
		}
		s.report(j.receipt(s.now()))
	}
	return 0, false
}

// start makes the run and its main process.
func (s *Supervisor) start(j *job) event {
	if j.run == nil {
		j.run = &run{number: 1, level: s.home.level}
		j.run.book.started = s.now()
	}
	r := j.run
	if r.containment == nil {
		c, err := s.home.contain(&j.spec, r.number, 0)
		if err != nil {
			r.book.err = err
			return evSpawnFail
		}
		r.containment = c
	}
	err := s.spawn(j)
	switch {
	case err == nil:
		s.closeInherited()
		return evSpawned
	case isBusy(err) && s.now().Sub(r.book.started) < spawnGiveUp:
		s.complain("fork", err)
		return evSpawnBusy
	}
	r.book.err = err
	return evSpawnFail
}

// askAll asks every process of the run to leave.
func (s *Supervisor) askAll(j *job, sig unix.Signal) {
	pids, err := j.run.procs()
	s.complain("list", err)
	j.run.book.ask(sig, pids...)
	s.complain("ask", j.run.signal(sig))
	s.complain("ask", j.run.signal(unix.SIGCONT))
}

// list writes down who did not leave. They are about to be killed.
func (s *Supervisor) list(j *job) {
	pids, err := j.run.procs()
	s.complain("list", err)
	b := &j.run.book
	b.killed = len(pids)
	begun := s.now()
	for _, pid := range pids[:min(len(pids), maxListed)] {
		p, err := readProcess(pid)
		switch {
		case err != nil || p.state == 'Z' || p.state == 'X':
		case s.now().Sub(begun) < listWait:
			b.processes = append(b.processes, j.run.describe(p))
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
	if r.main.pid > 0 && r.status == nil {
		_ = unix.Kill(r.main.pid, unix.SIGKILL)
	}
}

// remove reads the accounts and removes the containment. A task that is still on its way out
// can hold that up for a moment (Linux 6.19 and later), so it is tried again, for a while.
func (s *Supervisor) remove(j *job) (event, bool) {
	const giveUp = time.Second
	r := j.run
	if r.containment == nil {
		return evRemoved, true
	}
	if !r.accounted {
		r.account(&r.book.receipt)
		r.accounted = true
	}
	err := r.remove()
	if errors.Is(err, unix.EBUSY) && s.now().Sub(j.since) < giveUp {
		j.deadline = s.now().Add(rmdirRetry)
		return 0, false
	}
	if err != nil {
		s.log.printf("%s: its cgroup is empty but cannot be removed: %v", j.spec.Name, err)
	}
	return evRemoved, true
}

// unkillable tells whether nothing that is left of the run can die: all of it is in state D
// (uninterruptible sleep), or we may not kill it, for as long as it should have taken. What
// resists for another reason is given up much later.
func (s *Supervisor) unkillable(j *job) bool {
	r, now := j.run, s.now()
	if now.Sub(j.since) < killPatience/4 {
		return false
	}
	pids, err := r.procs()
	left := living(pids)
	hopeless := r.killError != nil || now.Sub(j.since) > killGiveUp || !slices.ContainsFunc(left, func(p process) bool { return p.state != 'D' })
	if err != nil || len(left) == 0 || !hopeless {
		r.hopeless = time.Time{}
		return false
	}
	if r.hopeless.IsZero() || len(left) != r.remaining { // who gets fewer is only slow
		r.hopeless, r.remaining = now, len(left)
	}
	if now.Sub(r.hopeless) < killPatience {
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
