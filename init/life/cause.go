package life

// Cause names what ended a run, in the words of the receipt.
type Cause = string

// The causes.
const (
	Exited      Cause = "exited"        // the main process ended by itself
	Stopped     Cause = "stopped"       // a client, a signal or the supervisor asked for a stop
	Killed      Cause = "killed"        // a client or the supervisor asked for a kill
	TimedOut    Cause = "timed-out"     // the run took longer than its timeout
	OutOfMemory Cause = "out-of-memory" // the kernel killed the main process at the memory limit
	StartFailed Cause = "start-failed"  // the command could not be started
	Failing     Cause = "failing"       // the job was unhealthy, missed its watchdog, was not ready in time, or said that it stops and did not
	LeaseEnded  Cause = "lease-ended"   // the client that started the run over the control socket has gone
)
