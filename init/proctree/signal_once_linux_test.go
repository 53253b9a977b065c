package proctree

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSignalOnceChain: SIGTERM reaches every process of a chain, although the end of each one gives
// its child to the holder.
func TestSignalOnceChain(t *testing.T) {
	for range 5 {
		h := tree(t, "chain", "30")
		if err := h.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		h.gone()
	}
}

// TestSignalOnceForking: SIGTERM also reaches processes that are forked while it is sent. The program
// catches no SIGCHLD, unlike a shell: see signalOnce.
func TestSignalOnceForking(t *testing.T) {
	for range 5 {
		h := start(t, Order{Args: []string{treesBinary, "plain", "2000"}})
		for late := time.After(patience); ; {
			pids, err := h.Procs()
			if err != nil {
				t.Fatal(err)
			}
			if len(pids) > 50 {
				break
			}
			select {
			case <-late:
				t.Fatalf("only %d processes are there", len(pids))
			default:
			}
		}
		if err := h.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		h.gone()
	}
}
