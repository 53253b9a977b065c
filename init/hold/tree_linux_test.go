package hold

import (
	"testing"

	"github.com/cginit/cginit/init/proctree"
	"golang.org/x/sys/unix"
)

// TestBusyHolder checks that Kill succeeds while the holder's socket is full.
func TestBusyHolder(t *testing.T) {
	h, err := proctree.Prepare(proctree.Place{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = h.Close()
		endChild(h.Pid)
	}()
	if err := unix.Kill(h.Pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for n := 0; h.Thaw() == nil; n++ {
		if n > 1<<16 {
			t.Fatal("its socket is never full")
		}
	}
	if err := (&tree{holder: h}).Kill(); err != nil {
		t.Errorf("a kill says: %v", err)
	}
}
