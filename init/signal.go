package supervisor

import (
	"syscall"

	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// signaled handles a signal that was sent to us.
func (s *Supervisor) signaled(sig syscall.Signal) {
	switch {
	case s.terminal.swallows(sig):
	case s.jobs.single != nil:
		s.signaledForCommand(sig)
	default:
		s.signaledForAll(sig)
	}
}

// sigrtminPlus3 is what podman --systemd and systemd-nspawn ask a process 1 to end with.
const sigrtminPlus3 = syscall.Signal(37)

// signaledForAll: with the jobs of a file, a signal is for us. A job is sent one by name (cginitctl
// signal).
func (s *Supervisor) signaledForAll(sig syscall.Signal) {
	switch sig {
	case unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGPWR, sigrtminPlus3:
		s.askedToEnd(sig)
	case unix.SIGHUP:
		s.readAgain(nil)
	case unix.SIGWINCH:
		for _, r := range s.live {
			r.pipes.setSize()
		}
	}
}

// signaledForCommand: a signal asks the command of the command line to end, or is passed on.
func (s *Supervisor) signaledForCommand(sig syscall.Signal) {
	j := s.jobs.single
	isStop := !j.spec.ForwardOnly && (sig == unix.SIGTERM || sig == unix.SIGINT || sig == j.spec.StopSignal)
	target, isRewritten := j.spec.Rewrite[sig]
	switch {
	case !isRewritten:
		target = sig
	case target == 0:
		return
	}
	if isStop && j.spec.StopSignal != 0 {
		target = j.spec.StopSignal
	}
	if s.terminal.sentFromKeyboard(sig) {
		target = 0 // the command has it already
	}
	r := j.run
	switch {
	case r == nil: // it waits for its turn to start
		s.queue.add(j, life.EvJobStop)
		return
	case isStop && j.IsIdle(): // what was started beside it goes on
		s.askedToEnd(sig)
		return
	case isStop && !r.IsStopping():
		r.StopWith(target)
		s.queue.add(j, life.EvJobStop)
		return
	case sig == unix.SIGCONT && s.terminal != nil && !r.spec.NewSession && r.pid() > 0 && r.Status() == nil:
		s.terminal.carryOn(r.pid()) // the shell has put us in the foreground again, or not (bg)
	}
	s.forward(r, target)
}

// forward passes a signal on: to the main process, or, when that has ended and others go on, to those
// of them that are left to the adopter: the direct children of the supervisor or holder.
func (s *Supervisor) forward(r *run, sig syscall.Signal) {
	switch {
	case sig == 0 || r.pid() == 0:
		return
	case r.Status() == nil:
		s.log.Complain("forward", r.held.SignalMain(sig, r.spec.Group))
		return
	}
	pids, _ := r.held.Procs()
	for _, p := range proc.Living(pids) {
		if p.PPid == r.held.Adopter() {
			s.log.Complain("forward", unix.Kill(p.Pid, sig))
		}
	}
}

// leaveTerminal gives our terminal back after the command.
func (s *Supervisor) leaveTerminal() {
	t := s.terminal
	if t == nil || s.jobs.single.spec.NewSession || isProcess1() || s.jobs.single.run == nil {
		return
	}
	r := s.jobs.single.run
	t.leave(r.pid(), r.Status())
}
