//go:build !amd64 && !arm64

package catch

import "syscall"

// hasPipe says that handlers of our own write signals to a pipe.
const hasPipe = false

// setFull does nothing: os/signal has no pipe that could be full.
func setFull() {}

// isCaught returns false: Go's runtime keeps its handler, and that takes the default action.
func isCaught(syscall.Signal) bool { return false }
