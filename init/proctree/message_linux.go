package proctree

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// message is a message between the supervisor and a holder, in both directions of the socket.
// Both ends are the same binary, so it is sent as it lies in memory.
type message struct {
	kind int64 // a request of the supervisor, or a Kind
	pid  int64
	// value is a wait status, an errno or a signal.
	value  int64
	user   int64 // CPU time in user mode, in microseconds
	system int64 // CPU time in the kernel, in microseconds
	maxRSS int64 // in KiB
}

// messageSize is the size of a message in bytes.
const messageSize = int(unsafe.Sizeof(message{}))

// bytes returns the memory of the message.
func (m *message) bytes() []byte { return (*[messageSize]byte)(unsafe.Pointer(m))[:] }

// setUsage sets the CPU times and the memory.
func (m *message) setUsage(ru *unix.Rusage) {
	m.user, m.system, m.maxRSS = ru.Utime.Nano()/1000, ru.Stime.Nano()/1000, int64(ru.Maxrss) //nolint:unconvert // int32 there on 32 bits
}

// event returns the event that a message of a holder tells.
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

// The requests of the supervisor to a holder.
const (
	// requestStart comes with descriptors: that of the order, then those of the job.
	requestStart int64 = iota + 1
	// requestSignalMain and requestSignal have the signal as value.
	requestSignalMain
	requestSignal
	requestFreeze
	requestThaw
	requestKill
	// requestMain has the pid of the process that is the main process from now on.
	requestMain
)
