package supervisor

import (
	"os"
	"syscall"
	"testing"
)

// TestSignalTable checks that every signal either is caught once or has a reason why not.
func TestSignalTable(t *testing.T) {
	caught := append([]os.Signal{syscall.SIGTERM, syscall.SIGINT}, append(unusual(), usual...)...)
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		n := 0
		for _, c := range caught {
			if c == os.Signal(sig) {
				n++
			}
		}
		if reason := notForwarded[sig]; (n == 1) != (reason == "") || n > 1 {
			t.Errorf("signal %d is caught %d times; not forwarded because %q", sig, n, reason)
		}
	}
}
