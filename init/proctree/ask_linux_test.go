package proctree

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestAskAll: a signal that ends each process reaches all of a line of them, though the end of
// one gives its child away.
func TestAskAll(t *testing.T) {
	for range 5 {
		h := tree(t, "chain", "30")
		if err := h.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		h.gone()
	}
}

// TestAskForking: those are asked too that are forked meanwhile.
func TestAskForking(t *testing.T) {
	h := start(t, Order{Args: []string{"/bin/sh", "-c", growing}})
	h.line("growing")
	if err := h.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	h.gone()
}

// growing is a job that is still growing when it is asked to leave.
const growing = `
	for i in 1 2 3 4 5; do
		{ i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); done; wait; } &
	done
	echo growing
	wait`
