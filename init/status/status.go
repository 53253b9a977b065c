// Package status has the exit statuses that are cginit's own. docker run, env(1) and timeout(1)
// use the same numbers. It imports nothing, so that every program and every room can use it.
package status

// The exit statuses. Any other is the command's own.
const (
	TimedOut      = 124 // the command ran longer than its timeout
	Failed        = 125 // cginit failed, or something could not be killed
	NotExecutable = 126 // the command was found and cannot be executed
	NotFound      = 127 // the command was not found
	Signal        = 128 // plus the number of the signal that ended the command
)
