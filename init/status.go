package supervisor

import "syscall"

// The exit statuses that are ours; docker run, env(1) and timeout(1) use the same.
const (
	StatusTimedOut      = 124
	StatusFailed        = 125 // cginit failed, or something could not be killed
	StatusNotExecutable = 126
	StatusNotFound      = 127
	statusSignal        = 128 // plus the signal's number
)

// exitStatus is what the supervisor answers for a run that has ended.
func exitStatus(c cause, r *run) int {
	switch {
	case r.book.unkillable > 0:
		return StatusFailed
	case c == startFailed:
		return startStatus(r.book.err)
	case c == timedOut:
		return StatusTimedOut
	case r.status == nil: // stopped before it was started
		return statusSignal + int(syscall.SIGTERM)
	case r.status.Signaled():
		return statusSignal + int(r.status.Signal())
	}
	return r.status.ExitStatus()
}
