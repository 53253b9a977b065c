package proctree

import (
	"syscall"
	"time"
)

// Kind is the kind of an [Event].
type Kind int

// The kinds of events, in the order of a job's life.
const (
	// Started says that the main process has been executed. Pid is set.
	Started Kind = iota + 1
	// Failed says that the main process could not be executed. Err is set. The holder takes
	// another order.
	Failed
	// Stopped says that a signal, not of the holder, has stopped the main process. Pid and Status
	// are set.
	Stopped
	// Continued says that the main process goes on after a stop. Pid and Status are set.
	Continued
	// MainExited says that the main process has ended. Pid and Status are set. User, System and
	// MaxRSS are those of the main process and of the processes that it has waited for.
	MainExited
	// Frozen says that a walk has found no process that runs.
	Frozen
	// Empty says that nothing is left below the holder, which ends now. User, System and MaxRSS are
	// those of all processes of the job.
	Empty
	// MainGone says that the process that SetMain has named is not there, or no longer. Pid is set.
	// An event MainExited of it has come before, or nobody knows how it has ended.
	MainGone
)

// Event is one thing that a holder tells the supervisor. Its Kind says which fields are set.
type Event struct {
	Kind   Kind
	Pid    int // of the main process
	Status syscall.WaitStatus
	Err    error // an errno

	// User and System are the CPU time in user mode and in the kernel.
	User, System time.Duration
	// MaxRSS is the most memory that one of the processes had resident, in KiB.
	MaxRSS int64
}
