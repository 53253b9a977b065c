package life

// Cause says what ended a run. The words are those of the receipt.
type Cause = string

// The causes.
const (
	Exited      Cause = "exited"        // the main process ended by itself
	Stopped     Cause = "stopped"       // somebody asked for a stop
	Killed      Cause = "killed"        // somebody asked for a kill
	TimedOut    Cause = "timed-out"     // the run took longer than its timeout
	OutOfMemory Cause = "out-of-memory" // the kernel killed it at its memory limit
	StartFailed Cause = "start-failed"  // the command could not be started
	Failing     Cause = "failing"       // it was unhealthy, silent, or not ready in time
	LeaseEnded  Cause = "lease-ended"   // the client that started it over the control socket has gone
)
