// Package catch receives the signals that are sent to this process.
//
// [os/signal.Notify] hands each signal that it is to catch to a thread and waits for it, which takes longer
// than the start of a command. On amd64 and arm64 a handler of our own writes the number of the signal into a
// pipe. On other platforms os/signal does the work, and takes equal signals that come in the same instant for one.
package catch

import "syscall"

// room is how many signals can wait for the receiver besides those in the pipe.
const room = 128

// isFault tells whether the kernel sends a signal for a fault of the program too. Go's runtime makes a panic
// of such a fault, so only what another process has sent is taken.
func isFault(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGILL, syscall.SIGTRAP, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV:
		return true
	}
	return false
}
