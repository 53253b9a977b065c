//go:build amd64 || arm64

package catch

import "syscall"

// hasPipe says that handlers of our own write signals to a pipe.
const hasPipe = true

// setFull does what a handler does that finds the pipe full.
func setFull() { full = true }

// isCaught tells whether a signal has a handler.
func isCaught(sig syscall.Signal) bool {
	var now action
	sigaction(sig, nil, &now)
	return now.handler != 0
}
