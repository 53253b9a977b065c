package proctree

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestFreezeAndThaw: every process of a frozen job is stopped, and runs again after the thaw.
func TestFreezeAndThaw(t *testing.T) {
	for _, kind := range kinds {
		if kind.name == "bomb" {
			continue // one of the ways of TestTeardown freezes a bomb
		}
		t.Run(kind.name, func(t *testing.T) {
			h := tree(t, kind.name, kind.n)
			if err := h.Freeze(); err != nil {
				t.Fatal(err)
			}
			h.await(Frozen)
			pids, err := h.Procs()
			if err != nil {
				t.Fatal(err)
			}
			if len(pids) != kind.size {
				t.Errorf("%d processes are frozen, not %d", len(pids), kind.size)
			}
			for _, pid := range pids {
				if s := state(pid); s != 'T' {
					t.Errorf("%d is in state %c", pid, s)
				}
			}
			if err := h.Thaw(); err != nil {
				t.Fatal(err)
			}
			until(t, "all run again", func() bool {
				for _, pid := range pids {
					if state(pid) == 'T' {
						return false
					}
				}
				return true
			})
			for _, e := range h.seen {
				if e.Kind == Stopped {
					t.Error("the holder reports its own stop of the main process")
				}
			}
			_ = h.Kill()
			h.gone()
			h.nothingLeft()
		})
	}
}

// TestStopped: the holder reports a stop of the main process that is not its own.
func TestStopped(t *testing.T) {
	h := start(t, sh("kill -STOP $$; echo went on; exec sleep 1000"))
	if e := h.await(Stopped); e.Pid != h.Main || e.Status.StopSignal() != unix.SIGSTOP {
		t.Errorf("stopped as %+v", e)
	}
	if err := h.SignalMain(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	h.await(Continued)
	h.line("went on")
	_ = h.Kill()
	h.gone()
}

// TestSignalAll: Signal reaches each process of the tree.
func TestSignalAll(t *testing.T) {
	h := tree(t, "daemon", "10")
	if err := h.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	h.gone()
	h.nothingLeft()
}
