package supervisor

import (
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/cginit/cginit/init/config"
	"golang.org/x/sys/unix"
)

// notForwarded is every signal that never reaches the command, and why. All others do.
var notForwarded = map[syscall.Signal]string{
	unix.SIGKILL: "the kernel lets nobody catch it",
	unix.SIGSTOP: "the kernel lets nobody catch it",
	unix.SIGCHLD: "it is about our own children",
	unix.SIGPIPE: "it is about our own log, whose reader has gone",
	unix.SIGTTIN: "it is about our own place at the terminal, and the command has its own",
	unix.SIGTTOU: "it is about our own place at the terminal, and the command has its own",
	unix.SIGURG:  "Go's runtime sends it to itself, and ours cannot be told from another's",
	unix.SIGPROF: "Go's profiler takes it",
	32:           "the C library uses it between threads; Go cannot catch it",
	33:           "the C library uses it between threads; Go cannot catch it",
	34:           "the C library (musl) uses it between threads; Go cannot catch it",
}

const lastSignal = 64

// inbox is where signals arrive. Notify never waits, and drops what finds no room, so what
// must not be lost has a channel to itself, with room for all that can be in it at once.
type inbox struct {
	child chan os.Signal // merged by the kernel anyway: one is as good as many
	stop  chan os.Signal // SIGTERM, SIGINT
	other chan os.Signal
}

// usual are the signals that people send to a process 1, caught before anything is started.
var usual = []os.Signal{unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGCONT, unix.SIGTSTP}

// catch begins to catch signals. SIGCHLD comes first: a child of before that gives no signal,
// and is found by the first look. SIGHUP and SIGINT, if they were ignored when we were started,
// stay ignored, for us and for the command (nohup). Of other signals Go cannot tell.
//
// To catch a signal costs Go two thread switches, 2 ms for all 55: the unusual ones are caught
// while the rest of the start goes on.
func catch() *inbox {
	in := &inbox{
		child: make(chan os.Signal, 1),
		stop:  make(chan os.Signal, 2),
		other: make(chan os.Signal, 2*lastSignal),
	}
	signal.Notify(in.child, unix.SIGCHLD)
	signal.Notify(in.stop, unix.SIGTERM)
	notify(in.stop, unix.SIGINT)
	// A write to a log whose reader has gone then fails, instead of ending us.
	notify(make(chan os.Signal, 1), unix.SIGPIPE)
	notify(in.other, usual...)
	go notify(in.other, unusual()...)
	return in
}

func notify(c chan<- os.Signal, sigs ...os.Signal) {
	for _, sig := range sigs {
		if !signal.Ignored(sig) {
			signal.Notify(c, sig)
		}
	}
}

func unusual() []os.Signal {
	var sigs []os.Signal
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		isStop := sig == unix.SIGTERM || sig == unix.SIGINT
		if notForwarded[sig] == "" && !isStop && !slices.Contains(usual, os.Signal(sig)) {
			sigs = append(sigs, sig)
		}
	}
	return sigs
}

// signaled handles a signal that was sent to us.
func (s *Supervisor) signaled(sig syscall.Signal) {
	switch {
	case s.swallow[sig]:
		delete(s.swallow, sig)
	case s.single != nil:
		s.signaledForCommand(sig)
	default:
		s.signaledForAll(sig)
	}
}

// sigrtminPlus3 is what podman --systemd and systemd-nspawn ask a process 1 to end with.
const sigrtminPlus3 = syscall.Signal(37)

// signaledForAll: with the jobs of a file, a signal is for us. A job is sent one by name
// (cginitctl signal).
func (s *Supervisor) signaledForAll(sig syscall.Signal) {
	switch sig {
	case unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGPWR, sigrtminPlus3:
		s.askedToEnd(sig)
	case unix.SIGHUP:
		s.reload(nil)
	case unix.SIGWINCH:
		s.resizePtys()
	}
}

func (s *Supervisor) askedToEnd(sig syscall.Signal) {
	if s.phase == ending {
		s.hurry()
		return
	}
	s.log.printf("%s: every job is stopped", config.SignalName(sig))
	s.shutdown()
}

// signaledForCommand: a signal asks the command of the command line to end, or is passed on.
func (s *Supervisor) signaledForCommand(sig syscall.Signal) {
	j := s.single
	isStop := !j.spec.ForwardOnly && (sig == unix.SIGTERM || sig == unix.SIGINT || sig == j.spec.StopSignal)
	target, rewritten := j.spec.Rewrite[sig]
	switch {
	case !rewritten:
		target = sig
	case target == 0:
		return
	}
	if isStop && j.spec.StopSignal != 0 {
		target = j.spec.StopSignal
	}
	if s.fromKeyboard(sig) {
		target = 0 // the command has it already
	}
	r := j.run
	switch {
	case r == nil: // it waits for its turn to start
		s.later(j, jvStop)
		return
	case isStop && j.isIdle(): // what was started beside it goes on
		s.askedToEnd(sig)
		return
	case isStop && !r.isStopping():
		r.askWith = target
		s.later(j, jvStop)
		return
	case sig == unix.SIGCONT:
		s.resumed(r)
	}
	s.forward(r, target)
}

// forward passes a signal on: to the main process, or, when that has ended and others go on,
// to those that were left to us, which are the heads of what is left.
func (s *Supervisor) forward(r *run, sig syscall.Signal) {
	switch {
	case sig == 0 || r.main.pid == 0:
		return
	case r.status == nil && !r.spec.Group && r.isHeld():
		s.complain("forward", r.containment.(*tree).SignalMain(sig))
	case r.status == nil && r.spec.Group:
		s.complain("forward", unix.Kill(-r.main.pid, sig))
	case r.status == nil:
		s.complain("forward", unix.Kill(r.main.pid, sig))
	default:
		pids, _ := r.procs()
		for _, p := range living(pids) {
			if p.ppid == r.adopter() {
				s.complain("forward", unix.Kill(p.pid, sig))
			}
		}
	}
}
