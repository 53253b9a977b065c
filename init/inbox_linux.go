package supervisor

import (
	"os"
	"os/signal"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// notForwarded has every signal that never reaches the command, and why. All others do.
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

// inbox is where signals arrive. Notify never waits and drops what finds no room. So what must not be
// lost has a channel to itself, with room for all that can be in it at once.
type inbox struct {
	child chan os.Signal // merged by the kernel anyway: one is as good as many
	stop  chan os.Signal // SIGTERM, SIGINT
	other chan os.Signal
}

// usual are the signals that people send to a process 1. They are caught before anything is started.
var usual = []os.Signal{unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGCONT, unix.SIGTSTP}

// catch begins to catch signals. SIGCHLD comes first: a child that died before that gives no signal,
// and is found by the first look. SIGHUP and SIGINT stay ignored, for us and for the command, if they
// were ignored when we were started (nohup). Go does not tell of other signals.
//
// To catch a signal costs Go two thread switches, 2 ms for all 55. So the unusual signals are caught
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

// notify catches signals, but for those that were ignored when we were started.
func notify(c chan<- os.Signal, sigs ...os.Signal) {
	for _, sig := range sigs {
		if !signal.Ignored(sig) {
			signal.Notify(c, sig)
		}
	}
}

// unusual returns the signals that are caught, but for the usual ones and those that stop.
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

// reapBatch bounds one look for dead children: a job that forks without end must not hold the loop.
const reapBatch = 200

// drain waits for children, a bounded number, and returns true if it found the last. Otherwise it
// asks the loop for another turn.
func (in *inbox) drain(options int, each func(pid int, ws syscall.WaitStatus)) bool {
	for range reapBatch {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, options, nil)
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
	default: // one is there already
	}
	return false
}
