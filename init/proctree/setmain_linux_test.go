package proctree

import (
	"strconv"
	"strings"
	"testing"

	"github.com/cginit/cginit/init/proc"
	"golang.org/x/sys/unix"
)

// TestSetMain checks that the holder tells of the end of the process that was made the main process, and
// not of that of the one before, and that it says so if there is no such process.
func TestSetMain(t *testing.T) {
	h := start(t, sh("sleep 1000 & echo pid $!; exec sleep 1001"))
	next, err := strconv.Atoi(strings.TrimPrefix(h.line("pid "), "pid "))
	if err != nil {
		t.Fatal(err)
	}
	first := h.await(Started).Pid
	until(t, "the main process is no shell any more, which would wait for its child", func() bool {
		p, _ := proc.Read(first)
		return p.Comm == "sleep"
	})
	if err := h.SetMain(next); err != nil {
		t.Fatal(err)
	}
	_ = h.SignalMain(unix.SIGTERM)
	until(t, "the end of the named process", func() bool { return state(next) == 'Z' })
	_ = unix.Kill(first, unix.SIGKILL) // so the holder inherits the zombie
	if e := h.await(MainExited); e.Pid != next || !e.Status.Signaled() || e.Status.Signal() != unix.SIGTERM {
		t.Errorf("%+v, and the main process is %d", e, next)
	}
	h.gone()
	for _, e := range h.seen {
		if e.Kind == MainExited && e.Pid == first {
			t.Errorf("the end of the first main process was told: %+v", e)
		}
	}
}

// TestSetMainToNobody checks that a holder tells that the named process is not there.
func TestSetMainToNobody(t *testing.T) {
	h := start(t, sh("sleep 0 & echo pid $!; wait; echo waited; exec sleep 1001"))
	next, err := strconv.Atoi(strings.TrimPrefix(h.line("pid "), "pid "))
	if err != nil {
		t.Fatal(err)
	}
	h.line("waited")
	first := h.await(Started).Pid
	_ = h.SetMain(next)
	if e := h.await(MainGone); e.Pid != next {
		t.Errorf("%+v, and %d has ended", e, next)
	}
	_ = h.SetMain(first)
	_ = h.Kill()
	if e := h.await(MainExited); e.Pid != first {
		t.Errorf("%+v, and the main process is %d", e, first)
	}
}
