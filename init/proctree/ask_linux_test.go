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
