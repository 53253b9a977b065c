package supervisor

import (
	"fmt"
	"syscall"

	catching "github.com/cginit/cginit/internal/catch"
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

// inbox is where signals arrive.
type inbox struct {
	signals <-chan syscall.Signal
	child   chan struct{} // receives when wait4 may have more to tell
}

// catch begins to catch signals. Those that were ignored when we were started (nohup) stay ignored for us
// and for the command, as far as Go's runtime lets us know of them.
func catch() (*inbox, error) {
	signals, err := catching.Signals(caught())
	if err != nil {
		return nil, fmt.Errorf("cannot catch signals: %w", err)
	}
	return &inbox{signals, make(chan struct{}, 1)}, nil
}

// caught returns the signals that are caught: those that are passed on, and SIGCHLD.
func caught() []syscall.Signal {
	sigs := make([]syscall.Signal, 0, lastSignal)
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		if notForwarded[sig] == "" || sig == unix.SIGCHLD {
			sigs = append(sigs, sig)
		}
	}
	return sigs
}

// reapBatch bounds the children that one call of drain reaps: a job that forks without end must not
// hold up the loop.
const reapBatch = 200

// drain waits for children that have changed state, at most reapBatch of them, and calls each for
// every one. It returns true if no more are there. Otherwise child receives, so that the loop calls it
// again.
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
	case in.child <- struct{}{}:
	default: // the loop will look already
	}
	return false
}
