package proctree

import (
	"testing"

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

// TestSignalOnceForking: SIGTERM also reaches processes that are forked while it is sent.
func TestSignalOnceForking(t *testing.T) {
	h := start(t, Order{Args: []string{"/bin/sh", "-c", growing}})
	h.line("growing")
	if err := h.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	h.gone()
}

// growing is the script of a job that still forks when it is sent SIGTERM.
const growing = `
	for i in 1 2 3 4 5; do
		{ i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); done; wait; } &
	done
	echo growing
	wait`
