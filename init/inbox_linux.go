package supervisor

import (
	"os"
	"os/signal"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// notForwarded holds the signals that are never passed on to the command, each with the reason. All
// other signals are passed on.
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

// lastSignal is the highest signal number of Linux.
const lastSignal = 64

// inbox holds the channels on which signals arrive. [signal.Notify] drops a signal if its channel
// is full, so each kind that must not be lost has a channel with room for all that can wait at
// once.
type inbox struct {
	child chan os.Signal // SIGCHLD, which the kernel merges: one is as good as many
	stop  chan os.Signal // SIGTERM, SIGINT
	other chan os.Signal
}

// usual are the signals that people send to a process 1. They are caught before the first job
// starts.
var usual = []os.Signal{unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGCONT, unix.SIGTSTP}

// catch begins to catch signals. SIGCHLD comes first: a child that died before that sends no
// signal, and the first look finds it. If SIGHUP or SIGINT was ignored when we were started
// (nohup), it stays ignored for us and for the command. Go does not report other ignored signals.
//
// Catching a signal costs Go two thread switches, 2 ms for all 55. So the unusual signals are
// caught while the rest of the start goes on.
func catch() *inbox {
	in := &inbox{
		child: make(chan os.Signal, 1),
		stop:  make(chan os.Signal, 2),
		other: make(chan os.Signal, 2*lastSignal),
	}
	signal.Notify(in.child, unix.SIGCHLD)
	signal.Notify(in.stop, unix.SIGTERM)
	notify(in.stop, unix.SIGINT)
	// Once SIGPIPE is caught, a write to a log without a reader fails instead of ending us.
	notify(make(chan os.Signal, 1), unix.SIGPIPE)
	notify(in.other, usual...)
	go notify(in.other, unusual()...)
	return in
}

// notify sends the signals to c, except those that were ignored when we were started.
func notify(c chan<- os.Signal, sigs ...os.Signal) {
	for _, sig := range sigs {
		if !signal.Ignored(sig) {
			signal.Notify(c, sig)
		}
	}
}

// unusual returns the signals that are caught but are neither usual nor SIGTERM or SIGINT.
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

// reapBatch bounds the children that one call of drain reaps: a job that forks without end must not
// hold up the loop.
const reapBatch = 200

// drain waits for children that have changed state, at most reapBatch of them, and calls each for
// every one. It returns true if no more are there. Otherwise it sends itself a SIGCHLD, so that the
// loop calls it again.
func (in *inbox) drain(options int, each func(pid int, ws syscall.WaitStatus)) bool {
	for range reapBatch {
		var ws syscall.WaitStatus
		// Without __WALL ECHILD is no proof: it does not count children whose end sends no SIGCHLD.
		pid, err := syscall.Wait4(-1, &ws, options|unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return true
		}
		each(pid, ws)
	}
	select {
	case in.child <- unix.SIGCHLD:
	default: // a SIGCHLD waits already
	}
	return false
}
