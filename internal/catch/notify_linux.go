//go:build !amd64 && !arm64

package catch

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Signals catches each of sigs, except SIGHUP and SIGINT where those were ignored when this process was
// started, and returns a channel on which they arrive. Two that come in the same instant can change places.
// SIGPIPE is caught too and does not arrive: after that a write without a reader fails and does not end the
// process. Signals is called once.
func Signals(sigs []syscall.Signal) (<-chan syscall.Signal, error) {
	from, to := make(chan os.Signal, room), make(chan syscall.Signal, room)
	for _, sig := range sigs {
		if !signal.Ignored(sig) {
			signal.Notify(from, sig)
		}
	}
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	go func() {
		for sig := range from {
			to <- sig.(syscall.Signal)
		}
	}()
	return to, nil
}

// Reset gives a signal its default action.
func Reset(sig syscall.Signal) { signal.Reset(sig) }
