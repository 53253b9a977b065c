package proctree

import (
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReadsToTheEnd: the last events of a holder are not lost if it ends with requests unread.
func TestReadsToTheEnd(t *testing.T) {
	h, err := Prepare(Place{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := unix.Kill(h.Pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := h.Start(Order{Path: "/bin/true", Args: []string{"true"}, Files: []int{0, 1, 2}}); err != nil {
		t.Fatal(err)
	}
	for h.Signal(unix.SIGCONT) == nil { // until the socket is full
	}
	if err := unix.Kill(h.Pid, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for ws := (syscall.WaitStatus)(0); ; {
		if pid, err := syscall.Wait4(h.Pid, &ws, 0, nil); err != syscall.EINTR {
			if pid != h.Pid || ws.ExitStatus() != 0 {
				t.Fatalf("the holder: %v, status %#x", err, ws)
			}
			break
		}
	}
	var kinds []Kind
	for {
		e, err := h.Read()
		if err != nil {
			break
		}
		kinds = append(kinds, e.Kind)
	}
	if !slices.Equal(kinds, []Kind{Started, MainExited, Empty}) {
		t.Errorf("the events are %v, and not Started, MainExited, Empty", kinds)
	}
}
