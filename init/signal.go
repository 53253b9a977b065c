package supervisor

import (
	"errors"
	"syscall"

	"github.com/cginit/cginit/init/deliver"
	"github.com/cginit/cginit/init/life"
	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// arrived handles a signal that has come to us.
func (s *Supervisor) arrived(sig syscall.Signal) {
	switch {
	case sig == unix.SIGCHLD:
		s.reap()
	case s.terminal.swallows(sig):
	case s.jobs.single != nil:
		s.signaledForCommand(sig)
	default:
		s.signaledForAll(sig)
	}
}

// sigrtminPlus3 is the signal with which podman --systemd and systemd-nspawn ask a process 1 to
// end.
const sigrtminPlus3 = syscall.Signal(37)

// signaledForAll handles a signal if we run a file: the signal is for us and not for a job.
// "cginitctl signal" sends one to a job.
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

// signaledForCommand handles a signal if we run the command of the command line: the signal begins
// the stop, or is passed on to the command.
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
		target = 0 // the kernel has sent it to the command already
	}
	r := j.run
	switch {
	case r == nil: // the start is still queued
		s.queue.add(j, life.EvJobStop)
		return
	case isStop && j.IsIdle(): // the command has ended, but runs started beside it go on
		s.askedToEnd(sig)
		return
	case isStop && !r.IsStopping():
		r.StopWith(target)
		s.queue.add(j, life.EvJobStop)
		return
	case sig == unix.SIGCONT && s.terminal != nil && !r.spec.NewSession && r.pid() > 0 && r.Status() == nil:
		s.terminal.carryOn(r.pid()) // the shell has continued us, in the foreground (fg) or not (bg)
	}
	_ = s.forward(r, target) // the log has it
}

// forward passes a signal on to the main process. If that has ended, it passes the signal on to the
// leftovers whose parent is the adopter: the direct children of the supervisor or holder. It returns
// an error if the main process could not be signalled, and says so in the log.
func (s *Supervisor) forward(r *run, sig syscall.Signal) error {
	switch {
	case sig == 0 || r.pid() == 0:
		return nil
	case r.Status() == nil:
		err := r.held.SignalMain(sig, r.spec.Group)
		s.log.Complain("forward", err)
		if errors.Is(err, unix.ESRCH) { // it has ended meanwhile
			return nil
		}
		return err
	}
	pids, _ := r.held.Procs()
	for _, p := range proc.Living(pids) {
		if p.PPid == r.held.Adopter() {
			s.log.Complain("forward", deliver.Signal(p.Pid, sig))
		}
	}
	return nil
}

// leaveTerminal takes the terminal back from the command after its end.
func (s *Supervisor) leaveTerminal() {
	t := s.terminal
	if t == nil || s.jobs.single.spec.NewSession || isProcess1() || s.jobs.single.run == nil {
		return
	}
	r := s.jobs.single.run
	t.leave(r.pid(), r.Status())
}
