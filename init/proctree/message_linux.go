package proctree

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// message is what goes over the socket between the supervisor and a holder, either way. Both
// are the same binary, so it goes as it lies in memory.
type message struct {
	kind   int64
	pid    int64
	value  int64 // a wait status, an errno, or a signal
	user   int64 // CPU times, in microseconds
	system int64
	maxRSS int64 // in KiB
}

const messageSize = int(unsafe.Sizeof(message{}))

func (m *message) bytes() []byte { return (*[messageSize]byte)(unsafe.Pointer(m))[:] }

func (m *message) used(ru *unix.Rusage) {
	m.user, m.system, m.maxRSS = ru.Utime.Nano()/1000, ru.Stime.Nano()/1000, ru.Maxrss
}

// What the supervisor asks of a holder.
const (
	askStart      int64 = iota + 1 // with descriptors: the order, and those of the job
	askSignalMain                  // value: the signal
	askSignal
	askFreeze
	askThaw
	askKill
)

// Kind is what an [Event] tells.
type Kind int

// The kinds of events, from the holder's side of the socket.
const (
	Started    Kind = iota + 1 // the main process is executed; Pid
	Failed                     // it could not be; Err. Another order may follow
	Stopped                    // the main process has been stopped, not by us; Status
	Continued                  // and goes on
	MainExited                 // Pid, Status, and what it and all that it waited for have used
	Frozen                     // a walk has found nothing that runs
	Empty                      // nothing is left below the holder, which ends; what all of it has used
)

// Event is one thing that a holder has to say.
type Event struct {
	Kind   Kind
	Pid    int // of the main process
	Status syscall.WaitStatus
	Err    error

	User, System time.Duration // CPU time
	MaxRSS       int64         // the most memory that one process had resident, in KiB
}

func (m *message) event() Event {
	e := Event{Kind: Kind(m.kind), Pid: int(m.pid), MaxRSS: m.maxRSS}
	e.User, e.System = time.Duration(m.user)*time.Microsecond, time.Duration(m.system)*time.Microsecond
	if e.Kind == Failed {
		e.Err = syscall.Errno(m.value)
	} else {
		e.Status = syscall.WaitStatus(m.value)
	}
	return e
}
