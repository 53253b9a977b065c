// Package status has cginit's own exit statuses. docker run, env(1) and timeout(1) use the same
// numbers. The package imports nothing, so every program and package can use it.
package status

// The exit statuses. Any other is that of the command.
const (
	TimedOut      = 124 // the command ran longer than its timeout
	Failed        = 125 // cginit failed, or something could not be killed
	NotExecutable = 126 // the command was found but cannot be executed
	NotFound      = 127 // the command was not found
	Signal        = 128 // plus the number of the signal that ended the command
)
